"""What would happen to a contact that has not happened: its decision, and who would be rung when. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from routing.coverage import Consent, ContactFacts, Decision, Outcome, decide
from routing.escalation import begins, people_at, step_over_at
from routing.policy import Policy
from routing.wall_time import instant_at
from routing.wording import written_instant

_YEARS = range(1970, 2200)


class NoSuchInstant(ValueError):
    """A text is no instant, or a local time that does not exist or happens twice; the text says which."""


@dataclass(frozen=True)
class RungStep:
    """A step of an escalation: who (keys of people) is rung at an instant, if nobody has accepted before."""

    number: int
    at: datetime
    people: tuple[str, ...]
    wait: timedelta


@dataclass(frozen=True)
class Foresight:
    """What would happen: the decision, the team whose phones ring first (in business hours), the steps."""

    facts: ContactFacts
    decision: Decision
    team: tuple[str, ...]
    steps: tuple[RungStep, ...]
    texted: tuple[str, ...]
    repeat: timedelta | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Answers:
    """What the caller would say: the priority chosen, yes or no to charges, and whether there is a voicemail."""

    priority: int | None = None
    accepts_charges: bool | None = None
    voicemail: bool = True


def foresee(policy: Policy, known: ContactFacts, terms: str, answers: Answers) -> Foresight:
    """What would happen to a call.

    ``known`` is what the number or the support ID tells; ``terms`` is the contract's ``consent``.
    """
    facts, notes = _asked(policy, known, terms, answers)
    decision = decide(facts, policy)
    escalation = policy.escalation_of(facts.service, decision.priority)
    is_open = policy.calendar_of(facts.service).is_open(facts.at)
    line = policy.lines.get(facts.line) if facts.line else None
    rung = decision.outcome is Outcome.PAGE and escalation is not None
    texted = decision.outcome is Outcome.NOTIFY and escalation is not None
    rules = policy.escalations[escalation] if escalation else None
    return Foresight(
        facts,
        decision,
        tuple(line.team) if line and is_open else (),
        planned_steps(policy, escalation, facts.at, decision.due_at) if rung and escalation else (),
        people_at(policy, rules, 0, facts.at) if texted and rules else (),
        timedelta(seconds=rules.repeat_s) if rung and rules else None,
        tuple(notes),
    )


def planned_steps(
    policy: Policy, escalation: str, at: datetime, due_at: datetime | None
) -> tuple[RungStep, ...]:
    """Each step of an escalation that begins at ``at``, with whoever has the duty by then, if nobody accepts."""
    rules, found = policy.escalations[escalation], []
    for position, rung_at in enumerate(begins(rules, at, due_at)):
        wait = step_over_at(rules, position, rung_at, at, due_at) - rung_at
        found.append(RungStep(position + 1, rung_at, people_at(policy, rules, position, rung_at), wait))
    return tuple(found)


def _asked(
    policy: Policy, known: ContactFacts, terms: str, answers: Answers
) -> tuple[ContactFacts, list[str]]:
    """The facts as the call itself would gather them, and what of the answers nobody would have asked for."""
    service, notes = policy.services[known.service], []
    priority, assumed, consent = None, False, None
    if policy.calendar_of(known.service).is_open(known.at):
        if answers.priority is not None:
            notes.append(
                "In business hours a caller is not asked for a priority; the service's usual one holds."
            )
    elif service.consent is not None:
        consent = _consent(known, terms, answers, notes)
        if answers.priority is not None:
            notes.append("This service asks for consent to charges and not for a priority.")
    else:
        line = policy.lines.get(known.line) if known.line else None
        assumed = answers.priority is None and line is not None
        priority = line.unchosen_priority if assumed and line else answers.priority
    if answers.accepts_charges is not None and consent is None:
        notes.append("Nobody would be asked to accept charges on this call.")
    facts = ContactFacts(
        at=known.at,
        channel=known.channel,
        service=known.service,
        line=known.line,
        customer=known.customer,
        customer_key=known.customer_key,
        identified_by=known.identified_by,
        tier=known.tier,
        priority=priority,
        priority_assumed=assumed,
        voicemail=answers.voicemail,
        consent=consent,
    )
    return facts, notes


def _consent(known: ContactFacts, terms: str, answers: Answers, notes: list[str]) -> Consent | None:
    if known.tier is None:
        return None
    fixed = {"beforehand": Consent.BEFOREHAND, "never": Consent.NEVER}.get(terms)
    if fixed is not None:
        if answers.accepts_charges is not None:
            notes.append("The contract settles the charges; the caller is not asked.")
        return fixed
    if answers.accepts_charges is None:
        notes.append("No answer to the question about charges counts as refusing them.")
    return Consent.ACCEPTED if answers.accepts_charges else Consent.REFUSED


def read_instant(text: str, zone: ZoneInfo) -> datetime:
    """A UTC instant. Without an offset it is what the clocks of ``zone`` show: once, or it is refused."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise NoSuchInstant(f"{text!r} is no time that exists; expected such as 2026-12-25T03:12") from None
    if found.year not in _YEARS:
        raise NoSuchInstant(f"{text!r} is outside of the years {_YEARS[0]} to {_YEARS[-1]}")
    if found.tzinfo is not None:
        return found.astimezone(UTC)
    earlier, later = (found.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if earlier.astimezone(zone).replace(tzinfo=None) != found:
        jump = f"the clocks of {zone.key} jump over it, to {written_instant(instant_at(found, zone), zone)}"
        raise NoSuchInstant(f"{text!r} does not exist; {jump}")
    if earlier != later:
        both = " or ".join(each.astimezone(zone).isoformat() for each in (earlier, later))
        raise NoSuchInstant(f"{text!r} happens twice in {zone.key}; say which: {both}")
    return earlier
