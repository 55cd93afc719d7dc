"""Coverage: what a contact was promised, and whether somebody is rung for it. Pure: facts in, a decision out.

Every reason has a code for machines and a sentence that a customer could read. The rules are the agreement's:
a tier's cover decides whether priority 1 and 2 are attended around the clock, urgent matters are attended after
hours only if a voicemail is left, and Managed Services outside of business hours needs consent to the charges.
"""

from __future__ import annotations

from datetime import datetime

from routing.business_hours import BusinessCalendar
from routing.coverage_facts import Consent, ContactFacts, Decision, Outcome, Reason
from routing.coverage_mail import FORGED, by_mail, of_forged_sender
from routing.policy import Policy
from routing.policy_parts import Service, Tier, TierTarget
from routing.wording import priorities_in_words, written_instant

__all__ = ["Consent", "ContactFacts", "Decision", "Outcome", "Reason", "decide"]

_RECOGNISED_BY = {
    "number": "telephone number",
    "support-id": "support ID",
    "mail-address": "mail address",
    "mail-domain": "the domain of the mail address",
}


def decide(facts: ContactFacts, policy: Policy) -> Decision:
    """The decision for a contact under ``policy``.

    Whether the desk is open, and so whether somebody is rung, is asked of the service's calendar; the promise runs
    on the customer's, where the contract names one.
    """
    service = policy.services[facts.service]
    calendar = policy.calendar_of(facts.service)
    clock = policy.calendar_of(facts.service, facts.customer_key)
    reasons = [_hours_reason(facts.at, calendar), _caller_reason(facts)]
    tier = policy.tiers.get(facts.tier) if facts.tier else None
    mailed = by_mail(facts, policy, calendar.is_open(facts.at), reasons) if facts.channel == "mail" else None
    priority = mailed.priority if mailed else _priority(facts, service, policy, calendar, reasons)
    promise = tier.target(priority) if tier else None
    due_at = promise.target.due_at(facts.at, clock) if promise else None
    outcome = (
        mailed.outcome
        if mailed
        else _outcome(facts, policy, service, promise, tier, calendar, priority, reasons)
    )
    if promise and due_at and outcome is not Outcome.NEAR_MISS:
        when = written_instant(due_at, clock.zone)
        reasons.append(Reason("target", f"The promise is a response within {promise.respond}: by {when}."))
    target = promise.respond if promise else ""
    return Decision(outcome, priority, target, due_at, tuple(reasons), clock.fingerprint)


def _hours_reason(at: datetime, calendar: BusinessCalendar) -> Reason:
    if calendar.is_open(at):
        return Reason("in-business-hours", "The contact came within business hours.")
    holiday = calendar.is_holiday(at.astimezone(calendar.zone).date())
    if holiday:
        return Reason("holiday", f"The contact came outside of business hours, on a holiday: {holiday}.")
    return Reason("outside-business-hours", "The contact came outside of business hours.")


def _caller_reason(facts: ContactFacts) -> Reason:
    if facts.sender == FORGED:
        return of_forged_sender()
    if facts.customer is None:
        return Reason("caller-unknown", "The contact could not be matched with a customer.")
    how = _RECOGNISED_BY.get(facts.identified_by or "", "telephone number")
    return Reason(f"known-by-{facts.identified_by}", f"{facts.customer} was recognised by {how}.")


def _priority(
    facts: ContactFacts, service: Service, policy: Policy, calendar: BusinessCalendar, reasons: list[Reason]
) -> int:
    if facts.consent is not None and service.consent is not None and not calendar.is_open(facts.at):
        if facts.consent.given:
            how = "in the contract" if facts.consent is Consent.BEFOREHAND else "with a key press"
            reasons.append(Reason("consent-given", f"Additional charges were accepted {how}."))
            return service.consent.accepted_priority
        reasons.append(Reason("consent-not-given", "Additional charges were not accepted."))
        return service.consent.refused_priority
    if facts.priority is None:
        return service.ordinary_priority
    if facts.priority_assumed:
        sentence = f"No priority was chosen; the line assumes priority {facts.priority}."
        reasons.append(Reason("priority-assumed", sentence))
    else:
        reasons.append(Reason("priority-chosen", f"The caller chose priority {facts.priority}."))
    return facts.priority


