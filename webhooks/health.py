"""Whether the service does its work: for load balancers, watchdogs and the person who starts it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import sqlalchemy as sa
from flask import Blueprint, Response, current_app, jsonify
from sqlalchemy.orm import Session

from core import due
from core.heartbeat import MAIL, WORKER, last_beat, mailbox_kind
from routing.context import Context
from routing.correspondence.outbox import nothing_leaves
from routing.policies import NoPolicy, PolicyError
from webhooks import receipts, spool
from webhooks.edge import FORGED

health = Blueprint("health", __name__)
_ALIVE, _MAILBOX_READ = timedelta(seconds=30), timedelta(minutes=3)


@health.get("/health")
def show() -> tuple[Response, int]:
    """200 when calls are answered and somebody can be rung; 503 and the reasons otherwise."""
    context: Context = current_app.extensions["nightbell"]
    problems = _problems(context)
    spooled = len(spool.waiting(context.settings))
    shown = jsonify(ok=not problems, problems=problems, spooled=spooled, forged=_forged(context))
    return shown, 503 if problems else 200


@health.get("/health/web")
def web() -> tuple[Response, int]:
    """For a load balancer: 200 while this process can answer a call, whatever else is broken."""
    context: Context = current_app.extensions["nightbell"]
    current_app.extensions["nightbell-forged"].flush()
    try:
        context.policies.current()
    except (NoPolicy, PolicyError, sa.exc.SQLAlchemyError) as error:
        return jsonify(ok=False, problems=[type(error).__name__]), 503
    return jsonify(ok=True), 200


def _forged(context: Context) -> int | None:
    """How many requests without our signature were refused; None while the database does not answer."""
    current_app.extensions["nightbell-forged"].flush()
    try:
        with context.database.reading() as session:
            return receipts.counted(session, FORGED)
    except sa.exc.SQLAlchemyError:
        return None


def _problems(context: Context) -> list[str]:
    try:
        context.policies.current()
        with context.database.reading() as session:
            return [*_of_processes(context, session), *_of_work(context, session)]
    except NoPolicy as error:
        return [str(error)]
    except PolicyError as error:
        return [f"the policy cannot be read any more: {error}"]
    except sa.exc.SQLAlchemyError:
        return ["the database does not answer"]


def _of_processes(context: Context, session: Session) -> Iterator[str]:
    now, settings = context.clock.now(), context.settings

    def is_silent(kind: str, patience: timedelta) -> bool:
        beat = last_beat(session, kind)
        return beat is None or now - beat > patience

    if is_silent(WORKER, _ALIVE):
        yield "no worker is running: nobody would be rung"
    if settings.takes_mail_in and is_silent(MAIL, _ALIVE):
        yield "no mail process is running: mail waits at its sender"
    for number in range(1, len(settings.mailboxes) + 1):
        if is_silent(mailbox_kind(number), _MAILBOX_READ):
            yield f"mailbox {number} is not being read; the log of the mail process says why"


def _of_work(context: Context, session: Session) -> Iterator[str]:
    if nothing_leaves(session, context.clock.now()):
        yield "no mail has left for 15 minutes, and some waits; is NIGHTBELL_SMTP_URL right?"
    dead = due.how_many_dead(session)
    if dead:
        yield f"{dead} pieces of due work failed for good; see: nightbell due"
