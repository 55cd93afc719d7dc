"""``nightbell case``: what can be done with a case from a shell."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from console import paging_acts
from console.case_page import describe
from console.case_reply_form import refuse_note
from console.paging_acts import Wish
from console.wiring import DefaultGroup, open_context
from core.models import Case, Person
from routing import handling, merging
from routing.clocks.rules import Excuse
from routing.clocks.said_times import instant_said
from routing.context import Context
from routing.correspondence import replies
from routing.correspondence.letters import File
from routing.correspondence.replies import Answer

_by: Callable[[Any], Any] = click.option(
    "--by", "by", required=True, metavar="PERSON", help="whose act it is: a key of the policy's people"
)


@click.group(cls=DefaultGroup, default="show")
def case() -> None:
    """A case: look at it, answer it, close it."""


@dataclass(frozen=True)
class _Act:
    """A case in a transaction, who acts on it, and when."""

    session: Session
    context: Context
    case: Case
    person: Person
    now: datetime


@contextmanager
def _acting(number: int, by: str) -> Iterator[_Act]:
    context = open_context()
    with context.database.writing() as session:
        found = session.get(Case, number)
        if found is None:
            raise click.ClickException(f"there is no case {number}")
        yield _Act(session, context, found, handling.somebody(session, by), context.clock.now())


@case.command()
@click.argument("number", type=int)
def show(number: int) -> None:
    """Print a case, its promises, its decision and its timeline as JSON."""
    context = open_context()
    with context.database.reading() as session:
        found = session.get(Case, number)
        if found is None:
            raise click.ClickException(f"there is no case {number}")
        click.echo(json.dumps(describe(session, context, found), indent=2))


@case.command()
@click.argument("number", type=int)
@click.option("--how", required=True, help="how the customer was answered, in your words")
@click.option("--at", "at", default="", help="when, such as 03:05 or 2026-11-24T03:05; now, if left out")
@_by
def responded(number: int, how: str, at: str, by: str) -> None:
    """Say that the customer has been answered, how and when: it stops the response clock."""
    with _acting(number, by) as act:
        zone = act.context.policies.current().policy.calendar_of(act.case.service).zone
        handling.state_response(
            act.session, act.case, instant_said(at, zone, act.now), how, act.person, act.now
        )
    click.echo(_standing(act.case))


@case.command()
@click.argument("number", type=int)
@_by
def accept(number: int, by: str) -> None:
    """Take a case that rings: nobody is called for it any more; the response clock runs on."""
    with _acting(number, by) as act:
        paging_acts.act(act.session, act.context, act.case, act.person, Wish.ACCEPT)
    click.echo(f"{act.person.name} has case {number}; {_standing(act.case)}")


@case.command(name="pass")
@click.argument("number", type=int)
@click.option("--to", help="hand it to this person, who is rung first: a key of the policy's people")
@_by
def pass_on(number: int, to: str | None, by: str) -> None:
    """Let the next engineer take a case, or somebody by name; one that was accepted, too."""
    with _acting(number, by) as act:
        if to is not None:
            paging_acts.hand(
                act.session, act.context, act.case, act.person, handling.somebody(act.session, to)
            )
        else:
            paging_acts.act(act.session, act.context, act.case, act.person, Wish.PASS)
    click.echo(f"case {number} goes to {to or 'the next engineer'}")


@case.command()
@click.argument("number", type=int)
@_by
def take(number: int, by: str) -> None:
    """Take a case over from whoever has it and has not answered."""
    with _acting(number, by) as act:
        paging_acts.act(act.session, act.context, act.case, act.person, Wish.TAKE)
    click.echo(f"{act.person.name} has case {number}; {_standing(act.case)}")


@case.command()
@click.argument("number", type=int)
@_by
def withdraw(number: int, by: str) -> None:
    """Say that the answer was none: the response clock runs on from the contact."""
    with _acting(number, by) as act:
        handling.withdraw(act.session, act.case, act.person, act.now)
    click.echo(_standing(act.case))


@case.command()
@click.argument("number", type=int)
@click.argument("text")
@click.option(
    "--attach", "paths", multiple=True, type=click.Path(path_type=Path), help="a file to send along"
)
@click.option("--no-copies", is_flag=True, help="send it to the customer alone, not to whom they had in copy")
@_by
def reply(number: int, text: str, by: str, paths: tuple[Path, ...], no_copies: bool) -> None:
    """Answer the customer by mail, which stops the response clock; kept on the case where no mail can be sent."""
    files = [_file(path) for path in paths]
    with _acting(number, by) as act:
        refuse_note(act.context, act.case, text)
        answer = Answer(text, files, copies=not no_copies)
        sent = replies.reply(act.session, act.context, act.case, act.person, answer, act.now)
    if sent.why_not:
        click.echo(f"it was not mailed: {sent.why_not}; tell the customer yourself", err=True)
    else:
        click.echo(f"to be mailed to {', '.join(each.address for each in sent.to)}")
    click.echo(_standing(act.case))


def _file(path: Path) -> File:
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return File(path.name, kind, path.read_bytes())


@case.command()
@click.argument("number", type=int)
@click.argument("text")
@_by
def note(number: int, text: str, by: str) -> None:
    """Write for colleagues: the customer does not see it, and the response clock runs on."""
    with _acting(number, by) as act:
        handling.write(act.session, act.case, text, act.person, act.now, public=False)
    click.echo(_standing(act.case))


@case.command()
@click.argument("number", type=int)
@click.argument("level", type=int)
@_by
def priority(number: int, level: int, by: str) -> None:
    """Change the priority: an open promise is computed again from the contact."""
    with _acting(number, by) as act:
        handling.change_priority(act.session, act.case, level, act.person, act.now)
    click.echo(_standing(act.case))


@case.command()
@click.argument("number", type=int)
@click.option("--reason", type=click.Choice([excuse.value for excuse in Excuse]), help="why nobody answered")
@_by
def close(number: int, reason: str | None, by: str) -> None:
    """Close a case that was answered; one that was not needs a reason."""
    with _acting(number, by) as act:
        handling.close(act.session, act.case, act.person, act.now, Excuse(reason) if reason else None)
    click.echo(f"case {number} is closed")


@case.command()
@click.argument("number", type=int)
@click.argument("into", type=int)
@_by
def merge(number: int, into: int, by: str) -> None:
    """Close a case as a duplicate of another one INTO which it goes on: mail for it goes there."""
    with _acting(number, by) as act:
        other = act.session.get(Case, into)
        if other is None:
            raise click.ClickException(f"there is no case {into}")
        merging.merge(act.session, act.case, other, act.person, act.now)
    click.echo(f"case {number} goes on in case {into}")


@case.command()
@click.argument("number", type=int)
@_by
def reopen(number: int, by: str) -> None:
    """Open a closed case again, with a new response clock; the old verdict stays."""
    with _acting(number, by) as act:
        handling.reopen(act.session, act.case, act.person, act.now, act.context.policies.current())
    click.echo(_standing(act.case))


def _standing(case: Case) -> str:
    if case.responded_at is not None:
        late = case.due_at is not None and case.responded_at > case.due_at
        return f"case {case.id} was answered at {case.responded_at:%Y-%m-%d %H:%M} UTC{', too late' if late else ''}"
    if case.due_at is None:
        return f"case {case.id}: nothing was promised, and nobody has answered"
    return f"case {case.id} is to be answered by {case.due_at:%Y-%m-%d %H:%M} UTC ({case.target})"
