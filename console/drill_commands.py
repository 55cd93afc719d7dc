"""``nightbell oncall drill`` and ``drills``: a test page on demand, and who proved reachable."""

from __future__ import annotations

import click
import sqlalchemy as sa

from console.oncall_desk import desk_of_today
from core.models import Person
from routing import oncall
from routing.drills import planning
from routing.drills.content import zone_of
from routing.drills.models import Drill
from routing.drills.rules import DrillRule, DrillState
from routing.rosters import changes
from routing.wording import written_instant

_MOST = 200


@click.command()
@click.argument("schedule")
@click.option("--person", help="a key of the policy's people; without it, whoever is on call")
def drill(schedule: str, person: str | None) -> None:
    """Send a test page now, through the same channels as a real one: it must be acknowledged."""
    with desk_of_today() as desk:
        known = desk.schedules(schedule, desk.now)[schedule]
        if person is not None:
            changes.known_or_refused("person", person, desk.policy.people)
        people = [person] if person is not None else list(oncall.on_call(known, desk.now))
        if not people:
            raise click.ClickException(f"nobody is on call in {schedule!r}; name somebody with --person")
        rule = desk.policy.drills.get(schedule, DrillRule())
        with desk.context.database.writing() as session:
            held = planning.begin(session, desk.context, schedule, people[0], desk.now, rule)
            ends_at = held.ends_at
    name = desk.policy.people[people[0]].name
    until = written_instant(ends_at, zone_of(desk.policy, schedule))
    click.echo(f"{name} gets a drill now, and has until {until} to acknowledge it")


@click.command()
@click.option("--schedule", help="one schedule; without it, all")
@click.option("--failed", is_flag=True, help="only those that nobody has acknowledged")
def drills(schedule: str | None, failed: bool) -> None:
    """List the drills, the latest first: who proved that they can be reached, when and how."""
    with desk_of_today() as desk, desk.context.database.reading() as session:
        found = sa.select(Drill, Person.name).join(Person, Person.key == Drill.person_key)
        if schedule is not None:
            found = found.where(Drill.schedule == schedule)
        if failed:
            found = found.where(Drill.state == DrillState.UNANSWERED)
        for held, name in session.execute(found.order_by(Drill.id.desc()).limit(_MOST)):
            zone = zone_of(desk.policy, held.schedule)
            shift = written_instant(held.shift_start, zone) if held.shift_start else "on demand"
            at = written_instant(held.begun_at, zone)
            click.echo(f"{at}  {held.schedule:14} {name:20} {_result(held)}; {shift}")


def _result(held: Drill) -> str:
    if held.state == DrillState.PROVED and held.proved_at is not None:
        late = ", late" if held.proved_at > held.ends_at else ""
        seconds = int((held.proved_at - held.begun_at).total_seconds())
        return f"reachable, by {held.proved_by} after {seconds} s{late}"
    return "NOT REACHED" if held.state == DrillState.UNANSWERED else "waiting"
