"""``nightbell explain``: what would happen to a call that has not happened, and why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from console.wiring import open_context
from core import phone_numbers
from core.prepared import reads_of
from intake import callers
from intake.callers import Caller
from routing.context import Context
from routing.coverage import ContactFacts, Outcome
from routing.decisions import TZ_VERSION
from routing.foresight import Answers, Foresight, NoSuchInstant, foresee, read_instant
from routing.policies import CurrentPolicy
from routing.policy import Policy
from routing.policy_words import nearest
from routing.wording import written_instant

_OUTCOMES = {
    Outcome.PAGE: "the on-call engineer is rung until somebody accepts",
    Outcome.NOTIFY: "the on-call engineer gets a text; nobody is rung",
    Outcome.WAIT: "a case waits for business hours; nobody is rung",
    Outcome.NEAR_MISS: "no case and no ringing: the call is listed as a near miss",
}


@dataclass(frozen=True)
class _Question:
    """Who calls which line when."""

    current: CurrentPolicy
    line: str
    number: str | None
    caller: Caller
    at: datetime

    @property
    def policy(self) -> Policy:
        return self.current.policy

    @property
    def service(self) -> str:
        return self.policy.lines[self.line].service

    @property
    def zone(self) -> ZoneInfo:
        """The zone that instants are told in."""
        return self.policy.calendar_of(self.service, self.caller.customer_key).zone


@click.command()
@click.option("--from", "number", default="withheld", help="the caller's number (default: withheld)")
@click.option("--line", required=True, help="the line that is called: its key or its number")
@click.option("--at", "when", default=None, help="2026-12-25T03:12, in the line's zone (default: now)")
@click.option("--priority", type=click.IntRange(1, 4), default=None, help="what the caller chooses")
@click.option("--support-id", default=None, help="what the caller enters when asked")
@click.option("--consent", type=click.Choice(["accepted", "refused"]), default=None, help="to extra charges")
@click.option("--no-voicemail", is_flag=True, help="the caller leaves no message")
@click.option("--json", "as_json", is_flag=True, help="for machines")
def explain(
    number: str,
    line: str,
    when: str | None,
    priority: int | None,
    support_id: str | None,
    consent: str | None,
    no_voicemail: bool,
    as_json: bool,
) -> None:
    """Say what would happen to a call: the decision and its reasons, the promise, and who is rung when."""
    question = _question(open_context(), number, line, when, support_id)
    answers = Answers(priority, None if consent is None else consent == "accepted", not no_voicemail)
    caller = question.caller
    known = ContactFacts(
        at=question.at,
        channel="phone",
        service=question.service,
        line=question.line,
        customer=caller.customer,
        customer_key=caller.customer_key,
        identified_by=caller.identified_by,
        tier=caller.tier if caller.tier in question.policy.tiers else None,
    )
    seen = foresee(question.policy, known, caller.consent_terms, answers)
    if as_json:
        click.echo(json.dumps(_as_json(question, seen), indent=2))
        return
    for text in _lines(question, seen):
        click.echo(text)


def _question(
    context: Context, number: str, line: str, when: str | None, support_id: str | None
) -> _Question:
    current = context.policies.current()
    key = _line_key(current.policy, line)
    calendar = current.policy.calendar_of(current.policy.lines[key].service)
    try:
        at = read_instant(when, calendar.zone) if when else context.clock.now()
    except NoSuchInstant as error:
        raise click.BadParameter(str(error), param_hint="--at") from None
    caller_number = _number(number)
    service, day = current.policy.lines[key].service, at.astimezone(calendar.zone).date()
    with context.database.reading() as session:
        caller = callers.by_number(reads_of(session), current.directory, caller_number, service, day)
    if support_id is not None:
        found = callers.by_support_id(current.directory, support_id, service, day)
        if found is None and caller.customer is None:
            click.echo(f"no customer has the support ID {support_id!r}: the caller stays unknown", err=True)
        caller = found or caller
    return _Question(current, key, caller_number, caller, at)


def _line_key(policy: Policy, given: str) -> str:
    number = phone_numbers.to_e164(given)
    key = given if given in policy.lines else policy.line_by_number.get(number or "")
    if key is None:
        known = ", ".join(f"{key} ({line.number})" for key, line in policy.lines.items())
        words = f"no line is called {given!r}{nearest(given, policy.lines)}; known: {known}"
        raise click.BadParameter(words, param_hint="--line")
    return key


def _number(given: str) -> str | None:
    if given == "withheld" or phone_numbers.is_withheld(given):
        return None
    number = phone_numbers.to_e164(given)
    if number is None:
        words = f"{given!r} is not a telephone number; expected such as +17135550101, or: withheld"
        raise click.BadParameter(words, param_hint="--from")
    return number


def _lines(question: _Question, seen: Foresight) -> Iterator[str]:
    policy, decision = question.policy, seen.decision
    line = policy.lines[question.line]
    yield f"Line:      {line.name}, {phone_numbers.shown(line.number)} ({policy.services[line.service].name})"
    yield f"Call:      {written_instant(question.at, policy.calendar_of(line.service).zone)}"
    yield f"Caller:    {_caller(question)}"
    tier = policy.tiers[seen.facts.tier].name if seen.facts.tier else "none found for this service"
    yield f"Agreement: {tier}"
    yield f"Decision:  {decision.outcome}: {_OUTCOMES[decision.outcome]}"
    yield f"Promise:   {_promise(question, seen)}"
    yield "Why:"
    for reason in decision.reasons:
        yield f"  {reason.code}: {reason.sentence}"
    yield from _who_is_rung(question, seen)
    for note in seen.notes:
        yield f"Note: {note}"
    yield f"By policy version {question.current.version}, calendar {decision.calendar_fingerprint}, tz {TZ_VERSION}"


def _caller(question: _Question) -> str:
    number = phone_numbers.shown(question.number) if question.number else "number withheld"
    caller = question.caller
    if caller.customer is None:
        return f"unknown, {number}"
    return f"{caller.customer}, {number}, known by {caller.identified_by}"


def _promise(question: _Question, seen: Foresight) -> str:
    decision = seen.decision
    if decision.outcome is Outcome.NEAR_MISS:
        return "none: without a voicemail there is no case"
    if decision.due_at is None:
        return "none: there is no agreement to keep"
    by = written_instant(decision.due_at, question.zone)
    return f"priority {decision.priority}: a response within {decision.target}, by {by}"


def _who_is_rung(question: _Question, seen: Foresight) -> Iterator[str]:
    policy = question.policy
    line = policy.lines[question.line]
    if seen.team:
        names = {person.phone: person.name for person in policy.people.values()}
        team = ", then ".join(names.get(number, number) for number in seen.team)
        yield f"First, in business hours, the team is rung for {line.ring_s} s each: {team}"
    if seen.texted:
        yield f"Texted: {_people(policy, seen.texted)}"
    if not seen.steps:
        yield "Nobody is rung for the voicemail."
        return
    yield "Rung, if nobody accepts before (counted from the call's start; the voicemail's length comes on top):"
    for step in seen.steps:
        clock = f"{step.at.astimezone(question.zone):%a %H:%M:%S %Z}"
        wait = int(step.wait.total_seconds())
        yield f"  {clock}  step {step.number}: {_people(policy, step.people)}; waits {wait} s"
    if seen.repeat is not None:
        yield f"  after that the last step again, every {int(seen.repeat.total_seconds())} s, until somebody accepts"


def _people(policy: Policy, keys: tuple[str, ...]) -> str:
    return ", ".join(
        f"{policy.people[key].name} {phone_numbers.shown(policy.people[key].phone)}" for key in keys
    )


def _as_json(question: _Question, seen: Foresight) -> dict[str, Any]:
    policy, decision = question.policy, seen.decision
    due = decision.due_at if decision.outcome is not Outcome.NEAR_MISS else None
    return {
        "line": question.line,
        "service": question.service,
        "at": question.at.isoformat(),
        "from": question.number,
        "facts": seen.facts.as_json(),
        "outcome": decision.outcome.value,
        "priority": decision.priority,
        "target": decision.target,
        "due_at": due.isoformat() if due else None,
        "promise": _promise(question, seen),
        "reasons": [{"code": reason.code, "sentence": reason.sentence} for reason in decision.reasons],
        "team": list(seen.team),
        "texted": [_person(policy, key) for key in seen.texted],
        "steps": [
            {
                "step": step.number,
                "at": step.at.isoformat(),
                "local": step.at.astimezone(question.zone).isoformat(),
                "wait_s": int(step.wait.total_seconds()),
                "people": [_person(policy, key) for key in step.people],
            }
            for step in seen.steps
        ],
        "repeat_s": int(seen.repeat.total_seconds()) if seen.repeat else None,
        "notes": list(seen.notes),
        "policy_version": question.current.version,
        "calendar": decision.calendar_fingerprint,
        "tz_version": TZ_VERSION,
    }


def _person(policy: Policy, key: str) -> dict[str, str]:
    return {"key": key, "name": policy.people[key].name, "phone": policy.people[key].phone}
