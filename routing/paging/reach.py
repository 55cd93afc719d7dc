"""How a person is reached: by which methods, when, how often; what is too much for a number. Pure.

Nobody is called or texted at a number that is not known to be theirs, unless the caller says that there is nobody
else. A repeated call lies within its step, or is not planned: the next step has other people.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from routing.contact_methods import EMAIL, ContactRule, Limits, Method, all_methods
from routing.paging.channels import CHANNELS
from routing.policy import Policy
from routing.policy_parts import PersonEntry

# Purposes for which no phone rings.
QUIET = frozenset(
    {"notify", "added", "broken", "relieved", "returned", "followed", "waits", "unreached", "duty", "offduty"}
)
LIMIT_WINDOW = timedelta(minutes=15)
_CALL_AGAIN = {"again_after_s": 120, "times": 3}


@dataclass(frozen=True)
class Planned:
    """One contact that is planned, ``after`` the step's beginning. ``number_of_try`` begins at 1 for each rule."""

    after: timedelta
    channel: str
    method: str
    address: str = field(repr=False)
    number_of_try: int = 1


def methods_of(person: PersonEntry) -> dict[str, Method]:
    """All methods of the person by name, those that ``phone`` and ``email`` stand for included."""
    return all_methods(person.phone, person.verified, person.email, person.methods)


def verified_numbers(person: PersonEntry) -> frozenset[str]:
    """The numbers that are known to be the person's: one that is verified for calls is so for texts, too."""
    return frozenset(m.address for m in methods_of(person).values() if _is_number(m) and m.verified)


def plan(
    person: PersonEntry, purpose: str, ring_wait: timedelta, *, even_unverified: bool = False
) -> tuple[Planned, ...]:
    """The contacts of a step of ``ring_wait``, in their order; a quiet purpose has them all at once.

    Who has no verified phone is told by what else there is. Empty if there is nothing.
    """
    usable = {
        name: method
        for name, method in methods_of(person).items()
        if even_unverified or not CHANNELS[method.channel].needs_verified
        or method.address in verified_numbers(person)
    }  # fmt: skip
    if purpose in QUIET:
        rules = _quiet_rules(person, usable)
    else:
        rules = _urgent_rules(person, usable, ring_wait, even_unverified=even_unverified)
    contacts = {
        (at, usable[rule.use].channel, usable[rule.use].address): Planned(
            at, usable[rule.use].channel, rule.use, usable[rule.use].address, number
        )
        for rule in reversed(rules)  # of two for the same instant and address the first one counts
        if rule.use in usable
        for number, at in _tries(rule, ring_wait)
    }
    return tuple(sorted(contacts.values(), key=lambda p: (p.after, _order(p.channel), p.method)))


def _urgent_rules(
    person: PersonEntry, usable: Mapping[str, Method], ring_wait: timedelta, *, even_unverified: bool
) -> list[ContactRule]:
    rules = person.rules or _default_rules(person)
    starts = [rule.after_s for rule in rules if rule.use in usable and _is_number(usable[rule.use])]
    if not starts:
        return [*rules, *(_default_rules(person) if even_unverified else _quiet_rules(person, usable))]
    if timedelta(seconds=min(starts)) < ring_wait:
        return rules
    # The step is shorter than the pause before the first ring: who is on call is rung all the same.
    return [r.model_copy(update={"after_s": max(0, r.after_s - min(starts))}) for r in rules]


def _tries(rule: ContactRule, ring_wait: timedelta) -> Iterator[tuple[int, timedelta]]:
    """Number and instant of each try that begins before the step's end."""
    for number in range(rule.times):
        at = timedelta(seconds=rule.after_s + number * rule.again_after_s)
        if at < ring_wait:
            yield number + 1, at


def _default_rules(person: PersonEntry) -> list[ContactRule]:
    """Everything that is written down, at once, and calls again; mail only where it is written as a method."""
    methods = methods_of(person)
    return [
        ContactRule(use=name, **(_CALL_AGAIN if CHANNELS[method.channel].rings else {}))
        for name, method in methods.items()
        if name != EMAIL or name in person.methods
    ]


def _quiet_rules(person: PersonEntry, usable: Mapping[str, Method]) -> list[ContactRule]:
    """What the person chose for quiet messages; else the first text, else whatever rings no phone."""
    chosen = [name for name in person.quiet if name in usable]
    silent = {name: m for name, m in usable.items() if not CHANNELS[m.channel].rings}
    texts = [name for name, m in silent.items() if m.channel == "sms"]
    names = [name for name in chosen if name in silent] or texts[:1] or list(silent)
    return [ContactRule(use=name) for name in names]


def can_be_rung(person: PersonEntry) -> bool:
    """Whether the person has a verified phone that the rules call or text."""
    return any(_is_loud(p.channel) for p in plan(person, "page", timedelta.max))


def is_loud(contacts: Sequence[Planned]) -> bool:
    """Whether a phone is among them."""
    return any(_is_loud(contact.channel) for contact in contacts)


def owner_of(policy: Policy, number: str) -> str | None:
    """Whose verified number this is: the person's key."""
    return next((key for key, person in policy.people.items() if number in verified_numbers(person)), None)


def free_at(sent: Sequence[datetime], allowed: int, now: datetime) -> datetime | None:
    """When a number that got something at the instants ``sent`` may get more; None: now.

    No 15 minutes may have more than ``allowed``.
    """
    recent = sorted(at for at in sent if now - LIMIT_WINDOW < at)
    return recent[-allowed] + LIMIT_WINDOW if len(recent) >= allowed else None


def allowed(limits: Limits, channel: str) -> int | None:
    """How many of this channel one number gets within 15 minutes; None where there is no limit."""
    return {"voice": limits.calls_per_15_min, "sms": limits.texts_per_15_min}.get(channel)


def _is_number(method: Method) -> bool:
    return CHANNELS[method.channel].needs_verified


def _is_loud(channel: str) -> bool:
    return CHANNELS[channel].needs_verified


def _order(channel: str) -> int:
    return list(CHANNELS).index(channel)
