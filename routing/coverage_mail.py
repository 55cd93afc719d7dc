"""What a mail leads to. Pure.

Mail has the service's ordinary priority. Priority 1 is for a contact who is entitled to it, has asked for it in the
mailbox's words, and is proven to be the sender: by servers, or by the answer to a question that only the contact's
own mailbox gets. Outside of business hours the service's additional charges are accepted first: by contract, or by
the customer when they are asked; that answer proves the sender as well.
"""

from __future__ import annotations

from dataclasses import dataclass

from routing.coverage_facts import Consent, ContactFacts, Outcome, Reason
from routing.policy import Policy

# What servers found out of a sender.
PROVEN, UNPROVEN, DOUBTED, FORGED = "proven", "unproven", "doubted", "forged"
# The reason for which a contact is asked whether it was they who wrote, and not about charges.
SENDER_ASKED = "sender-asked"


@dataclass(frozen=True)
class Ruling:
    """The priority that a mail gets, and what happens."""

    priority: int
    outcome: Outcome


def by_mail(facts: ContactFacts, policy: Policy, is_open: bool, reasons: list[Reason]) -> Ruling:
    """The ruling on a mail, with its ``reasons`` added. ``is_open`` is whether the desk is."""
    ordinary = policy.services[facts.service].ordinary_priority
    if facts.imported:
        reasons.append(Reason("imported", "It was taken in out of a file; nobody is told of it."))
        return Ruling(ordinary, Outcome.WAIT)
    if facts.automatic:
        reasons.append(Reason("automatic-reply", "It is an automatic reply, which asks for no answer."))
        return Ruling(ordinary, Outcome.WAIT)
    if facts.asked_with is None:
        return Ruling(ordinary, _of_ordinary_mail(facts, policy, is_open, reasons))
    refused = _refusal(facts, policy)
    if refused is not None:
        reasons.append(refused)
        return Ruling(ordinary, _of_ordinary_mail(facts, policy, is_open, reasons))
    reasons.append(
        Reason("priority-asked", f"Priority 1 was asked for, with the words {facts.asked_with!r}.")
    )
    return _of_urgent_mail(facts, policy, is_open, reasons)


def of_forged_sender() -> Reason:
    """Why the sender counts as unknown, whatever address the mail names."""
    sentence = "The sender's address is forged: the domain that it names disowns the mail."
    return Reason("sender-forged", sentence)


def _refusal(facts: ContactFacts, policy: Policy) -> Reason | None:
    """Why priority 1 is not to be had, though it was asked for."""
    if facts.customer is None or facts.tier is None or facts.sender == FORGED:
        sentence = "Priority 1 was asked for, but only customers with an agreement get it."
        return Reason("priority-not-for-strangers", sentence)
    if not facts.entitled:
        sentence = "Priority 1 was asked for, but not by a contact who is entitled to it by mail."
        return Reason("priority-not-entitled", sentence)
    if _belief(facts, policy) == "refuse":
        sentence = "Priority 1 was asked for, but nothing proves that the mail is from the contact it names."
        return Reason("priority-not-proven", sentence)
    return None


def _belief(facts: ContactFacts, policy: Policy) -> str:
    """What becomes of a wish of this sender: ``accept``, ``confirm`` first, or ``refuse``."""
    if facts.sender == PROVEN:
        return "accept"
    box = policy.mailboxes.get(facts.mailbox or "")
    return box.urgent.unproven if box else "refuse"


def _of_urgent_mail(facts: ContactFacts, policy: Policy, is_open: bool, reasons: list[Reason]) -> Ruling:
    service = policy.services[facts.service]
    terms = service.consent
    if facts.consent is Consent.ACCEPTED and terms is not None:
        reasons.append(Reason("consent-given", "Additional charges were accepted in answer to our question."))
        return Ruling(terms.accepted_priority, _calling(facts, policy, terms.accepted_priority, reasons))
    unsure = _belief(facts, policy) == "confirm"
    if is_open:
        if unsure:
            return _asking_who(service.ordinary_priority, reasons)
        priority = terms.accepted_priority if terms else 1
        return Ruling(priority, _calling(facts, policy, priority, reasons))
    if terms is None:
        sentence = "Outside of business hours this service attends to urgent matters by telephone alone."
        reasons.append(Reason("urgent-by-telephone", sentence))
        return Ruling(service.ordinary_priority, Outcome.WAIT)
    if facts.consent is Consent.BEFOREHAND:
        if unsure:
            return _asking_who(service.ordinary_priority, reasons)
        reasons.append(Reason("consent-given", "Additional charges were accepted in the contract."))
        return Ruling(terms.accepted_priority, _calling(facts, policy, terms.accepted_priority, reasons))
    if facts.consent is not None:
        sentence = "The contract accepts no additional charges for work outside of business hours."
        reasons.append(Reason("consent-not-given", sentence))
        return Ruling(terms.refused_priority, Outcome.WAIT)
    sentence = "Work outside of business hours has additional charges; the customer is asked to accept them."
    reasons.append(Reason("consent-asked", sentence))
    return Ruling(terms.refused_priority, Outcome.ASK_CONSENT)


def _asking_who(priority: int, reasons: list[Reason]) -> Ruling:
    sentence = "Nothing proves yet that the mail is from the contact it names; they are asked to confirm it."
    reasons.append(Reason(SENDER_ASKED, sentence))
    return Ruling(priority, Outcome.ASK_CONSENT)


def _calling(facts: ContactFacts, policy: Policy, priority: int, reasons: list[Reason]) -> Outcome:
    if policy.escalation_of(facts.service, priority) is None:
        reasons.append(Reason("nobody-to-call", "The service has nobody to be called."))
        return Outcome.NOTIFY
    reasons.append(Reason("consultant-called", "The on-call consultant is called."))
    return Outcome.PAGE


def _of_ordinary_mail(facts: ContactFacts, policy: Policy, is_open: bool, reasons: list[Reason]) -> Outcome:
    """In business hours the on-call engineer gets a quiet message; outside of them mail wakes nobody."""
    box = policy.mailboxes.get(facts.mailbox or "")
    if not is_open:
        sentence = "It came by mail; outside of business hours mail waits until we open."
        reasons.append(Reason("mail-waits", sentence))
        return Outcome.WAIT
    if facts.customer is None and box is not None and box.unknown_senders == "hold":
        sentence = "Of senders that it does not know, the mailbox lets the mail wait."
        reasons.append(Reason("unknown-sender-hold", sentence))
        return Outcome.WAIT
    if facts.customer is not None and facts.tier is None:
        reasons.append(Reason("no-agreement", "The customer has no agreement for this service."))
    reasons.append(Reason("mail-in-hours", "It came by mail; the on-call engineer gets a message."))
    return Outcome.NOTIFY
