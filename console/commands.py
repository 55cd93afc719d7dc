"""The ``nightbell`` command: what an operator does from a shell."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import sqlalchemy as sa

from console import desk
from console.case_commands import case
from console.connecting import point_numbers
from console.promise_commands import promises
from core import phone_numbers
from core.due import Due, DueState
from core.models import Customer
from core.schema import migrate as migrate_schema
from core.settings import Settings, SettingsError, load_settings
from core.telephony import TelephonyError
from intake.phone.models import Call
from intake.phone.script import standalone_fallback
from routing.context import Context, build_context
from routing.policies import NoPolicy, PolicyError, PolicyVersion, apply_policy, parse_policy


@click.group()
def main() -> None:
    """Nightbell: after-hours support that keeps its promises."""


def _settings() -> Settings:
    try:
        return load_settings()
    except SettingsError as error:
        raise click.ClickException(str(error)) from None


def _context() -> Context:
    return build_context(_settings())


@main.command()
def migrate() -> None:
    """Bring the database's tables up to date."""
    migrate_schema(_settings().database_url)
    click.echo("the database is up to date")


@main.command()
def run() -> None:
    """Start everything on this machine: web, worker, and a simulated telephone company."""
    sys.exit(desk.run())


@main.group()
def policy() -> None:
    """The policy: lines, tiers, calendars, prompts, rotations, customers."""


@policy.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check(file: Path) -> None:
    """Name every mistake in a policy document."""
    _parsed(file)
    click.echo(f"{file}: no mistakes")


@policy.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def apply(file: Path) -> None:
    """Make a policy document the current policy, all of it or nothing."""
    _parsed(file)
    context = _context()
    with context.database.writing() as session:
        version = apply_policy(session, file.read_text(), context.clock.now())
    click.echo(f"policy version {version} is in force")


@policy.command()
def export() -> None:
    """Print the current policy document."""
    context = _context()
    try:
        version = context.policies.current().version
    except NoPolicy as error:
        raise click.ClickException(str(error)) from None
    with context.database.reading() as session:
        click.echo(session.get_one(PolicyVersion, version).document, nl=False)


def _parsed(file: Path) -> None:
    try:
        parse_policy(file.read_text())
    except PolicyError as error:
        raise click.ClickException("\n".join(f"{file}: {mistake}" for mistake in error.mistakes)) from None


@main.command()
@click.option(
    "--fallback-url", default="", help="where the fallback document is served (see: nightbell fallback)"
)
def connect(fallback_url: str) -> None:
    """Point the account's numbers at this service."""
    context = _context()
    try:
        for line in point_numbers(context, fallback_url):
            click.echo(line)
    except (TelephonyError, NoPolicy) as error:
        raise click.ClickException(str(error)) from None


@main.command()
def fallback() -> None:
    """Print the document that still records callers when this service is down; any file host can serve it."""
    context = _context()
    try:
        click.echo(standalone_fallback(context.policies.current().policy.say("trouble")))
    except NoPolicy as error:
        raise click.ClickException(str(error)) from None


main.add_command(case)
main.add_command(promises)


@main.command(name="near-misses")
def near_misses() -> None:
    """List the calls that ended without a message, the latest first: nobody was rung for them."""
    context = _context()
    with context.database.reading() as session:
        calls = session.scalars(
            sa.select(Call).where(Call.near_miss.is_(True)).order_by(Call.started_at.desc()).limit(100)
        )
        names = {customer.id: customer.name for customer in session.scalars(sa.select(Customer))}
        for call in calls:
            who = names.get(call.customer_id or 0, "an unknown caller")
            number = phone_numbers.shown(call.from_number) if call.from_number else "number withheld"
            click.echo(f"{call.started_at:%Y-%m-%d %H:%M:%S} UTC  {call.line:18} {who}, {number}")


@main.command(name="due")
def due_work() -> None:
    """List the work that waits, is under way, or was given up."""
    states = (DueState.DEAD, DueState.LEASED, DueState.READY)
    with _context().database.reading() as session:
        rows = session.scalars(
            sa.select(Due).where(Due.state.in_(states)).order_by(Due.state, Due.due_at).limit(200)
        )
        for row in rows:
            error = f"  {row.last_error}" if row.last_error else ""
            click.echo(f"{row.state:9} {row.due_at:%Y-%m-%d %H:%M:%S}  {row.kind:18} {row.subject}{error}")
