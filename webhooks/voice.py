"""A customer's call: Twilio asks what to do next, and tells how it ended."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Response, request
from sqlalchemy.orm import Session

from core import twiml
from core.telephony import FINAL_CALL_STATUSES
from intake.phone import calls, script
from intake.phone.models import Call
from webhooks import spool
from webhooks.answering import Stale
from webhooks.edge import answer, blueprint, context, incoming, received_at, respond
from webhooks.ringing import rings, trouble

voice = blueprint("voice")


def _trouble() -> str:
    return trouble(context())


@voice.post("/voice")
def ringing() -> Response:
    """A line rings."""
    form = request.form.to_dict()
    if spool.RECEIVED_AT in form and _is_known(form.get("CallSid", "")):
        return _began_before()
    return respond(rings(incoming()))


def _is_known(sid: str) -> bool:
    try:
        with context().database.reading() as session:
            return session.get(Call, sid) is not None
    except sa.exc.SQLAlchemyError:
        return False  # then the request waits on in the spool


def _began_before() -> Response:
    """What comes out of the spool is of a call that has been taken in without it: it tells when that began."""
    sid, at = request.form.get("CallSid", ""), received_at()

    def work(session: Session) -> str:
        calls.began_earlier(session, sid, at)
        return twiml.EMPTY

    return answer(f"{sid}:0", work)


@voice.post("/voice/<int:number>")
def pressed(number: int) -> Response:
    """The caller pressed keys, recorded something, or a colleague's phone was rung."""
    return _step(number, silent=False)


@voice.post("/voice/<int:number>/silence")
def silent(number: int) -> Response:
    """Nothing was recorded."""
    return _step(number, silent=True)


def _step(number: int, *, silent: bool) -> Response:
    sid = request.form.get("CallSid", "")

    def work(session: Session) -> str:
        try:
            return calls.take_step(
                session, context(), sid, number, request.form, silent=silent, at=received_at()
            )
        except calls.StaleStep:
            raise Stale from None

    return answer(f"{sid}:{number}", work, instead=_trouble)


@voice.post("/voice/left")
def left() -> Response:
    """A message was left with the prompt of last resort; its recording callback says so too."""
    return Response(twiml.render((twiml.Hangup(),)), mimetype="text/xml")


@voice.post("/voice/status")
def status() -> Response:
    """How the call ended."""
    form = request.form
    sid, ended = form.get("CallSid", ""), form.get("CallStatus", "")

    def work(session: Session) -> str:
        if ended in FINAL_CALL_STATUSES:
            calls.hung_up(session, context(), sid)
        return twiml.EMPTY

    return answer(f"{sid}:status:{ended}", work)


@voice.post("/whisper/<sid>/<int:index>")
def whisper(sid: str, index: int) -> Response:
    """A colleague answered: say what the call is, and wait for the key that takes it."""

    def work(session: Session) -> str:
        call = session.get(Call, sid)
        if call is None:
            return twiml.render((twiml.Hangup(),))
        policy = context().policies.version(call.policy_version)
        return script.whisper(policy.lines[call.line], sid, index, lambda key: policy.say(key, call.line))

    return answer(f"{sid}:whisper:{index}:{request.form.get('CallSid')}", work)


@voice.post("/whisper/<sid>/<int:index>/key")
def whisper_key(sid: str, index: int) -> Response:
    """A colleague pressed a key, or none: only 1 takes the call."""

    def work(session: Session) -> str:
        if request.form.get("Digits") == "1" and calls.took(session, context(), sid, index):
            return twiml.EMPTY  # the whisper is over: the two are connected
        call = session.get(Call, sid)
        policy = context().policies.current().policy
        say = policy.say("whisper_goodbye", call.line if call else None)
        return twiml.render((say, twiml.Hangup()))

    return answer(f"{sid}:whisper:{index}:{request.form.get('CallSid')}:key", work)
