"""What is legal in a policy and still foolish: nobody on call at Christmas, a phone that was never verified.

Pure: the policy and an instant go in, findings come out. Each has the place in the document that it is about.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from routing.business_hours import BusinessCalendar
from routing.business_hours.errors import CalendarError
from routing.event_kinds import KINDS, is_any
from routing.policy import Policy
from routing.policy_contracts import Mistake
from routing.policy_duty import day_text, escalations, minutes, schedules, some
from routing.policy_mail import mail_findings
from routing.policy_people import people
from routing.policy_prompts import prompt_findings
from routing.policy_words import nearest

_ENDS_SOON = timedelta(days=30)
_A_YEAR = timedelta(days=365)


def findings(policy: Policy, at: datetime) -> list[Mistake]:
    """What somebody should look at, as seen at ``at`` (aware), in the order of the document."""
    found = [
        *_calendars(policy, at),
        *_services(policy),
        *_always_open(policy, at),
        *_tiers(policy),
        *_lines(policy),
        *people(policy),
        *schedules(policy, at),
        *escalations(policy),
        *_customers(policy, at),
        *mail_findings(policy),
        *prompt_findings(policy),
        *_webhooks(policy),
    ]
    order = {name: number for number, name in enumerate(Policy.model_fields)}
    return sorted(found, key=lambda finding: order[str(finding.place[0])])


def _calendars(policy: Policy, at: datetime) -> Iterator[Mistake]:
    used = {service.calendar for service in policy.services.values()}
    used |= {customer.calendar for customer in policy.customers.values() if customer.calendar}
    for customer in policy.customers.values():
        used |= {contract.calendar for contract in customer.contracts.values() if contract.calendar}
    for key in policy.calendars:
        if key not in used:
            yield Mistake(("calendars", key), "nothing uses this calendar")
    usual = Counter(service.calendar for service in policy.services.values()).most_common(1)[0][0]
    for key in sorted(used - {usual}):
        odd = list(_other_holidays(policy.calendars[usual], policy.calendars[key], at))
        if odd:
            words = f"its holidays differ from those of {usual!r}: {some(odd)}"
            yield Mistake(("calendars", key, "holidays"), words)
    for key, calendar in policy.calendars.items():
        try:
            calendar.next_opening(at)
        except CalendarError as error:
            yield Mistake(("calendars", key, "hours"), f"it never opens: {error.sentence}")


def _other_holidays(usual: BusinessCalendar, other: BusinessCalendar, at: datetime) -> Iterator[str]:
    first = at.astimezone(usual.zone).date()
    for number in range(366):
        day = first + timedelta(days=number)
        ours, theirs = usual.is_holiday(day), other.is_holiday(day)
        if (ours is None) != (theirs is None):
            yield f"{day_text(day)} ({ours or theirs}) is one {'there' if ours else 'here'} only"


def _services(policy: Policy) -> Iterator[Mistake]:
    contracted = Counter(name for customer in policy.customers.values() for name in customer.contracts)
    on_the_phone = {line.service for line in policy.lines.values()}
    for key, service in policy.services.items():
        if contracted[key] and key not in on_the_phone and not service.escalations:
            words = (
                f"{contracted[key]} contracts, but no line to call and no escalation: nobody would be told"
            )
            yield Mistake(("services", key), words)
        if contracted[key] and not any(tier.service == key for tier in policy.tiers.values()):
            yield Mistake(("services", key), "it has contracts, but no tier is one of this service")
        if (
            service.consent is not None
            and service.consent.accepted_priority == service.consent.refused_priority
        ):
            words = "accepting the charges and refusing them lead to the same priority"
            yield Mistake(("services", key, "consent"), words)


def _always_open(policy: Policy, at: datetime) -> Iterator[Mistake]:
    """Who is there is not rung: the escalation waits for a closing that never comes."""
    for key, service in policy.services.items():
        calendar = policy.calendars[service.calendar]
        if service.escalations and calendar.elapsed(at, at + _A_YEAR) == _A_YEAR:
            words = f"the calendar {service.calendar!r} never closes: nobody of its escalation is ever rung"
            yield Mistake(("services", key, "calendar"), f"{words}, and a voicemail is a quiet message")


def _webhooks(policy: Policy) -> Iterator[Mistake]:
    for key, hook in policy.webhooks.items():
        for number, wanted in enumerate(hook.events):
            if not is_any(wanted):
                words = f"no event is called {wanted!r}{nearest(wanted, KINDS)}: nothing is told"
                yield Mistake(("webhooks", key, "events", number), words)


def _tiers(policy: Policy) -> Iterator[Mistake]:
    on_the_phone = {line.service for line in policy.lines.values()}
    held = {
        contract.tier for customer in policy.customers.values() for contract in customer.contracts.values()
    }
    for key, tier in policy.tiers.items():
        if key not in held:
            yield Mistake(("tiers", key), "no customer has a contract with this tier: it is never used")
        elif tier.service not in on_the_phone and policy.kind_of(tier.service) == "support":
            words = f"no line leads to its service {tier.service!r}: nobody can reach it by telephone"
            yield Mistake(("tiers", key, "service"), words)
        yield from _order_of_targets(policy, key)


def _order_of_targets(policy: Policy, key: str) -> Iterator[Mistake]:
    """A less urgent priority that is answered sooner than a more urgent one."""
    tier = policy.tiers[key]
    calendar = policy.calendar_of(tier.service)
    before: tuple[int, timedelta] | None = None
    for priority in sorted(tier.targets):
        target = tier.targets[priority].target
        try:
            length = target.length(calendar)
        except CalendarError:
            continue
        if before is not None and length < before[1]:
            words = f"priority {priority} is answered sooner than priority {before[0]}, which is more urgent"
            yield Mistake(("tiers", key, "targets", priority, "respond"), words)
        before = (priority, length)


def _lines(policy: Policy) -> Iterator[Mistake]:
    own = policy.line_by_number
    for key, line in policy.lines.items():
        for number, phone in enumerate(line.team):
            if phone in own:
                words = (
                    f"it rings the line {own[phone]!r}, which rings back: a call would go round in circles"
                )
                yield Mistake(("lines", key, "team", number), words)
        if len(set(line.team)) < len(line.team):
            yield Mistake(("lines", key, "team"), "the same number is rung twice")


def _customers(policy: Policy, at: datetime) -> Iterator[Mistake]:
    for key, customer in policy.customers.items():
        if not customer.contracts:
            yield Mistake(("customers", key), f"{customer.name} has no contract: nothing is promised")
        for service, contract in customer.contracts.items():
            today = at.astimezone(policy.calendar_of(service).zone).date()
            place = ("customers", key, "contracts", service, "ends")
            name = f"{customer.name}'s contract for {policy.services[service].name}"
            if contract.ends is not None and contract.ends < today:
                yield Mistake(place, f"{name} ended on {day_text(contract.ends)}")
            elif contract.ends is not None and contract.ends <= today + _ENDS_SOON:
                yield Mistake(place, f"{name} ends on {day_text(contract.ends)}")
            yield from _own_calendar(policy, key, service, at)
    yield from _shared_numbers(policy)


def _own_calendar(policy: Policy, key: str, service: str, at: datetime) -> Iterator[Mistake]:
    """A promise that runs while nobody is at the desk."""
    desk, theirs = policy.calendar_of(service), policy.calendar_of(service, key)
    if desk == theirs:
        return
    week = at + timedelta(days=7)
    alone = sum(
        (ends - begins - desk.elapsed(begins, ends) for begins, ends in theirs.open_windows(at, week)),
        timedelta(),
    )
    if alone:
        words = f"in the next 7 days their calendar is open for {minutes(alone)} while the desk is closed"
        yield Mistake(("customers", key, "contracts", service), f"{words}: promises run and nobody is there")


def _shared_numbers(policy: Policy) -> Iterator[Mistake]:
    holders: dict[str, str] = {}
    for key, customer in policy.customers.items():
        for number, contact in enumerate(customer.contacts):
            if contact.phone is None:
                continue
            other = holders.setdefault(contact.phone, key)
            place = ("customers", key, "contacts", number, "phone")
            if other != key:
                words = f"{contact.phone} is also a contact of {other!r}: it identifies neither of them"
                yield Mistake(place, words)
            if contact.phone in policy.line_by_number:
                yield Mistake(place, "it is one of your own lines")
