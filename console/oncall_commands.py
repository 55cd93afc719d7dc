"""``nightbell oncall``: who is on call, and what is changed about it."""

from __future__ import annotations

import sys
from datetime import datetime, time, timedelta

import click
import sqlalchemy as sa
from sqlalchemy.orm import Session

from console import oncall_views as views
from console.drill_commands import drill, drills
from console.oncall_calendars import feed, import_absences
from console.oncall_desk import Desk, desk_of_today, who_types
from routing import oncall as engine
from routing.oncall import Absence, Change, Override, Swap, Turn
from routing.oncall.local_times import typed_instant
from routing.rosters import changes, imports
from routing.rosters.models import ScheduleChange


@click.group()
def oncall() -> None:
    """On-call: who is rung when, changes of the day, and calendars."""


oncall.add_command(feed)
oncall.add_command(import_absences)
oncall.add_command(drill)
oncall.add_command(drills)


@oncall.command()
@click.option("--at", help="another instant, such as '2026-12-25 03:12' in the schedule's zone")
def now(at: str | None) -> None:
    """Say of each schedule who is on call, until when, and who is next."""
    with desk_of_today() as desk:
        for key in desk.policy.schedules:
            moment = typed_instant(at, desk.zone(key)) if at else desk.now
            schedule = desk.schedules(key, moment)[key]
            click.echo(views.line_now(key, schedule, moment, desk.names))


@oncall.command()
@click.option("--schedule", help="one schedule; without it, all")
@click.option("--from", "from_", help="the first day or instant; without it, today")
@click.option("--days", default=7, type=click.IntRange(1, 400), show_default=True)
def week(schedule: str | None, from_: str | None, days: int) -> None:
    """List the shifts of a week in local time; gaps are marked NOBODY."""
    with desk_of_today() as desk:
        for key in desk.schedules(schedule, desk.now):
            zone = desk.zone(key)
            today = datetime.combine(desk.now.astimezone(zone).date(), time())
            start = typed_instant(from_ or f"{today:%Y-%m-%d}", zone)
            composed = desk.schedules(key, start)[key]
            for line in views.lines_of_week(key, composed, start, start + timedelta(days=days), desk.names):
                click.echo(line)


@oncall.command()
@click.option("--schedule", help="one schedule; without it, all")
@click.option("--days", default=90, type=click.IntRange(1, 400), show_default=True)
def gaps(schedule: str | None, days: int) -> None:
    """Find the times ahead in which nobody is on call; exit code 1 if there are any."""
    with desk_of_today() as desk:
        end = desk.now + timedelta(days=days)
        found = [
            line
            for key, composed in desk.schedules(schedule, desk.now).items()
            for line in views.lines_of_gaps(key, composed, desk.now, end)
        ]
    click.echo("\n".join(found) or f"somebody is on call at all times of the next {days} days")
    sys.exit(1 if found else 0)


@oncall.command()
@click.argument("schedule")
@click.option("--person", required=True, help="who is to be on call; 'nobody' for nobody")
@click.option("--from", "from_", help="without it, from now on")
@click.option("--to", required=True)
@click.option("--instead-of", help="only where this person would be on call")
def override(schedule: str, person: str, from_: str | None, to: str, instead_of: str | None) -> None:
    """Put somebody on call for a while."""
    with desk_of_today() as desk:
        start, end = _period(desk, from_, to, schedule, None)
        by = None if person == "nobody" and person not in desk.policy.people else person
        _add(desk, Override(start, end, instead_of, by), schedule)


@oncall.command()
@click.argument("schedule")
@click.argument("one")
@click.argument("other")
@click.option("--from", "from_", required=True, help="when the turn of ONE begins")
@click.option("--to", required=True, help="when it ends")
@click.option("--other-from", required=True, help="when the turn of OTHER begins")
@click.option("--other-to", required=True, help="when it ends")
def swap(schedule: str, one: str, other: str, from_: str, to: str, other_from: str, other_to: str) -> None:
    """Let two people do each other's turns."""
    with desk_of_today() as desk:
        ones = _period(desk, from_, to, schedule, None)
        others = _period(desk, other_from, other_to, schedule, None)
        _add(desk, Swap(Turn(one, *ones), Turn(other, *others)), schedule)


@oncall.command()
@click.argument("person")
@click.option("--from", "from_", help="a day or an instant; without it, from now on")
@click.option("--to", required=True, help="the last day, or an instant")
def absence(person: str, from_: str | None, to: str) -> None:
    """Take somebody out of all rotations for a while; the next member stands in."""
    with desk_of_today() as desk:
        start, end = _period(desk, from_, to, None, person)
        _add(desk, Absence(person, start, end), None)


def _period(
    desk: Desk, from_: str | None, to: str, schedule: str | None, person: str | None
) -> tuple[datetime, datetime]:
    if schedule is not None:
        changes.known_or_refused("schedule", schedule, desk.policy.schedules)
    zone = desk.zone(schedule, person)
    start = typed_instant(from_, zone) if from_ else desk.now
    return start, typed_instant(to, zone, closing=True)


def _add(desk: Desk, change: Change, schedule: str | None) -> None:
    start, end = engine.span_of(change)
    if end <= desk.now:
        raise ValueError("the change lies in the past; expected one that ends later than now")
    start = max(start, desk.now)
    before = desk.schedules(schedule, start)
    by = who_types()
    with desk.context.database.writing() as session:
        row = changes.add_change(session, desk.policy, change, schedule, source="cli", by=by, now=desk.now)
        after = changes.schedules_of(session, desk.policy, before, start)
    click.echo(f"change {row.id} is in force")
    effect = [
        line
        for key in before
        for line in views.lines_of_effect(
            key, engine.diff(before[key], after[key], start, end), desk.zone(key), desk.names
        )
    ]
    click.echo("\n".join(effect) or "nobody's shifts change by it")


@oncall.command(name="changes")
@click.option("--all", "all_", is_flag=True, help="past and withdrawn ones, too")
def list_changes(all_: bool) -> None:
    """List the changes in force, and the calendars that absences come from."""
    with desk_of_today() as desk, desk.context.database.reading() as session:
        for row in _listed(session, desk, all_):
            click.echo(views.line_of_change(row, desk.zone(_known(desk, row), row.person), desk.names))
        for each in imports.subscriptions(session):
            click.echo(views.line_of_subscription(each, desk.zone(None, each.person), desk.names))


def _listed(session: Session, desk: Desk, all_: bool) -> list[ScheduleChange]:
    if all_:
        return list(session.scalars(sa.select(ScheduleChange).order_by(ScheduleChange.id)))
    return changes.in_force(session, desk.now)


def _known(desk: Desk, row: ScheduleChange) -> str | None:
    return row.schedule if row.schedule in desk.policy.schedules else None


@oncall.command()
@click.argument("change")
def withdraw(change: str) -> None:
    """Take back a change by its number, or end the reading of a calendar (ics:3)."""
    kind, _, number = change.rpartition(":")
    if not number.isdecimal() or kind not in ("", "ics") or int(number) >= 2**31:
        raise click.ClickException(f"{change!r} is no change; see: nightbell oncall changes")
    with desk_of_today() as desk, desk.context.database.writing() as session:
        end = imports.end_subscription if kind else changes.withdraw
        if end(session, int(number), desk.now, who_types()) is None:
            raise click.ClickException(f"{change} is not in force; see: nightbell oncall changes")
    click.echo(f"{change} is withdrawn")
