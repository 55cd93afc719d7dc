"""``nightbell mail``: what came in, what became of it, and mails out of files."""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa

from console.tables import as_columns
from console.wiring import Commands, open_context
from core.heartbeat import last_beat
from core.models import Message
from intake.mail.import_report import Became, Counts, became
from intake.mail.importing import mails_in
from intake.mail.mail_facts import QUIET
from intake.mail.models import InboundMail, MailState
from intake.mail.parsing import Envelope
from intake.mail.raw_bytes import raw_bytes
from intake.mail.receiving import Incoming, store_all
from intake.mail.replaying import replay as replay_mail
from routing.context import Context

_LISTED = 50
_PROGRESS = 500
_IN_ONE_COMMIT = 25
_BYTES_IN_ONE_COMMIT = 4_000_000
_LOOK_EVERY_S, _STANDSTILL_S = 0.5, 60.0
_WORKER_RUNS = timedelta(seconds=15)  # it says so every five seconds


@click.group(cls=Commands)
def mail() -> None:
    """Mail that came in: list it, look at it, take it in once more, import it."""


@mail.command(name="list")
@click.option("--state", type=click.Choice([state.value for state in MailState]), help="only these")
@click.option("--limit", type=click.IntRange(1, 10_000), default=_LISTED, show_default=True)
def list_mails(state: str | None, limit: int) -> None:
    """List the mails that came in, the latest first."""
    query = sa.select(InboundMail).order_by(InboundMail.id.desc()).limit(limit)
    with open_context().database.reading() as session:
        rows = session.scalars(query.where(InboundMail.state == state) if state else query).all()
    shown = [
        (row.id, f"{row.received_at:%Y-%m-%d %H:%M:%S}", row.via, row.state, row.case_id, row.size,
         _plain(row.sender), _plain(row.error))
        for row in rows
    ]  # fmt: skip
    header = ("mail", "received (UTC)", "via", "state", "case", "bytes", "from", "error")
    click.echo(as_columns(header, shown) if shown else "no mail")


def _plain(text: str | None) -> str:
    """Text of strangers for a terminal: nothing in it moves the cursor or rings the bell."""
    return "".join(character if character.isprintable() else "?" for character in text or "")[:80]


@mail.command()
@click.argument("id", type=int)
@click.option("--raw", is_flag=True, help="the bytes, as they came")
def show(id: int, raw: bool) -> None:
    """Print what is known of a mail as JSON, or the mail itself."""
    with open_context().database.reading() as session:
        row = session.get(InboundMail, id)
        if row is None:
            raise click.ClickException(f"there is no mail {id}; list them with: nightbell mail list")
        if raw:
            sys.stdout.buffer.write(raw_bytes(session, row))
            return
        message = session.get(Message, row.message_row) if row.message_row else None
    click.echo(json.dumps(_described(row, message), indent=2))


def _described(row: InboundMail, message: Message | None) -> dict[str, Any]:
    columns = InboundMail.__table__.columns
    told: dict[str, Any] = {column.key: _told(getattr(row, column.key)) for column in columns}
    told["message"] = {"body": message.body, **(message.details or {})} if message else None
    return told


def _told(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


@mail.command()
@click.argument("id", type=int)
def replay(id: int) -> None:
    """Take a mail in once more: one that could not be read, got stuck, or was kept apart as a copy."""
    click.echo(replay_mail(open_context(), id))


@mail.command(name="import")
@click.argument("source", metavar="FILE|FOLDER|MBOX", type=click.Path(exists=True, path_type=Path))
@click.option("--quiet", is_flag=True, help="old mail: nobody is answered, told or rung for it")
def import_mails(source: Path, quiet: bool) -> None:
    """Take in the mails of a file, of a folder or of an mbox, as if they had just come.

    A mail that was here before is not taken in again: an import that was broken off is simply begun again. While a
    worker runs, the command waits until it has taken them in, and says what became of them.
    """
    context = open_context()
    counts = Counts()
    waiting: list[Incoming] = []
    for name, raw in mails_in(source):
        if len(raw) > context.settings.mail_max_bytes:
            most = context.settings.mail_max_bytes
            click.echo(f"{name}: has {len(raw):,} bytes; NIGHTBELL_MAIL_MAX_BYTES is {most:,}", err=True)
            counts.too_large += 1
            continue
        waiting.append(Incoming(raw, Envelope(), QUIET if quiet else "import"))
        if len(waiting) >= _IN_ONE_COMMIT or sum(len(mail.raw) for mail in waiting) > _BYTES_IN_ONE_COMMIT:
            _store(context, waiting, counts)
            if counts.total % _PROGRESS == 0:
                click.echo(f"{counts.total} mails so far, {len(counts.new)} new", err=True)
    _store(context, waiting, counts)
    if not counts.total:
        click.echo(f"{source}: no mail in it")
        return
    for line in (*counts.in_words(), *_taken_in(context, counts).in_words()):
        click.echo(line)


def _store(context: Context, mails: list[Incoming], counts: Counts) -> None:
    """Store the mails together, and forget them."""
    for stored in store_all(context, mails):
        counts.add(stored)
    mails.clear()


def _taken_in(context: Context, counts: Counts) -> Became:
    """What became of the new mails, once the worker has taken them in; now, if none runs or it has stopped."""
    told, since = -1, time.monotonic()
    while True:
        with context.database.reading() as session:
            found, seen = became(session, counts.new), last_beat(session)
        if found.waiting != told:
            told, since = found.waiting, time.monotonic()
        runs = seen is not None and context.clock.now() - seen < _WORKER_RUNS
        if not found.waiting or not runs or time.monotonic() - since > _STANDSTILL_S:
            return found
        time.sleep(_LOOK_EVERY_S)
