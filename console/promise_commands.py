"""``nightbell promises``: how many were kept, which were not, and whether every verdict can be proved."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import click
from sqlalchemy.orm import Session

from console.tables import as_columns, as_csv
from console.wiring import DefaultGroup, open_context
from routing.clocks import report
from routing.clocks.models import ResponseCycle
from routing.clocks.proving import prove_all
from routing.context import Context

_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--month", default="", help="such as 2026-11, of the contact; this month if left out"),
    click.option("--service", default=None, help="one service only"),
    click.option("--json", "form", flag_value="json", help="as JSON"),
    click.option("--csv", "form", flag_value="csv", help="for a spreadsheet"),
)
_COUNTED = ("month", "service", "tier", "kept", "missed", "share kept", "running", "excused")
_LISTED = (
    "case", "cycle", "verdict", "service", "tier", "priority", "contact", "target", "due", "answered", "by",
)  # fmt: skip


def _asked(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.group(cls=DefaultGroup, default="kept")
def promises() -> None:
    """Promises: kept, missed, and proved."""


@promises.command()
@_asked
def kept(month: str, service: str | None, form: str | None) -> None:
    """Print the share of promises kept, per service and tier, for the contacts of a month."""
    context = open_context()
    with context.database.reading() as session:
        wanted, now = _month(context, month), context.clock.now()
        tallies = report.tallies(session, wanted, now, service)
        rows = [
            (
                str(wanted),
                t.service,
                t.tier,
                t.kept,
                t.missed,
                report.percentage(t.share),
                t.running,
                t.excused,
            )
            for t in tallies
        ]
        if form:
            _print(form, _COUNTED, rows)
            return
        click.echo(
            f"Contacts of {wanted} in {wanted.zone.key}. Running and excused promises are not counted."
        )
        _print(None, _COUNTED[1:], [row[1:] for row in rows])
        for title, cycles in (
            ("Running", report.running(session, wanted, now, service)),
            ("Excused", report.excused(session, wanted, service)),
        ):
            if cycles:
                click.echo(f"\n{title}:")
                _print(None, _LISTED, [_row(cycle) for cycle in cycles])


@promises.command()
@_asked
def breaches(month: str, service: str | None, form: str | None) -> None:
    """List the promises that were missed, for the contacts of a month."""
    context = open_context()
    with context.database.reading() as session:
        found = report.breaches(session, _month(context, month), context.clock.now(), service)
        _print(form, _LISTED, [_row(cycle) for cycle in found])


@promises.command()
def prove() -> None:
    """Compute every stored verdict again, and name what differs; the exit status is 1 if anything does."""
    context = open_context()
    proved = differences = 0
    with context.database.reading() as session:
        proved, differences = _prove(session, context)
    click.echo(f"{proved} promises were computed again, {differences} differences")
    if differences:
        raise click.exceptions.Exit(1)


def _prove(session: Session, context: Context) -> tuple[int, int]:
    proved = differences = 0
    for difference in prove_all(session, context, context.clock.now()):
        if difference is None:
            proved += 1
        else:
            differences += 1
            click.echo(f"case {difference.case_id}, cycle {difference.number}: {difference.why}")
    return proved, differences


def _month(context: Context, text: str) -> report.Month:
    zone = report.company_zone(context.policies.current().policy)
    return report.Month.parse(text, zone) if text else report.Month.of(context.clock.now(), zone)


def _row(cycle: ResponseCycle) -> tuple[object, ...]:
    due, answered = cycle.due_at, cycle.responded_at
    return (
        cycle.case_id, cycle.number, str(cycle.standing.verdict), cycle.service, cycle.tier, cycle.priority,
        f"{cycle.started_at:%Y-%m-%d %H:%M} UTC", cycle.target, f"{due:%Y-%m-%d %H:%M} UTC" if due else None,
        f"{answered:%Y-%m-%d %H:%M} UTC" if answered else None, cycle.responded_by or cycle.excused_by,
    )  # fmt: skip


def _print(form: str | None, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    if form == "json":
        keys = [name.replace(" ", "_") for name in header]
        click.echo(json.dumps([dict(zip(keys, row, strict=True)) for row in rows], indent=2))
    elif form == "csv":
        click.echo(as_csv(header, rows), nl=False)
    elif rows:
        click.echo(as_columns(header, rows))
    else:
        click.echo("none")
