"""Who is sent what, and when: the attempts of a step, and quiet messages. What goes out is ``delivery``'s work."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import due
from core.models import Case, Person, record
from core.straight import write
from routing import escalation
from routing.context import Context
from routing.paging import reach, throttle
from routing.paging.menu import Menu
from routing.paging.models import Attempt, Page, Purpose
from routing.paging.pacing import Chosen, spread
from routing.paging.rows import SEND, VOICE
from routing.policy import Policy
from routing.policy_parts import PersonEntry
from routing.rosters.changes import schedules_of

_A_DAY = timedelta(days=1)
_NAMED = sa.select(Person.key).where(Person.key.in_(sa.bindparam("keys", expanding=True)))

log = logging.getLogger(__name__)


def ring_step(
    session: Session,
    context: Context,
    page: Page,
    keys: Sequence[str],
    purpose: Purpose,
    wait: timedelta,
    now: datetime,
) -> bool:
    """Write everything that a step of ``page`` plans for the people with these ``keys``; whether a phone is called.

    The page's policy says who is rung; how they are reached is what is known of them today. Whoever has no
    verified phone is told by other means, if there are any. Where the whole escalation has nobody to ring, or its
    repeated last step, unverified numbers are rung rather than nobody.
    """
    policy = context.policies.version(page.policy_version)
    entries = entries_of(context, policy)
    known = [key for key in keys if key in entries]
    desperate = not any(reach.can_be_rung(entries[key]) for key in known) and (
        escalation.is_repeat(policy.escalations[page.escalation], page.position)
        or not any(
            reach.can_be_rung(entries[key])
            for key in _everybody(session, policy, page, now)
            if key in entries
        )
    )
    if desperate:
        log.critical(
            "nobody to be rung for case %s has a verified phone: unverified numbers are called", page.case_id
        )
        record(session, "page.unverified-rung", now, case_id=page.case_id, people=known)
    people = _people(session, known)
    plans = {key: reach.plan(entries[key], purpose, wait, even_unverified=desperate) for key in people}
    chosen = _chosen(session, policy, page, plans.values(), now) if purpose is Purpose.LOUD else None
    rung = False
    for person in people:
        contacts = plans[person]
        loud = reach.is_loud(contacts)
        if not loud:
            _note_unreachable(session, page.case, person, contacts, now)
        rung = rung or loud
        # A step that rings nobody is over at once; who is told of it otherwise is still told.
        until = now + wait if loud else None
        _write(
            session, page.case, policy, person, contacts, purpose, now, page=page, until=until, chosen=chosen
        )
    return rung


def _chosen(
    session: Session, policy: Policy, page: Page, plans: Iterable[Sequence[reach.Planned]], now: datetime
) -> Chosen:
    """The phones that a repeat of the last step calls; too much for one, rather than silence."""
    numbers = {c.address for contacts in plans for c in contacts if c.channel == VOICE}
    every = timedelta(seconds=policy.escalations[page.escalation].repeat_s)
    sent = throttle.calls_of(session, numbers, now)
    chosen = spread(sent, policy.limits.calls_per_15_min, every, now)
    if chosen.over_limit:
        log.critical(
            "nobody has accepted case %s, and every phone has been called as often as carriers tolerate: "
            "one is called all the same; add people to the escalation",
            page.case_id,
        )
        record(session, "page.over-limit", now, case_id=page.case_id, position=page.position)
    return chosen


def remind(session: Session, context: Context, page: Page, wait: timedelta, now: datetime) -> None:
    """Ring whoever has accepted ``page`` again, by their rules, within ``wait``."""
    policy = context.policies.version(page.policy_version)
    entries = entries_of(context, policy)
    for person in _people(session, [key for key in entries if key == page.acknowledged_by]):
        contacts = reach.plan(entries[person], Purpose.REMIND, wait)
        if not reach.is_loud(contacts):
            _note_unreachable(session, page.case, person, contacts, now)
        until = now + wait
        _write(session, page.case, policy, person, contacts, Purpose.REMIND, now, page=page, until=until)


def tell(
    session: Session,
    case: Case,
    policy: Policy,
    keys: Iterable[str],
    purpose: Purpose,
    now: datetime,
    *,
    page: Page | None = None,
) -> None:
    """Send these people a quiet message about ``case`` (of ``page``); at unverified numbers rather than nobody."""
    people = _people(session, [key for key in keys if key in policy.people])
    plans = {person: reach.plan(policy.people[person], purpose, _A_DAY) for person in people}
    if not any(plans.values()):
        for person in people:
            _note_unreachable(session, case, person, (), now)
            plans[person] = reach.plan(policy.people[person], purpose, _A_DAY, even_unverified=True)
    for person in people:
        _write(session, case, policy, person, plans[person], purpose, now, page=page)


def entries_of(context: Context, policy: Policy) -> Mapping[str, PersonEntry]:
    """Everybody by key as the current policy has them; who has left it since, as ``policy`` had them."""
    return {**policy.people, **context.policies.current().policy.people}


def _everybody(session: Session, policy: Policy, page: Page, now: datetime) -> set[str]:
    """Whoever is rung at any step of the page."""
    rule = policy.escalations[page.escalation]
    schedules = schedules_of(session, policy, escalation.schedules_in(rule), now)
    return escalation.everybody(policy, rule, now, schedules)


def _people(session: Session, keys: Sequence[str]) -> list[str]:
    """Those of the keys that somebody has, each once."""
    known = set(session.connection().execute(_NAMED, {"keys": keys}).scalars())
    return [key for key in dict.fromkeys(keys) if key in known]


def _note_unreachable(
    session: Session, case: Case, person: str, contacts: Sequence[reach.Planned], now: datetime
) -> None:
    channels = sorted({contact.channel for contact in contacts})
    record(session, "page.not-reachable", now, case_id=case.id, person=person, told_by=channels)
    log.warning("%s has no verified phone, and is not called for case %s", person, case.id)


def _write(
    session: Session,
    case: Case,
    policy: Policy,
    person: str,
    contacts: Sequence[reach.Planned],
    purpose: Purpose,
    now: datetime,
    *,
    page: Page | None = None,
    until: datetime | None = None,
    chosen: Chosen | None = None,
) -> None:
    """An attempt and its due work for each contact; nothing goes out after ``until``, the step's end.

    Where numbers have been ``chosen``, the others are not called this time.
    """
    for contact in contacts:
        spared = chosen is not None and contact.channel == VOICE and contact.address not in chosen.numbers
        attempt = write(
            session,
            Attempt,
            case_id=case.id,
            page_id=page.id if page else None,
            position=page.position if page else 0,
            person_key=person,
            channel=contact.channel,
            method=contact.method,
            number_of_try=contact.number_of_try,
            # A call says what it has to say by its menu, first ring or last.
            purpose=Purpose.PAGE if purpose is Purpose.LOUD and contact.channel == VOICE else purpose,
            menu=Menu.REMINDER if purpose is Purpose.REMIND else Menu.MENU,
            address=contact.address,
            from_number=_shown_number(case, policy),
            created_at=now,
            planned_for=now + contact.after,
        )
        if spared:
            throttle.note_limited(session, attempt, now)
            continue
        more: dict[str, object] = {"until": until.isoformat()} if until else {}
        if chosen is not None and chosen.over_limit and contact.channel == VOICE:
            more["over_limit"] = True
        due.enqueue(session, SEND, attempt.subject, now + contact.after, attempt=attempt.id, **more)


def _shown_number(case: Case, policy: Policy) -> str:
    """The line's number, so that an engineer's address book knows it; any line's where the case has none."""
    if case.line in policy.lines:
        return policy.lines[case.line].number
    of_service = (line for line in policy.lines.values() if line.service == case.service)
    return next(of_service, next(iter(policy.lines.values()))).number
