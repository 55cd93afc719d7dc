"""An engineer's phone: the page call, its keys, its end; texts in and out."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Response, request
from sqlalchemy.orm import Session
from twilio.twiml.messaging_response import MessagingResponse

from core import phone_numbers, twiml
from core.models import record
from intake import texts
from routing.notices import sending
from routing.paging import calls, replies, settling
from webhooks import spool
from webhooks.answering import Stale
from webhooks.edge import PREFIX, answer, blueprint, context, received_at

engineers = blueprint("engineers")


@engineers.post("/page/<int:attempt>/<int:number>")
def page_step(attempt: int, number: int) -> Response:
    """The page call was answered, or a key was pressed in its menu."""
    form = request.values.to_dict()

    def work(session: Session) -> str:
        try:
            return calls.take_step(session, context(), attempt, number, form)
        except calls.StaleStep:
            raise Stale from None

    def one_moment() -> str:
        # The engineer's key waits in the address until the database is back.
        again = urlencode([(key, form[key]) for key in ("Digits", "DialCallStatus") if key in form])
        url = f"{PREFIX}/page/{attempt}/{number}" + (f"?{again}" if again else "")
        return twiml.render((twiml.Pause(3), twiml.Redirect(url)))

    return answer(f"page:{attempt}:{number}", work, instead=one_moment)


@engineers.post("/page/<int:attempt>/status")
def page_status(attempt: int) -> Response:
    """How the page call goes; callbacks come in any order."""
    form = request.form
    sequence = form.get("SequenceNumber", "")

    def work(session: Session) -> str:
        number = int(sequence) if sequence.isdigit() else None
        settling.settle_call(session, context(), attempt, form.get("CallStatus", ""), number)
        return twiml.EMPTY

    return answer(f"{form.get('CallSid')}:status:{sequence or form.get('CallStatus')}", work)


@engineers.post("/page/<int:attempt>/connected")
def customer_leg(attempt: int) -> Response:
    """The customer's phone, called for the engineer, was answered or has ended."""
    form = request.form

    def work(session: Session) -> str:
        if form.get("CallStatus") == "in-progress":
            calls.customer_connected(session, context(), attempt)
        return twiml.EMPTY

    return answer(f"{form.get('CallSid')}:connected:{form.get('CallStatus')}", work)


@engineers.post("/sms")
def text_in() -> Response:
    """A text came: a keyword for the telephone company, an engineer's command, or a customer's words."""
    form = request.form

    def work(session: Session) -> str:
        number = phone_numbers.caller_number(form.get("From", ""))
        at = received_at()
        if number is None:
            record(session, "sms.ignored", at, message=form.get("MessageSid"))
            return twiml.EMPTY
        if texts.is_keyword(session, number, form, at):
            return twiml.EMPTY
        reply = replies.answer(session, context(), number, form.get("Body", ""))
        if reply is None:
            replayed = spool.RECEIVED_AT in form
            reply = texts.take_in(session, context(), number, form, at, heard=not replayed)
        if reply is None:
            return twiml.EMPTY
        response = MessagingResponse()
        response.message(reply)
        return str(response)

    return answer(form.get("MessageSid", ""), work)


@engineers.post("/sms/status")
def text_status() -> Response:
    """What became of a text that we sent."""
    form = request.form
    sid, status = form.get("MessageSid", ""), form.get("MessageStatus", "")
    notice = request.values.get("notice", "")

    def work(session: Session) -> str:
        if notice.isdigit():
            sending.settle(session, context(), int(notice), sid, status, form.get("ErrorCode"))
        settling.settle_text(session, sid, status, form.get("ErrorCode"))
        return twiml.EMPTY

    return answer(f"{sid}:status:{status}", work)