def _outcome(
    facts: ContactFacts,
    policy: Policy,
    service: Service,
    promise: TierTarget | None,
    tier: Tier | None,
    calendar: BusinessCalendar,
    priority: int,
    reasons: list[Reason],
) -> Outcome:
    if facts.taken_by is not None:
        reasons.append(Reason("taken", f"{facts.taken_by} took the call."))
        return Outcome.ANSWERED
    if facts.channel == "sms":
        return _by_text(facts, calendar, reasons)
    if not facts.voicemail:
        sentence = "No voicemail was left; without one nobody is called and no case is opened."
        reasons.append(Reason("no-voicemail", sentence))
        return Outcome.NEAR_MISS
    reasons.append(Reason("voicemail-left", "A voicemail was left."))
    if calendar.is_open(facts.at):
        reasons.append(Reason("team-busy", "Nobody took the call; the on-call engineer gets a message."))
        return Outcome.NOTIFY
    if tier is None or promise is None:
        return _without_agreement(facts, policy, reasons)
    if service.consent is not None:
        return _with_consent(facts, reasons)
    return _by_tier(tier, promise, priority, reasons)


def _by_text(facts: ContactFacts, calendar: BusinessCalendar, reasons: list[Reason]) -> Outcome:
    """Urgent matters are attended after hours only if a voicemail is left: a text wakes nobody."""
    if calendar.is_open(facts.at):
        reasons.append(Reason("text-in-hours", "It came by text; the on-call engineer gets a message."))
        return Outcome.NOTIFY
    sentence = "It came by text; outside of business hours only a voicemail has somebody called."
    reasons.append(Reason("text-waits", sentence))
    return Outcome.WAIT


def _without_agreement(facts: ContactFacts, policy: Policy, reasons: list[Reason]) -> Outcome:
    if facts.customer is not None:
        sentence = "The customer has no agreement for this service; the on-call engineer gets a message."
        reasons.append(Reason("no-agreement", sentence))
        return Outcome.NOTIFY
    wanted = policy.lines[facts.line].unknown_callers if facts.line else "notify"
    outcome = {"notify": Outcome.NOTIFY, "page": Outcome.PAGE, "hold": Outcome.WAIT}[wanted]
    does = {
        Outcome.NOTIFY: "sends the on-call engineer a message",
        Outcome.PAGE: "calls the on-call engineer",
        Outcome.WAIT: "lets the case wait for business hours",
    }[outcome]
    reasons.append(Reason(f"unknown-caller-{wanted}", f"For callers that it does not know, the line {does}."))
    return outcome


def _with_consent(facts: ContactFacts, reasons: list[Reason]) -> Outcome:
    if facts.consent is not None and facts.consent.given:
        reasons.append(Reason("consultant-called", "The on-call consultant is called."))
        return Outcome.PAGE
    reasons.append(Reason("waits-without-consent", "Without consent the request waits for business hours."))
    return Outcome.WAIT


def _by_tier(tier: Tier, promise: TierTarget, priority: int, reasons: list[Reason]) -> Outcome:
    if promise.cover == "24x7":
        sentence = f"The {tier.name} tier covers priority {priority} around the clock."
        reasons.append(Reason("tier-covers", sentence))
        return Outcome.PAGE
    covered = tier.covered_priorities
    only = f"covers {priorities_in_words(covered)} around the clock, not" if covered else "does not cover"
    sentence = f"The {tier.name} tier {only} priority {priority} outside of business hours."
    reasons.append(Reason("tier-does-not-cover", sentence))
    return Outcome.WAIT
