"""What the telephone company says of recordings: ready, absent, transcribed."""

from __future__ import annotations

from flask import Response, request
from sqlalchemy.orm import Session

from core import twiml
from core.models import record
from intake import reconcile, voicemail
from intake.phone.calls import locked_call
from webhooks.edge import answer, blueprint, context, received_at

recordings = blueprint("recordings")


@recordings.post("/recording")
def recording() -> Response:
    """The final word on a recording."""
    form = request.form
    sid, call_sid = form.get("RecordingSid", ""), form.get("CallSid", "")

    def work(session: Session) -> str:
        call = locked_call(session, call_sid)
        if call is not None:
            voicemail.settle(session, context(), call, form)
        elif form.get("RecordingStatus") == "absent":
            record(session, "call.near-miss", received_at(), call_sid=call_sid)
        else:
            seconds = int(form["RecordingDuration"]) if form.get("RecordingDuration", "").isdigit() else None
            reconcile.adopt_later(session, sid, call_sid, seconds, received_at())
        return twiml.EMPTY

    return answer(f"{sid or call_sid}:recording:{form.get('RecordingStatus')}", work)


@recordings.post("/transcription")
def transcription() -> Response:
    """What the telephone company understood; an ornament, never waited for."""
    form = request.form

    def work(session: Session) -> str:
        if form.get("TranscriptionStatus") == "completed":
            text = form.get("TranscriptionText", "")
            voicemail.note_transcript(session, context(), form.get("RecordingSid", ""), text)
        return twiml.EMPTY

    return answer(f"{form.get('RecordingSid')}:transcription", work)
