"""Voicemail: the trigger of an urgent case, exactly once, in whatever order the callbacks arrive.

A recording is heard of twice: by the request that follows its end (``announced``) and by the recording callback
(``completed`` or ``absent``). Either may come first, late, twice or never. The case is opened when the caller has
sent the message: by a key, by hanging up, or by the recording being final while nobody reviews it. Messages that
are silent or too short become near misses: kept and listed, nobody is rung.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import due
from core.audio import NotAudio
from core.models import Case, Customer, Recording, RecordingState, record
from intake.cases import Intake, add_to_case, contact_name, open_case
from intake.phone.models import Call
from intake.phone.states import State
from routing.context import Context
from routing.coverage import Consent, ContactFacts, decide
from routing.decisions import keep_decision
from routing.policies import CurrentPolicy

FETCH, SETTLE = "audio.fetch", "voicemail.settle"
_MEDIA_MAY_TAKE = timedelta(seconds=5)
_REVIEW_MAY_TAKE = timedelta(seconds=25)
_USABLE = (RecordingState.ANNOUNCED, RecordingState.COMPLETED, RecordingState.REFUSED)


def announce(session: Session, context: Context, call: Call, form: Mapping[str, str]) -> None:
    """Take in the recording that a request of the call brings (``RecordingSid``, ``RecordingUrl``)."""
    recording = _recording(session, context, form, call.sid)
    if recording is None:
        return
    now = context.clock.now()
    if recording.storage_key is None and recording.state == RecordingState.ANNOUNCED:
        due.enqueue(session, FETCH, _subject(recording), now + _MEDIA_MAY_TAKE, recording=recording.sid)
    if form.get("Digits") != "hangup":
        # The caller reviews the message. If nothing more is ever heard of the call, it counts as sent.
        settle_later(session, call, now, recording)


def settle(session: Session, context: Context, call: Call, form: Mapping[str, str]) -> None:
    """Take in the recording callback: the final word on a recording. ``call`` is locked."""
    heard_before = session.get(Recording, form.get("RecordingSid", "")) is not None
    recording = _recording(session, context, form, call.sid)
    if recording is None:
        return
    now = context.clock.now()
    recording.duration_s = _seconds(form) if _seconds(form) is not None else recording.duration_s
    recording.error_code = form.get("ErrorCode", "")[:10] or None
    if form.get("RecordingStatus") == "absent" or _too_short(context, call, recording):
        recording.state = RecordingState.NEAR_MISS
        record(
            session, "voicemail.near-miss", now, call_sid=call.sid, error=recording.error_code,
            seconds=recording.duration_s,
        )  # fmt: skip
    elif recording.state == RecordingState.ANNOUNCED:
        recording.state = RecordingState.COMPLETED
        if recording.storage_key is None:
            due.cancel(session, _subject(recording), (FETCH,))
            due.enqueue(session, FETCH, _subject(recording), now, recording=recording.sid)
    session.flush()
    if call.sent:
        _attach(session, call, [recording])
    elif not _is_on_the_line(call) or (recording.state != RecordingState.NEAR_MISS and not heard_before):
        send(session, context, call)
    elif call.state == State.REVIEW:
        settle_later(session, call, now, recording)
    # Else the caller goes on: records again after a silence, or because the message was not good enough.


def gone_while_recording(session: Session, context: Context, call: Call) -> None:
    """The caller hung up. That callback may overtake what is said of the recording, if anything was recorded."""
    if messages_of(session, context, call):
        send(session, context, call)
    else:
        settle_later(session, call, context.clock.now())


def settle_later(session: Session, call: Call, now: datetime, recording: Recording | None = None) -> None:
    """Look at the call once more when the caller should have sent ``recording``, or its callback have come."""
    sid = recording.sid if recording else None
    due.enqueue(session, SETTLE, f"call:{call.sid}", now + _REVIEW_MAY_TAKE, call=call.sid, recording=sid)


def send(session: Session, context: Context, call: Call) -> None:
    """The caller has sent what was recorded: open the case, or add to the open one. Nothing happens twice."""
    if call.sent:
        return
    usable = messages_of(session, context, call)
    if not usable:
        note_near_miss(session, context, call)
        return
    call.sent, call.near_miss = True, False
    current = CurrentPolicy(call.policy_version, context.policies.version(call.policy_version))
    if call.adding and call.open_case_id is not None:
        case = session.get_one(Case, call.open_case_id)
        add_to_case(session, context, case, _body(usable), current, contact_at=call.started_at)
    else:
        case = open_case(session, context, _intake(session, call, current, usable), current)
    call.case_id = case.id
    due.cancel(session, f"call:{call.sid}", (SETTLE,))
    _attach(session, call, usable)


def note_near_miss(session: Session, context: Context, call: Call) -> None:
    """The call has ended without a message: nobody is rung, the call is listed with its decision."""
    if call.near_miss or call.sent or call.case_id is not None:
        return
    call.near_miss = True
    now = context.clock.now()
    policy = context.policies.version(call.policy_version)
    facts = contact_facts(session, call, policy.lines[call.line].service, voicemail=False)
    keep_decision(session, decide(facts, policy), facts, call.policy_version, now, call_sid=call.sid)
    record(session, "call.near-miss", now, call_sid=call.sid)


def contact_facts(session: Session, call: Call, service: str, *, voicemail: bool) -> ContactFacts:
    """The facts of a call as decisions take them."""
    customer = session.get(Customer, call.customer_id) if call.customer_id is not None else None
    return ContactFacts(
        at=call.started_at,
        channel="phone",
        service=service,
        line=call.line,
        customer=customer.name if customer else None,
        customer_key=customer.key if customer else None,
        identified_by=call.identified_by,
        tier=call.tier,
        priority=call.priority,
        priority_assumed=call.priority_assumed,
        voicemail=voicemail,
        consent=Consent(call.consent) if call.consent else None,
        taken_by=call.taken_by,
        stir=call.stir,
    )


def recordings_of(session: Session, call: Call) -> Sequence[Recording]:
    """The recordings of a call, the earliest first."""
    return session.scalars(
        sa.select(Recording)
        .where(Recording.call_sid == call.sid)
        .order_by(Recording.received_at, Recording.sid)
    ).all()


def note_transcript(session: Session, context: Context, sid: str, text: str) -> None:
    """Keep what the telephone company understood; nothing ever waits for it."""
    recording = session.get(Recording, sid)
    if recording is None or not text.strip():
        return
    recording.transcript = text.strip()
    record(
        session, "voicemail.transcribed", context.clock.now(), case_id=recording.case_id,
        call_sid=recording.call_sid,
    )  # fmt: skip


def fetch_audio(context: Context, claim: due.Claim) -> None:
    """Due work: bring a recording's audio home, prove that it is audio, and keep it."""
    sid = claim.payload["recording"]
    audio = context.telephony.recording_media(sid)
    try:
        stored = context.audio.put(f"recordings/{sid}.wav", audio)
    except NotAudio as error:
        raise due.TryAgain(f"recording {sid}: {error}") from error
    now = context.clock.now()
    with due.finishing(context.database, claim) as session:
        recording = session.get_one(Recording, sid, with_for_update=True)
        recording.storage_key, recording.sha256 = stored.key, stored.sha256
        recording.size_bytes, recording.fetched_at = stored.size_bytes, now
        record(
            session, "voicemail.stored", now, case_id=recording.case_id, call_sid=recording.call_sid,
            bytes=stored.size_bytes, sha256=stored.sha256,
        )  # fmt: skip


