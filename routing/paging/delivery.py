"""Sending attempts: each is written down before it goes out, and looked at once more right before.

An attempt is written as ``sending`` before the request goes out. A worker that dies in between leaves it so; the
one that takes over first asks the telephone company whether the attempt happened, and sends again only if not:
at least once, never a storm. Other channels cannot be asked; what they send twice carries the same identifier.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa

from core import due
from core.errors import ChannelError
from core.models import Case, record
from routing.context import Context
from routing.correspondence.notes import answerable
from routing.drills.content import outgoing_of
from routing.paging import gathering, rows, steps, throttle
from routing.paging.channels import CHANNELS, Outgoing
from routing.paging.content import page_values
from routing.paging.models import Attempt, AttemptState, Purpose
from routing.paging.reach import QUIET
from routing.paging.sending import entries_of
from routing.paging.states import PageState
from routing.policy import Policy
from routing.wording import other_cases

AFTER_RINGING = timedelta(seconds=30)
_CLOCK_SKEW = timedelta(seconds=30)
_HIDDEN = "(address)"


def send(context: Context, claim: due.Claim) -> None:
    """Due work: make the call or send the message of one attempt."""
    outgoing, unsure = _prepare(context, claim)
    if outgoing is None:
        return
    try:
        sid = (_already_sent(context, outgoing) if unsure else None) or _send(context, outgoing)
    except ChannelError as error:
        # What reports back has a step, or an alarm, waiting for it; a mail or a chat is given up in the end.
        last_try = claim.attempts >= due.MAX_ATTEMPTS and not CHANNELS[outgoing.channel].reports_back
        if not error.permanent and not last_try:
            raise
        _give_up(context, claim, str(error))
        return
    try:
        _note_sent(context, claim, outgoing, sid)
    except due.LeaseLost:
        _end_if_not_needed(context, outgoing, sid)
        raise


def _send(context: Context, outgoing: Outgoing) -> str | None:
    try:
        return CHANNELS[outgoing.channel].send(context, outgoing)
    except ChannelError as error:
        # A mail server repeats the recipient in its refusal.
        said = str(error).replace(outgoing.to, _HIDDEN)
        raise ChannelError(said, permanent=error.permanent) from None


def _end_if_not_needed(context: Context, outgoing: Outgoing, sid: str | None) -> None:
    """Somebody accepted while this call was being placed: its phone need not ring on."""
    if not CHANNELS[outgoing.channel].rings:
        return
    with context.database.writing() as session:
        if not _is_wanted(locked_attempt(session, outgoing.id)):
            due.enqueue(session, rows.HANG_UP, f"attempt:{outgoing.id}", context.clock.now(), sid=sid)


def _note_sent(context: Context, claim: due.Claim, outgoing: Outgoing, sid: str | None) -> None:
    channel = CHANNELS[outgoing.channel]
    with due.finishing(context.database, claim) as session:
        attempt = session.get_one(Attempt, outgoing.id, with_for_update=True)
        attempt.provider_sid = sid
        if attempt.state == AttemptState.SENDING:
            attempt.state = AttemptState.SENT if channel.reports_back else AttemptState.DELIVERED
        now = context.clock.now()
        kind = kind_of(attempt, f"{attempt.channel}-sent" if channel.reports_back else "told")
        record(
            session, kind, now, case_id=attempt.case_id, person=attempt.person_key, channel=attempt.channel,
            purpose=attempt.purpose, attempt=attempt.id,
        )  # fmt: skip
        if channel.rings:
            due.enqueue(
                session, rows.CHECK, f"attempt:{attempt.id}", now + _ring_time(context, outgoing),
                attempt=attempt.id,
            )  # fmt: skip


def _prepare(context: Context, claim: due.Claim) -> tuple[Outgoing | None, bool]:
    """Look at the page once more, write the attempt down as ``sending``; what to send, if it still must be.

    The second value says whether an earlier try may have gone out already.
    """
    now = context.clock.now()
    with context.database.writing() as session:
        if not due.holds(session, claim):
            raise due.LeaseLost(claim.subject)
        attempt = locked_attempt(session, claim.payload["attempt"])
        page = attempt.page
        # A step that has been passed over is not sent any more: after an outage it would be one of many.
        passed = page is not None and "until" in claim.payload and attempt.position < page.position
        over = passed or not _is_wanted(attempt)
        if over or AttemptState(attempt.state) not in (AttemptState.QUEUED, AttemptState.SENDING):
            if over and attempt.provider_sid is None:
                attempt.state = AttemptState.CANCELLED
            due.finish(session, claim)
            return None, False
        version = page.policy_version if page else None
        policy = context.policies.version(version) if version else context.policies.current().policy
        unsure = attempt.state == AttemptState.SENDING
        if not unsure and not throttle.may_go_out(session, claim, attempt, policy.limits, now):
            if not attempt.is_live:
                steps.failed(session, context, attempt)
            return None, False
        attempt.state = AttemptState.SENDING
        attempt.sent_at = attempt.sent_at or now
        return _outgoing(session, context, attempt, policy, attempt.sent_at, now), unsure


def kind_of(attempt: Attempt, name: str) -> str:
    """The kind of an event about an attempt: what other systems do about pages they must not do about drills."""
    return f"{'drill' if attempt.drill_id else 'page'}.{name}"


def _is_wanted(attempt: Attempt) -> bool:
    """Whether the page still rings; of a reminder: whether its person still has the case, unanswered."""
    page, case = attempt.page, attempt.case
    if page is None or attempt.purpose in QUIET:
        return True
    if attempt.purpose != Purpose.REMIND:
        return page.state == PageState.RINGING
    has_it = page.is_had and page.acknowledged_by == attempt.person_key
    return has_it and case.responded_at is None and case.closed_at is None


def _outgoing(
    session: sa.orm.Session,
    context: Context,
    attempt: Attempt,
    policy: Policy,
    since: datetime,
    now: datetime,
) -> Outgoing:
    person = entries_of(context, policy).get(attempt.person_key)
    method = person.methods.get(attempt.method) if person else None
    secret = method.secret if method else ""
    if attempt.drill_id is not None:
        return outgoing_of(session, attempt, policy, since, secret)
    case, line, page = attempt.case, attempt.case.line, attempt.page
    values = page_values(session, case, policy, context.links, now, page, attempt.person_key)
    values["others"] = values["others"] or other_cases(gathering.others(session, attempt))
    # A second try says the same: it is known by its words, and the minutes left would differ.
    attempt.text = attempt.text or policy.say(f"sms_{attempt.purpose}", line, **values).text
    loud = attempt.purpose == Purpose.LOUD
    title = policy.say("note_title_loud" if loud else "note_title", line, **values).text
    note = policy.say(_note_for(attempt), line, **values, said=attempt.text).text
    by_mail = answerable(session, context, attempt, since) if attempt.channel == "mail" else None
    if by_mail is None:
        note = f"{note}\n{policy.say('note_no_answer', line).text}"
    return Outgoing(
        attempt.id, attempt.channel, attempt.address, attempt.from_number, attempt.text,
        ring_s=policy.escalations[page.escalation].ring_s if page else 30, since=since, title=title, note=note,
        facts=_facts(case, attempt, values), secret=secret, answerable=by_mail,
    )  # fmt: skip


def _note_for(attempt: Attempt) -> str:
    """The name of the sentence that mail and chat get."""
    if attempt.purpose == Purpose.REMIND:
        return "note_remind"
    return "note_quiet" if attempt.purpose in QUIET else "note_urgent"


def _facts(case: Case, attempt: Attempt, values: Mapping[str, object]) -> dict[str, object]:
    """The page for machines."""
    return {
        "purpose": attempt.purpose, "person": attempt.person_key, "case": case.id,
        "customer": case.customer.name if case.customer else None, "tier": case.tier, "priority": case.priority,
        "due_at": case.due_at.isoformat() if case.due_at else None, "responded": case.responded_at is not None,
        "callback": case.callable_number, "title": case.title, "link": values["link"],
    }  # fmt: skip


def _already_sent(context: Context, outgoing: Outgoing) -> str | None:
    """The SID under which an earlier try of this attempt went out, if it did."""
    found = CHANNELS[outgoing.channel].sent_since(context, outgoing, outgoing.since - _CLOCK_SKEW)
    with context.database.reading() as session:
        known = set(session.scalars(sa.select(Attempt.provider_sid).where(Attempt.provider_sid.in_(found))))
    return next((sid for sid in found if sid not in known), None)


def _give_up(context: Context, claim: due.Claim, error: str) -> None:
    with due.finishing(context.database, claim) as session:
        attempt = locked_attempt(session, claim.payload["attempt"])
        attempt.state, attempt.error = AttemptState.FAILED, error[:200]
        record(
            session, kind_of(attempt, "not-sent"), context.clock.now(), case_id=attempt.case_id,
            person=attempt.person_key, channel=attempt.channel, error=error,
        )  # fmt: skip
        _cancel_repeats(session, attempt)
        steps.failed(session, context, attempt)


def _cancel_repeats(session: sa.orm.Session, attempt: Attempt) -> None:
    """What cannot be sent now cannot be sent in two minutes either: the step does not wait for it."""
    session.execute(
        sa.update(Attempt)
        .where(
            Attempt.page_id == attempt.page_id, Attempt.position == attempt.position,
            Attempt.channel == attempt.channel, Attempt.address == attempt.address,
            Attempt.state == AttemptState.QUEUED,
        )
        .values(state=AttemptState.CANCELLED)
        .execution_options(synchronize_session=False)
    )  # fmt: skip


def _ring_time(context: Context, outgoing: Outgoing) -> timedelta:
    return timedelta(seconds=outgoing.ring_s) + AFTER_RINGING


def locked_attempt(session: sa.orm.Session, attempt_id: int) -> Attempt:
    """The attempt, locked; its page has been locked first."""
    page_id = session.scalar(sa.select(Attempt.page_id).where(Attempt.id == attempt_id))
    if page_id is not None:
        rows.locked_page(session, page_id)
    return session.get_one(Attempt, attempt_id, with_for_update=True, populate_existing=True)
