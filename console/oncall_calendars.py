"""``nightbell oncall feed`` and ``import``: calendars of shifts out, calendars of absences in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from console.oncall_desk import Desk, desk_of_today, who_types
from routing.oncall.local_times import shown_instant
from routing.rosters import addresses, changes, imports
from routing.rosters.sieve import MAX_BYTES


@click.command()
@click.argument("of", metavar="PERSON|SCHEDULE")
@click.option("--renew", is_flag=True, help="make a new address, and the old one void")
def feed(of: str, renew: bool) -> None:
    """Make the secret address of a calendar: a person's shifts, or all of a schedule."""
    with desk_of_today() as desk:
        kinds: dict[str, Mapping[str, object]] = {
            addresses.PERSON: desk.policy.people,
            addresses.SCHEDULE: desk.policy.schedules,
        }
        found = [kind for kind, known in kinds.items() if of in known]
        if not found:
            known: dict[str, object] = {**desk.policy.people, **desk.policy.schedules}
            changes.known_or_refused("person or schedule", of, known)
        for kind in found:
            click.echo(f"{kind} {of}: {_address(desk, kind, of, renew)}")


def _address(desk: Desk, kind: str, key: str, renew: bool) -> str:
    try:
        with desk.context.database.writing() as session:
            token = addresses.make_address(session, kind, key, renew=renew, by=who_types(), now=desk.now)
    except addresses.AddressTaken as taken:
        since = shown_instant(taken.since, desk.zone(None))
        raise click.ClickException(
            f"the calendar of the {kind} {key} has had an address since {since}; it is kept nowhere, "
            "so that it cannot be shown again. --renew makes a new one, and the old one void"
        ) from None
    return desk.context.address(addresses.address_path(token))


@click.command(name="import")
@click.argument("person")
@click.argument("calendar", metavar="FILE|URL")
@click.option("--matching", help="only events whose title matches, such as 'out of office|vacation'")
def import_absences(person: str, calendar: str, matching: str | None) -> None:
    """Take the busy events of a calendar as absences: a file once, an address every hour from now on."""
    with desk_of_today() as desk:
        if "://" in calendar or calendar.lower().startswith("webcal"):
            subscription, reading, new, gone = imports.subscribe(
                desk.context, person, calendar, matching=matching, by=who_types()
            )
            click.echo(f"{subscription.source} is read every hour from now on")
        else:
            path = Path(calendar)
            data = _read(path)
            reading, new, gone = imports.import_file(
                desk.context, person, data, path.name, matching=matching, by=who_types()
            )
    click.echo(f"{len(reading.periods)} absences in the next 180 days; {new} new, {gone} gone")
    for note in reading.notes:
        click.echo(f"note: {note}")


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
