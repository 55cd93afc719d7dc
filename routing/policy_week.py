"""Who would be rung, before and after a change of the policy: as intervals, exact to the instant.

Pure, and without a loop over minutes. What :func:`routing.coverage.decide` answers for a voicemail depends on the
time only through the desk being open; whom an escalation rings depends on it only through the schedule. So the
answers are asked once between each two neighbouring boundaries of calendars, schedules and contracts.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any

from core import phone_numbers
from routing.business_hours import BusinessCalendar
from routing.business_hours.wall_clock import local_to_utc
from routing.coverage import Consent, ContactFacts, Outcome, decide
from routing.escalation import people_at, schedules_in
from routing.oncall import Schedule
from routing.oncall.timeline import from_layers, timeline
from routing.policy import Policy
from routing.policy_contacts import STRANGER, Contact, Terms, contacts


@dataclass(frozen=True)
class Answer:
    """What happens first: ``how`` is ``rung``, ``texted``, ``team``, ``nobody`` or ``no line``."""

    how: str
    people: tuple[str, ...] = ()

    def __str__(self) -> str:
        names = " and ".join(self.people)
        words = {"rung": names, "texted": f"nobody rung, {names} texted", "team": f"the team first ({names})"}
        return words.get(self.how, self.how)


@dataclass(frozen=True)
class Stretch:
    """From ``start`` to ``end`` (UTC) a contact is answered differently."""

    start: datetime
    end: datetime
    before: Answer
    after: Answer


def week(
    before: Policy, after: Policy, start: datetime, end: datetime
) -> list[tuple[Contact, list[Stretch]]]:
    """Every kind of contact for which somebody else is rung first at some time, with these times, in order."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    sides = Side(before, start, end), Side(after, start, end)
    found = [(contact, list(differences(contact, *sides))) for contact in contacts(before, after)]
    return [(contact, stretches) for contact, stretches in found if stretches]


def differences(contact: Contact, before: Side, after: Side) -> Iterator[Stretch]:
    """The stretches in which two sides answer ``contact`` differently; neighbours that are alike are one."""
    cuts = sorted(
        {*before.boundaries(contact, contact.before), *after.boundaries(contact, contact.after)}
        | {before.start, before.end}
    )
    held: Stretch | None = None
    for start, end in pairwise(cuts):
        old, new = before.answer(contact, contact.before, start), after.answer(contact, contact.after, start)
        if held is not None and (held.before, held.after) == (old, new):
            held = replace(held, end=end)
            continue
        if held is not None and held.before != held.after:
            yield held
        held = Stretch(start, end, old, new)
    if held is not None and held.before != held.after:
        yield held