def settle_unreviewed(context: Context, claim: due.Claim) -> None:
    """Due work: the caller should long have sent or repeated the message; count it as sent."""
    with context.database.writing() as session:
        call = session.get_one(Call, claim.payload["call"], with_for_update=True)
        # Finished first: sending cancels what else would look at the call again.
        if not due.finish(session, claim):
            raise due.LeaseLost(claim.subject)
        latest = [recording.sid for recording in recordings_of(session, call)][-1:]
        reviewed = call.state == State.REVIEW and latest == [claim.payload["recording"]]
        if reviewed or not _is_on_the_line(call):
            send(session, context, call)


def _is_on_the_line(call: Call) -> bool:
    """Whether the call's own steps will still decide what becomes of a message."""
    return call.ended_at is None and call.state != State.ENDED


def messages_of(session: Session, context: Context, call: Call) -> list[Recording]:
    """The recordings of a call that are messages, the earliest first."""
    recorded = recordings_of(session, call)
    return [r for r in recorded if r.state in _USABLE and not _too_short(context, call, r)]


def _recording(
    session: Session, context: Context, form: Mapping[str, str], call_sid: str
) -> Recording | None:
    """The row of the recording that ``form`` speaks of, made at the first mention."""
    sid = form.get("RecordingSid") or form.get("RecordingUrl", "").rpartition("/")[2]
    if not sid.startswith("RE"):
        return None
    known = session.get(Recording, sid, with_for_update=True)
    if known is not None:
        return known
    now = context.clock.now()
    url = form.get("RecordingUrl", "")
    refused = bool(url) and not context.telephony.is_our_api(url)
    recording = Recording(
        sid=sid, call_sid=call_sid, duration_s=_seconds(form), received_at=now,
        state=RecordingState.REFUSED if refused else RecordingState.ANNOUNCED,
    )  # fmt: skip
    session.add(recording)
    session.flush()
    record(session, "voicemail.heard-of", now, call_sid=call_sid, seconds=recording.duration_s)
    if refused:
        record(session, "voicemail.refused", now, call_sid=call_sid, why="its address is not the API's host")
    return recording


def _attach(session: Session, call: Call, recordings: Sequence[Recording]) -> None:
    for recording in recordings:
        recording.case_id = call.case_id


def _intake(session: Session, call: Call, current: CurrentPolicy, recordings: Sequence[Recording]) -> Intake:
    line = current.policy.lines[call.line]
    service = current.policy.services[line.service]
    calendar = current.policy.calendar_of(line.service)
    if call.priority is None and service.consent is None and not calendar.is_open(call.started_at):
        # A message that came past the menu: it may be the worst night of the year.
        call.priority, call.priority_assumed = line.unchosen_priority, True
    facts = contact_facts(session, call, line.service, voicemail=True)
    who = [contact_name(session, call.contact_id), facts.customer]
    return Intake(
        origin=f"call:{call.sid}",
        facts=facts,
        title="Voicemail from " + (", ".join(name for name in who if name) or "an unknown caller"),
        body=_body(recordings),
        customer_id=call.customer_id,
        contact_id=call.contact_id,
        from_number=call.from_number,
        callback_number=call.callback_number,
        consented_at=call.consented_at,
        call_sid=call.sid,
        on_the_line=_is_on_the_line(call),
    )


def _body(recordings: Sequence[Recording]) -> str:
    seconds = recordings[-1].duration_s
    return "Voicemail" + (f" of {seconds} seconds" if seconds else "")


def _too_short(context: Context, call: Call, recording: Recording) -> bool:
    least = context.policies.version(call.policy_version).lines[call.line].min_voicemail_s
    return recording.duration_s is not None and recording.duration_s < least


def _seconds(form: Mapping[str, str]) -> int | None:
    text = form.get("RecordingDuration", "")
    return int(text) if text.isdigit() else None


def _subject(recording: Recording) -> str:
    return f"recording:{recording.sid}"
