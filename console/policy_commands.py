"""``nightbell policy``: check, compare, apply and undo the document that everything follows."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from console.policy_report import findings_of, mistake_lines, week_lines
from console.wiring import open_context
from core.clock import SystemClock
from routing.context import Context
from routing.policies import (
    NoPolicy,
    PolicyError,
    PolicyVersion,
    apply_policy,
    fingerprint_of,
    parse_policy,
    policy_of_version,
)
from routing.policy import Policy
from routing.policy_changes import changes
from routing.policy_document import decoded
from routing.policy_history import NothingToUndo, undo, version_before, versions
from routing.policy_week import week

_FILE = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)


@click.group()
def policy() -> None:
    """The policy: lines, tiers, calendars, prompts, rotations, customers."""


@policy.command()
@click.argument("file", type=_FILE)
@click.option("--strict", is_flag=True, help="end with a status other than 0 for warnings too")
@click.option("--at", type=click.DateTime(["%Y-%m-%d"]), help="look ahead from this date, not from today")
def check(file: Path, strict: bool, at: datetime | None) -> None:
    """Name every mistake in a policy document, and what is legal but foolish."""
    text, _ = _parsed(file)
    warnings = findings_of(text, at.replace(tzinfo=UTC) if at else SystemClock().now())
    for warning in warnings:
        click.echo(f"{file}: warning: {warning}")
    counted = f", {_counted(len(warnings), 'warning')}" if warnings else ""
    click.echo(f"{file}: no mistakes{counted}")
    if strict and warnings:
        raise SystemExit(1)


@policy.command()
@click.argument("file", type=_FILE)
@click.option(
    "--from", "start", type=click.DateTime(["%Y-%m-%d"]), help="the first day of the week (default: now)"
)
@click.option("--days", type=click.IntRange(1, 366), default=7, help="how many days to compare (default: 7)")
def diff(file: Path, start: datetime | None, days: int) -> None:
    """Say what a document would change, and who would be rung before and after."""
    _, after = _parsed(file)
    context = open_context()
    before = context.policies.current().policy
    _say_changes(before, after)
    begins, ends = _period(context, after, start, days)
    for line in week_lines(before, after, week(before, after, begins, ends), begins, ends):
        click.echo(line)


@policy.command()
@click.argument("file", type=_FILE)
@click.option("--dry-run", is_flag=True, help="say what would change, and change nothing")
@click.option("--note", default=None, help="why, for the history; at most 200 characters")
def apply(file: Path, dry_run: bool, note: str | None) -> None:
    """Make a policy document the current policy, all of it or nothing."""
    if note is not None and len(note) > 200:
        raise click.UsageError("the note has more than 200 characters")
    text, after = _parsed(file)
    context = open_context()
    current = _latest(context)
    if current is not None and current.fingerprint == fingerprint_of(text):
        click.echo(f"policy version {current.version} is in force already, with the same document")
        return
    _say_changes(_policy(context, current), after)
    for warning in findings_of(text, context.clock.now()):
        click.echo(f"{file}: warning: {warning}")
    if dry_run:
        click.echo("nothing was applied (--dry-run)")
        return
    with context.database.writing() as session:
        version = apply_policy(session, text, context.clock.now(), note=note)
    click.echo(f"policy version {version} is in force")


@policy.command(name="undo")
@click.option("--to", type=int, default=None, help="the version to go back to (default: the one before)")
@click.option("--dry-run", is_flag=True, help="say what would change, and change nothing")
def undo_command(to: int | None, dry_run: bool) -> None:
    """Put an earlier document in force again, as a new version; a second undo takes the first one back."""
    context = open_context()
    try:
        with context.database.reading() as session:
            current, earlier = version_before(session, to)
            before, after = (policy_of_version(session, row.version) for row in (current, earlier))
        _say_changes(before, after)
        if dry_run:
            click.echo(f"version {earlier.version} would be in force again; nothing was changed (--dry-run)")
            return
        with context.database.writing() as session:
            version, restored = undo(session, context.clock.now(), to)
    except NothingToUndo as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"policy version {version} is in force: the document of version {restored}")


@policy.command()
@click.option("--limit", type=click.IntRange(1), default=20, help="how many versions (default: 20)")
def history(limit: int) -> None:
    """List the versions that were applied, the latest first."""
    context = open_context()
    with context.database.reading() as session:
        found = versions(session, limit)
        if not found:
            raise NoPolicy
        for row in found:
            note = f"  {row.note}" if row.note else ""
            at = f"{row.applied_at:%Y-%m-%d %H:%M:%S} UTC"
            click.echo(f"{row.version:6}  {at}  {row.fingerprint[:12]}{note}")


@policy.command()
@click.option("--version", type=int, default=None, help="an earlier version (default: the current one)")
def export(version: int | None) -> None:
    """Print the current policy document, as it was applied."""
    context = open_context()
    wanted = version if version is not None else context.policies.current().version
    with context.database.reading() as session:
        row = session.get(PolicyVersion, wanted)
    if row is None:
        raise click.ClickException(f"there is no version {wanted}; see: nightbell policy history")
    # As bytes: a terminal's encoding must not change what is applied again later.
    click.echo(row.document.encode(), nl=False)


def _parsed(file: Path) -> tuple[str, Policy]:
    """The text of a document and its policy; otherwise every mistake is named, and the command ends."""
    raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    try:
        text = decoded(raw)
        return text, parse_policy(text)
    except PolicyError as error:
        for line in mistake_lines(str(file), error):
            click.echo(line, err=True)
        raise SystemExit(1) from None


def _latest(context: Context) -> PolicyVersion | None:
    with context.database.reading() as session:
        return next(iter(versions(session, 1)), None)


def _policy(context: Context, row: PolicyVersion | None) -> Policy | None:
    return context.policies.version(row.version) if row is not None else None


def _say_changes(before: Policy | None, after: Policy) -> None:
    if before is None:
        click.echo("No policy is in force yet: all of it is new.")
        return
    said = changes(before, after)
    click.echo("What changes:" if said else "Nothing changes.")
    for sentence in said:
        click.echo(f"  {sentence}")


def _period(context: Context, policy: Policy, start: datetime | None, days: int) -> tuple[datetime, datetime]:
    """``days`` local days; a period over a clock change is an hour longer or shorter."""
    calendar = next(iter(policy.calendars.values()))
    local = start or context.clock.now().astimezone(calendar.zone).replace(
        second=0, microsecond=0, tzinfo=None
    )
    return calendar.local_to_utc(local), calendar.local_to_utc(local + timedelta(days=days))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