class Side:
    """A policy from ``start`` to ``end``, with what was asked of it before."""

    def __init__(self, policy: Policy, start: datetime, end: datetime) -> None:
        self.policy, self.start, self.end = policy, start, end
        self._open: dict[str, list[tuple[datetime, datetime]]] = {}
        self._duty: dict[str, list[datetime]] = {}
        self._first: dict[tuple[str, datetime], tuple[str, ...]] = {}
        self._outcomes: dict[tuple[Any, ...], tuple[Outcome, int]] = {}

    def boundaries(self, contact: Contact, terms: Terms) -> Iterator[datetime]:
        """The instants inside at which the answer may change."""
        service = self.policy.services.get(contact.service)
        if service is None:
            return
        for period in self._open_periods(service.calendar):
            yield from self._inside(period)
        for escalation in service.escalations:
            yield from self._inside(self._duty_of(escalation))
        zone = self.policy.calendars[service.calendar].zone
        ended = terms.ends + timedelta(days=1) if terms.ends else None
        yield from self._inside(local_to_utc(day, time(), zone) for day in (terms.starts, ended) if day)

    def answer(self, contact: Contact, terms: Terms, at: datetime) -> Answer:
        """What happens first to ``contact`` at an instant."""
        service = self.policy.services.get(contact.service)
        line = self.policy.lines.get(contact.line) if contact.line else None
        if service is None or (contact.line and (line is None or line.service != contact.service)):
            return Answer("no line")
        calendar = self.policy.calendars[service.calendar]
        is_open = self._is_open(service.calendar, at)
        if is_open and line is not None and line.team:
            return Answer("team", tuple(self._called(number) for number in line.team))
        now = terms.on(at.astimezone(calendar.zone).date())
        if now.tier is not None and now.tier not in self.policy.tiers:
            now = Terms()
        outcome, priority = self._outcome(contact, now, at, is_open)
        escalation = self.policy.escalation_of(contact.service, priority)
        if outcome is Outcome.WAIT or escalation is None:
            return Answer("nobody")
        people = self._first_of(escalation, at)
        return Answer("rung" if outcome is Outcome.PAGE else "texted", people)

    def facts(self, contact: Contact, terms: Terms, at: datetime) -> ContactFacts:
        """The contact as :func:`decide` takes it: a voicemail, with the answers that its caller gives."""
        known = terms.known and contact.who != STRANGER
        return ContactFacts(
            at=at,
            channel="phone" if contact.line else "alert",
            service=contact.service,
            line=contact.line,
            customer=contact.who if known else None,
            identified_by="number" if known else None,
            tier=terms.tier,
            priority=contact.priority,
            voicemail=True,
            consent=_consent(terms, contact) if contact.accepted is not None and terms.tier else None,
        )

    def _outcome(self, contact: Contact, terms: Terms, at: datetime, is_open: bool) -> tuple[Outcome, int]:
        key = (
            contact.service,
            contact.line,
            contact.priority,
            contact.accepted,
            terms,
            contact.who == STRANGER,
        )
        found = self._outcomes.get((*key, is_open))
        if found is None:
            decision = decide(self.facts(contact, terms, at), self.policy)
            found = decision.outcome, decision.priority
            self._outcomes[(*key, is_open)] = found
        return found

    def _first_of(self, escalation: str, at: datetime) -> tuple[str, ...]:
        # Between two boundaries of the duty it is the same people.
        cuts = self._duty_of(escalation)
        place = bisect_right(cuts, at)
        moment = max(cuts[place - 1], self.start) if place else self.start
        found = self._first.get((escalation, moment))
        if found is None:
            keys = people_at(self.policy, self.policy.escalations[escalation], 0, moment)
            found = self._first[escalation, moment] = tuple(self._name(key) for key in keys)
        return found

    def _name(self, key: str) -> str:
        person = self.policy.people.get(key)
        return person.name if person else key

    def _called(self, number: str) -> str:
        return self._by_phone.get(number) or (number if ":" in number else phone_numbers.shown(number))

    @cached_property
    def _by_phone(self) -> dict[str, str]:
        return {person.phone: person.name for person in self.policy.people.values()}

    def _is_open(self, calendar: str, at: datetime) -> bool:
        periods = self._open_periods(calendar)
        place = bisect_right(periods, (at, datetime.max.replace(tzinfo=UTC)))
        return place > 0 and at < periods[place - 1][1]

    def _open_periods(self, calendar: str) -> list[tuple[datetime, datetime]]:
        if calendar not in self._open:
            known: BusinessCalendar = self.policy.calendars[calendar]
            self._open[calendar] = list(known.open_windows(self.start, self.end))
        return self._open[calendar]

    def _duty_of(self, escalation: str) -> list[datetime]:
        if escalation not in self._duty:
            found = {
                cut
                for key in schedules_in(self.policy.escalations[escalation])
                for cut in duty_boundaries(self.policy.schedules[key], self.start, self.end)
            }
            self._duty[escalation] = sorted(found)
        return self._duty[escalation]

    def _inside(self, instants: Iterable[datetime]) -> Iterator[datetime]:
        return (instant for instant in instants if self.start < instant < self.end)


def duty_boundaries(schedule: Schedule, start: datetime, end: datetime) -> set[datetime]:
    """The instants at which the person on call, or the order of those who follow, may change."""
    found = {segment.start for segment in timeline(schedule, start, end)}
    found |= {segment.start for segment in from_layers(schedule, start, end)}
    swapped = [override for swap in schedule.swaps for override in swap.overrides]
    for override in (*schedule.overrides, *swapped):
        found |= {override.start, override.end}
    for absence in schedule.absences:
        found |= {absence.start, absence.end}
    return found


def _consent(terms: Terms, contact: Contact) -> Consent:
    fixed = {"beforehand": Consent.BEFOREHAND, "never": Consent.NEVER}.get(terms.consent)
    return fixed or (Consent.ACCEPTED if contact.accepted else Consent.REFUSED)
