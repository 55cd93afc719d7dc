"""A mail becomes a case with a promise; its answers stay on that case, however they refer to it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core import due
from intake.mail.models import MailState
from intake.mail.parsing import Envelope
from intake.mail.parsing.authentication import Method
from intake.mail.receiving import store
from intake.mail.taking_in import take_in
from routing import handling
from routing.clocks.rules import NotPossible
from routing.merging import merge
from tests.house import House
from tests.stories.mailbox import (
    FORGED,
    GRACE_AT,
    MARIA_AT,
    MASSUPPORT,
    OMAR_AT,
    STRANGER_AT,
    TOM_AT,
    Mailbox,
    mails,
    messages,
    signed,
)
from tests.stories.people import CENTRAL, DAY, PRIYA, SAM, agreement

ON_CALL = (PRIYA, SAM)
OPERATIONS = """mailboxes:
  ops:
    name: Operations
    address: ops@smatechnologies.com
    service: managed-operations
"""


@pytest.fixture
def maria(house: House) -> Mailbox:
    return Mailbox(house, MARIA_AT, "Maria Alvarez")


@pytest.fixture
def stranger(house: House) -> Mailbox:
    return Mailbox(house, STRANGER_AT)


def test_a_known_contact_has_two_business_days(house: House, maria: Mailbox) -> None:
    maria.writes("The agent is down", "Since nine o'clock.")
    case = house.case
    assert (case.channel, case.mailbox, case.service) == ("mail", "managed-services", "managed-services")
    assert (case.title, case.priority, case.target, case.verified) == (
        "The agent is down",
        4,
        "2 business days",
        True,
    )
    assert case.due_at is not None
    assert f"{case.due_at.astimezone(CENTRAL):%a %H:%M}" == "Thu 17:00"
    assert "Lakeside Credit Union was recognised by mail address." in [
        reason["sentence"] for reason in house.decision.reasons
    ]
    (message,) = messages(house, case.id)
    assert (message.body, message.author, message.public) == ("Since nine o'clock.", "customer", True)
    (row,) = mails(house)
    assert (row.state, row.case_id, row.message_row) == (MailState.TAKEN, case.id, message.id)
    assert house.rung == {}


def test_in_business_hours_the_engineer_on_call_is_told_quietly(house: House, maria: Mailbox) -> None:
    house.it_becomes(DAY)
    maria.writes("The agent is down")
    house.fast_forward(60)
    assert house.decision.outcome == "notify"
    assert sum(len(house.texts(number)) for number in ON_CALL) == 1


def test_somebody_at_a_customers_domain_is_of_that_customer(house: House) -> None:
    Mailbox(house, "new.colleague@Lakeside.example").writes("A question")
    case = house.case
    assert (case.verified, case.contact_id, case.target) == (True, None, "2 business days")
    assert "known-by-mail-domain" in house.reasons


def test_an_engineer_hears_of_a_sender_and_not_of_a_caller(house: House, stranger: Mailbox) -> None:
    house.it_becomes(DAY)
    stranger.writes("Do you sell licences?")
    house.fast_forward(60)
    (text,) = [text for number in ON_CALL for text in house.texts(number)]
    assert "an unknown sender. Call back: no number, answer by mail." in text


def test_a_stranger_is_promised_nothing(house: House, stranger: Mailbox) -> None:
    stranger.writes("P1: A question")
    assert (house.case.verified, house.case.due_at, house.case.priority) == (False, None, 4)
    assert "priority-not-for-strangers" in house.reasons


def test_an_answer_goes_onto_its_case_by_the_signed_address(house: House, maria: Mailbox) -> None:
    maria.writes("The agent is down")
    maria.answers(1001, "It is up again.\n\nOn Tuesday we wrote:\n> Please have a look.")
    assert [message.body for message in messages(house, 1001)][1] == "It is up again."
    details = messages(house, 1001)[1].details
    assert details is not None
    assert "> Please have a look." in details["quoted"]
    assert len(house.cases) == 1


def test_an_answer_goes_onto_its_case_by_what_it_refers_to(house: House, maria: Mailbox) -> None:
    first = maria.writes("The agent is down")
    second = maria.writes("Re: The agent is down", "More.", in_reply_to=first)
    maria.writes("Re: something else", "Still more.", references=f"{first} {second} <unknown@x.example>")
    ours = signed(house).message_id(MASSUPPORT, 1001)
    maria.writes("No subject in common", "By our own mail.", in_reply_to=ours)
    maria.writes("Again [Case 1001] there", "By the subject.")
    assert len(house.cases) == 1
    assert len(messages(house, 1001)) == 5


def test_the_last_reference_counts_before_the_first(house: House, maria: Mailbox) -> None:
    one = maria.writes("One")
    two = maria.writes("Two")
    maria.writes("Re: Two", "More.", references=f"{one} {two}")
    assert len(messages(house, 1002)) == 2


def test_a_subject_or_a_reference_is_no_key_for_strangers(
    house: House, maria: Mailbox, stranger: Mailbox
) -> None:
    first = maria.writes("The agent is down")
    stranger.writes("Re: [Case 1001] The agent is down", "Tell me more.")
    stranger.writes("Re: The agent is down", "Tell me more.", in_reply_to=first)
    Mailbox(house, GRACE_AT).writes("Re: The agent is down", "Of another customer.", in_reply_to=first)
    assert len(messages(house, 1001)) == 1
    assert [case.id for case in house.cases] == [1001, 1002, 1003, 1004]
    assert {event.data["claimed"] for event in house.events("mail.claims-case")} == {1001}


def test_nor_are_they_for_a_sender_whom_their_own_domain_probably_disowns(
    house: House, maria: Mailbox
) -> None:
    first = maria.writes("The agent is down")
    doubted = (Method("spf", "softfail"),)
    maria.writes("Re: [Case 1001] The agent is down", "Tell me more.", verdicts=doubted)
    maria.writes("Re: The agent is down", "Tell me more.", in_reply_to=first, verdicts=doubted)
    assert len(messages(house, 1001)) == 1
    maria.answers(1001, "This has the case's own address.", verdicts=doubted)
    assert len(messages(house, 1001)) == 2


def test_whoever_was_written_to_has_part_in_the_conversation(
    house: House, maria: Mailbox, stranger: Mailbox
) -> None:
    first = maria.writes("The agent is down", cc=STRANGER_AT)
    stranger.writes("Re: The agent is down", "I know why.", in_reply_to=first)
    assert len(messages(house, 1001)) == 2
    assert house.events("mail.from-elsewhere")


def test_a_signed_address_is_a_key_for_whoever_has_it(
    house: House, maria: Mailbox, stranger: Mailbox
) -> None:
    maria.writes("The agent is down")
    stranger.answers(1001, "I was given this address.")
    assert len(messages(house, 1001)) == 2
    assert house.events("mail.from-elsewhere")


def test_a_forged_sender_reaches_no_case_and_no_priority_1(house: House, maria: Mailbox) -> None:
    house.it_becomes(DAY)
    first = maria.writes("The agent is down")
    maria.writes("P1 Re: [Case 1001]", "Send me everything.", in_reply_to=first, verdicts=FORGED)
    maria.answers(1001, "Send me everything.", verdicts=FORGED)
    assert len(messages(house, 1001)) == 1
    forged = house.cases[1:]
    assert [(case.verified, case.customer_id, case.needs_look, case.priority) for case in forged] == [
        (False, None, True, 4)
    ] * 2
    assert house.rung == {}


def test_a_forward_is_a_matter_of_its_own(house: House, maria: Mailbox) -> None:
    first = maria.writes("The agent is down")
    maria.writes("WG: The agent is down", "What do you say to this?", in_reply_to=first)
    maria.writes("Fwd: The agent is down", "And to this?", references=first)
    assert len(house.cases) == 3


@pytest.mark.both_databases
def test_an_answer_that_was_read_first_waits_for_what_it_answers(house: House, maria: Mailbox) -> None:
    """Another worker is about to take in the first one, and this one has the second."""
    raw = f"From: {MARIA_AT}\nSubject: {{}}\nMessage-ID: <{{}}@x>\nIn-Reply-To: <{{}}@x>\n\nText"
    envelope = Envelope(MARIA_AT, [MASSUPPORT])
    store(house.context, raw.format("The agent is down", 1, 0).encode(), envelope, "smtp")
    with house.context.database.writing() as session:
        (first,) = due.claim(session, house.scheduler.now(), timedelta(seconds=30))
    store(house.context, raw.format("Re: The agent is down", 2, 1).encode(), envelope, "smtp")
    house.fast_forward(0)
    assert [mail.state for mail in mails(house)] == [MailState.STORED, MailState.STORED]
    take_in(house.context, first)
    house.fast_forward(1)
    assert len(messages(house, house.case.id)) == 2


def test_a_mail_to_two_mailboxes_is_two_cases(house: House, maria: Mailbox) -> None:
    house.apply(agreement(("mailboxes:\n", OPERATIONS)))
    raw = f"From: {MARIA_AT}\nTo: {MASSUPPORT}, ops@smatechnologies.com\nSubject: Both\nMessage-ID: <1@x>\n\nText"
    maria.sends(raw.encode())
    maria.sends(raw.encode(), to="ops@smatechnologies.com")
    maria.sends(raw.encode(), to="ops@smatechnologies.com")  # once more: nothing
    assert [case.service for case in house.cases] == ["managed-services", "managed-operations"]
    maria.writes("Re: Both", "More.", to="ops@smatechnologies.com", in_reply_to="<1@x>")
    assert len(messages(house, 1002)) == 2


def test_a_customer_without_a_contract_for_it_is_known_all_the_same(house: House) -> None:
    Mailbox(house, TOM_AT).writes("A question")
    assert (house.case.verified, house.case.due_at) == (True, None)


def test_at_night_a_contract_that_consents_beforehand_calls_at_once(house: House) -> None:
    Mailbox(house, OMAR_AT).writes("P1 the agent is down")
    assert (house.case.priority, house.case.target) == (1, "1 hour")
    house.until(lambda: house.rung)


def test_at_night_an_addition_wakes_nobody_and_in_hours_it_is_told_once(house: House, maria: Mailbox) -> None:
    maria.writes("The agent is down")
    maria.answers(1001, "More.")
    assert sum(len(house.texts(number)) for number in ON_CALL) == 0
    house.it_becomes(DAY)
    for _ in range(3):
        maria.answers(1001, "Still more.")
    house.fast_forward(60)
    assert sum(len(house.texts(number)) for number in ON_CALL) == 1


def test_what_comes_for_a_merged_case_goes_onto_the_other(house: House, maria: Mailbox) -> None:
    first = maria.writes("The agent is down")
    second = maria.writes("Agent still down")
    with house.context.database.writing() as session:
        one, other = (session.merge(case) for case in house.cases)
        merge(session, other, one, handling.somebody(session, "priya"), house.scheduler.now())
    maria.writes("Re: Agent still down", "By reference.", in_reply_to=second)
    maria.answers(1002, "By the address.")
    maria.writes("About [Case 1002]", "By the subject.")
    assert len(messages(house, 1001)) == 4
    assert [case.status for case in house.cases] == ["open", "closed"]
    assert house.shown(1002)["promises"][0]["verdict"] == "excused"
    assert first != second


def test_only_cases_of_one_customer_go_on_in_each_other(
    house: House, maria: Mailbox, stranger: Mailbox
) -> None:
    maria.writes("The agent is down")
    maria.writes("Agent still down")
    Mailbox(house, GRACE_AT).writes("Down here as well")
    stranger.writes("And here")
    with house.context.database.writing() as session:
        one, two, grace, unknown = (session.merge(case) for case in house.cases)
        person, now = handling.somebody(session, "priya"), house.scheduler.now()
        for case, into in ((one, one), (grace, one), (unknown, one)):
            with pytest.raises(NotPossible):
                merge(session, case, into, person, now)
        merge(session, two, one, person, now)
        for case, into in ((two, one), (one, two)):
            with pytest.raises(NotPossible):
                merge(session, case, into, person, now)
