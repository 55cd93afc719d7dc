"""What changes between two policies, in words: tiers, customers, lines, people, steps and prompts by their names.

Pure. What has words of its own gets them; any other field is told by its key, so that a field that is added to the
policy is never left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from core import phone_numbers
from routing import policy_changes_duty as duty
from routing import policy_changes_reach as reach
from routing.business_hours import BusinessCalendar
from routing.policy import Policy
from routing.policy_changes_values import Differ, Summary, fields, given, keyed, shown, texts, values
from routing.policy_parts import ContactEntry, ContractEntry, CustomerEntry, Line, Service, Tier, TierTarget
from routing.prompt_texts import PromptText
from routing.wording import hours_in_words


@dataclass(frozen=True)
class _Part:
    """How one mapping of the policy is told: its title, what differs within an entry, and an entry that is new."""

    title: str
    differ: Differ = fields
    summary: Summary = given


def changes(before: Policy, after: Policy) -> list[str]:
    """A sentence for each change, in the order of the document; none if the two say the same."""
    found = [*values("Company", before.company, after.company)]
    for name, part in _PARTS.items():
        old, new = getattr(before, name), getattr(after, name)
        found += keyed(part.title, old, new, part.differ, part.summary)
    # The first one's calendar is the one of reports, and of old cases whose service is gone.
    found += _first("service", before.services, after.services)
    found += keyed(
        "Customer", before.customers, after.customers, _customers(before, after), _customer_in_words
    )
    found += fields("Limits", before.limits, after.limits)
    return found + list(_prompts("Prompt", before.prompts, after.prompts))


def _first(noun: str, before: Mapping[str, BaseModel], after: Mapping[str, BaseModel]) -> Iterator[str]:
    if before.keys() == after.keys():
        yield from values(f"The first {noun}", next(iter(before), None), next(iter(after), None))


def _tier(name: str, before: Tier, after: Tier) -> Iterator[str]:
    bare = name.removeprefix("Tier ")
    for priority in sorted(before.targets | after.targets):
        old, new = before.targets.get(priority), after.targets.get(priority)
        if old != new:
            yield f"{bare} priority {priority}: {_target(old)} -> {_target(new)}"
    yield from fields(name, before, after, leave_out=("targets",))


def _tier_in_words(tier: Tier) -> str:
    return ", ".join(f"priority {p}: {_target(t)}" for p, t in tier.targets.items())


def _target(promise: TierTarget | None) -> str:
    if promise is None:
        return "none of its own"
    text = str(promise.target).lower()
    if promise.cover == "24x7":
        return f"{text} around the clock" if promise.target.runs_around_the_clock else f"{text}, covered 24x7"
    return text


def _calendar(name: str, before: BusinessCalendar, after: BusinessCalendar) -> Iterator[str]:
    old, new = before.to_dict(), after.to_dict()
    if old["hours"] != new["hours"]:
        yield f"{name}: {_hours(before)} -> {_hours(after)}"
    yield from values(f"{name}, zone", old["zone"], new["zone"])
    was, becomes = (dict(document.get("holidays", {})) for document in (old, new))
    days, new_days = (_by_date(rules.pop("add", [])) for rules in (was, becomes))
    yield from keyed(f"{name}, day", days, new_days, values, shown)
    yield from values(f"{name}, holidays", was, becomes)


def _by_date(days: list[dict[str, object]]) -> dict[str, dict[str, object]]:
    return {str(day["date"]): {key: value for key, value in day.items() if key != "date"} for day in days}


def _calendar_in_words(calendar: BusinessCalendar) -> str:
    holidays = calendar.to_dict().get("holidays")
    return f"{calendar.zone.key}: {_hours(calendar)}{f'; holidays: {shown(holidays)}' if holidays else ''}"


def _hours(calendar: BusinessCalendar) -> str:
    return hours_in_words(calendar) or "no hours"


def _service_in_words(service: Service) -> str:
    return given(service, leave_out=("name",))


def _line(name: str, before: BaseModel, after: BaseModel) -> Iterator[str]:
    yield from fields(name, before, after, leave_out=("prompts",))
    yield from _prompts(f"{name}, prompt", getattr(before, "prompts", {}), getattr(after, "prompts", {}))


def _line_in_words(line: Line) -> str:
    return phone_numbers.shown(line.number)


def _mailbox_in_words(mailbox: BaseModel) -> str:
    return given(mailbox, leave_out=("name", "prompts"))


def _prompts(name: str, before: Mapping[str, PromptText], after: Mapping[str, PromptText]) -> Iterator[str]:
    for key in dict.fromkeys((*before, *after)):
        old, new = (prompts.get(key) for prompts in (before, after))
        if old != new:
            was, becomes = (prompt.audio or prompt.text if prompt else "" for prompt in (old, new))
            yield f"{name} {key}: {texts(was, becomes)}"


def _customers(before: Policy, after: Policy) -> Differ:
    def differ(name: str, old: CustomerEntry, new: CustomerEntry) -> Iterator[str]:
        for service in dict.fromkeys((*old.contracts, *new.contracts)):
            was, becomes = old.contracts.get(service), new.contracts.get(service)
            known = after.services.get(service) or before.services.get(service)
            about = f"{name}, {known.name if known else service}"
            if was is not None and becomes is not None:
                if was.tier != becomes.tier:
                    yield f"{about}: {_tier_name(before, was.tier)} -> {_tier_name(after, becomes.tier)}"
                yield from fields(about, was, becomes, leave_out=("tier",))
            elif becomes is not None:
                yield f"{about}: {_tier_name(after, becomes.tier)} added{_terms(becomes)}"
            elif was is not None:
                yield f"{about}: {_tier_name(before, was.tier)} removed"
        yield from keyed(
            f"{name}, contact", _by_name(old.contacts), _by_name(new.contacts), fields, _contact_in_words
        )
        yield from fields(name, old, new, leave_out=("contracts", "contacts"))

    return differ


def _customer_in_words(customer: CustomerEntry) -> str:
    held = (
        f"{service}: {contract.tier}{_terms(contract)}" for service, contract in customer.contracts.items()
    )
    return ", ".join(held) or "no contract"


def _terms(contract: ContractEntry) -> str:
    said = given(contract, leave_out=("tier",))
    return f" ({said})" if said else ""


def _tier_name(policy: Policy, key: str) -> str:
    tier = policy.tiers.get(key)
    return tier.name if tier else key


def _by_name(contacts: list[ContactEntry]) -> dict[str, ContactEntry]:
    return {contact.name: contact for contact in contacts}


def _contact_in_words(contact: ContactEntry) -> str:
    return given(contact, leave_out=("name",))


_PARTS = {
    "calendars": _Part("Calendar", _calendar, _calendar_in_words),
    "services": _Part("Service", fields, _service_in_words),
    "tiers": _Part("Tier", _tier, _tier_in_words),
    "lines": _Part("Line", _line, _line_in_words),
    "mailboxes": _Part("Mailbox", _line, _mailbox_in_words),
    "people": _Part("", reach.people, reach.person_in_words),
    "schedules": _Part("Schedule", duty.schedules, duty.schedule_in_words),
    "escalations": _Part("Escalation", duty.escalations, duty.escalation_in_words),
    "drills": _Part("Drill before shifts of", fields, duty.drill_in_words),
    "webhooks": _Part("Webhook", reach.hooks, reach.hook_in_words),
}
