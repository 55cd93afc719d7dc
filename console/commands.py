"""The ``nightbell`` command: what an operator does from a shell."""

from __future__ import annotations

import sys

import click
import sqlalchemy as sa

from console import desk
from console.case_commands import case
from console.connecting import point_numbers
from console.explain import explain
from console.mail_commands import mail
from console.oncall_commands import oncall
from console.policy_commands import policy
from console.promise_commands import promises
from console.wiring import Commands, open_context
from core import due, phone_numbers
from core.models import Customer
from core.schema import migrate as migrate_schema
from core.settings import load_settings
from intake.phone.models import Call
from intake.phone.script import standalone_fallback


@click.group(cls=Commands)
def main() -> None:
    """Nightbell: after-hours support that keeps its promises."""


main.add_command(policy)
main.add_command(explain)
main.add_command(oncall)
main.add_command(mail)


@main.command()
def migrate() -> None:
    """Bring the database's tables up to date."""
    migrate_schema(load_settings().database_url)
    click.echo("the database is up to date")


@main.command()
def run() -> None:
    """Start everything on this machine, with a simulated telephone company and post office."""
    sys.exit(desk.run())


@main.command()
@click.option(
    "--fallback-url", default="", help="where the fallback document is served (see: nightbell fallback)"
)
def connect(fallback_url: str) -> None:
    """Point the account's numbers at this service."""
    context = open_context()
    for line in point_numbers(context, fallback_url):
        click.echo(line)


@main.command()
def fallback() -> None:
    """Print the document that still records callers when this service is down; any file host can serve it."""
    context = open_context()
    click.echo(standalone_fallback(context.policies.current().policy.say("trouble")))


main.add_command(case)
main.add_command(promises)


@main.command(name="near-misses")
def near_misses() -> None:
    """List the calls that ended without a message, the latest first: nobody was rung for them."""
    context = open_context()
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
    with open_context().database.reading() as session:
        for row in due.unfinished(session, 200):
            error = f"  {row.last_error}" if row.last_error else ""
            click.echo(f"{row.state:9} {row.due_at:%Y-%m-%d %H:%M:%S}  {row.kind:18} {row.subject}{error}")
