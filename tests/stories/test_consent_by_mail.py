"""Priority 1 by mail outside of business hours: the charges are accepted first, on a page or with one word."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from intake.mail.parsing.authentication import Method
from routing import handling
from routing.clocks.models import ResponseCycle
from routing.clocks.rules import NotPossible
from routing.correspondence.models import ConsentRequest
from routing.merging import merge
from simulator.phones import Answers
from tests.stories.correspondent import Correspondent, MailHouse, mail_house, text_of
from tests.stories.mailbox import FORGED, LENA_AT, MARIA_AT, OMAR_AT, PROVEN, STRANGER_AT, messages
from tests.stories.people import DAY, MANAGED, MARIA, PRIYA


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[MailHouse]:
    """A quiet Wednesday night at 02:10."""
    with mail_house(database_url, tmp_path) as house:
        yield house


@pytest.fixture
def maria(house: MailHouse) -> Correspondent:
    return Correspondent(house, MARIA_AT, "Maria Alvarez")


@pytest.fixture
def asked(house: MailHouse, maria: Correspondent) -> Correspondent:
    """Maria has asked for priority 1, and has been asked to accept the charges."""
    maria.writes("P1 the agent is down", "Nothing runs.")
    assert (house.case.priority, house.rung) == (4, {})
    return maria


def request(house: MailHouse) -> ConsentRequest:
    (only,) = house.sql(sa.select(ConsentRequest))
    return only  # type: ignore[no-any-return]


def it_is_urgent(house: MailHouse) -> None:
    """Priority 1, its hour from the consent, and Priya is rung."""
    case, consent = house.case, request(house)
    assert (case.priority, case.target, case.consented_at) == (1, "1 hour", consent.accepted_at)
    assert case.due_at == consent.accepted_at + timedelta(hours=1)
    (cycle,) = house.sql(sa.select(ResponseCycle))
    assert cycle.started_at == consent.accepted_at
    house.until(lambda: house.rings(PRIYA))


def nothing_has_changed(house: MailHouse) -> None:
    house.fast_forward(60)
    assert (house.case.priority, house.case.consented_at, house.rung) == (4, None, {})


def test_it_asks_before_anything_costs(house: MailHouse, asked: Correspondent) -> None:
    text = text_of(asked.latest)
    assert "Your case number is 1001." in text
    assert "outside of our business hours (Monday to Friday, 8 AM to 5 PM)" in text
    assert "Work outside of business hours incurs additional charges." in text
    assert "the single word YES in the first line" in text
    assert "you hear from us within 1 hour" in text
    assert "If you do not accept, there are no charges, and we respond by Thu 05 Mar 2026, 17:00 CST." in text
    assert asked.latest["Auto-Submitted"] == "auto-replied"
    assert len(asked.inbox) == 1, "no receipt besides"
    assert request(house).expires_at == DAY.replace(hour=8)


@pytest.mark.parametrize("word", ["YES", "yes", "Yes.", "  yes!  ", "*YES*"])
def test_one_word_accepts(house: MailHouse, asked: Correspondent, word: str) -> None:
    house.fast_forward(300)
    asked.replies(word)
    assert (request(house).state, request(house).accepted_via) == ("accepted", "mail")
    it_is_urgent(house)
    confirmation = text_of(asked.latest)
    assert "You accepted the additional charges for case 1001 at Wed 04 Mar 2026, 02:1" in confirmation
    assert asked.latest["In-Reply-To"], "it answers the word"
    assert len(house.texts(PRIYA)) == 1, "the page; nobody is told quietly as well"


def test_the_consultant_calls_the_telephone_that_the_policy_has_of_whoever_wrote(
    house: MailHouse, asked: Correspondent
) -> None:
    house.phone(MARIA).behave(Answers(5, hangs_up_after=60))
    asked.replies("YES")
    priya = house.picks_up(PRIYA).hears("They wrote: P1 the agent is down. Nothing runs.")
    priya.hears("To hear the mail, press 2").presses("2").hears("They wrote: P1 the agent is down.")
    priya.presses("5")
    assert "Call back: (512) 555-0142" in house.texts(PRIYA)[0]
    assert [(call.from_, call.direction) for call in house.phone(MARIA).calls] == [(MANAGED, "outbound-dial")]
    assert (house.case.engineer, house.case.response_kind) == ("priya", "call")


def test_a_long_mail_is_read_out_in_part_and_the_latest_words_after_it(
    house: MailHouse, asked: Correspondent
) -> None:
    asked.replies("YES")
    asked.answers(1001, "The log is at https://lakeside.example/log. " + "The payroll run waits. " * 200)
    asked.answers(1001, "I am away.", subject="Out of office", auto_submitted="auto-replied")
    priya = (
        house.picks_up(PRIYA).hears("To accept the case, press 1. To hear the mail, press 2.").presses("2")
    )
    priya.hears("They wrote: P1 the agent is down. Nothing runs.")
    priya.hears("Later they wrote: The log is at (a link) The payroll run waits.")
    priya.hears("There is more of it on the case's page.").does_not_hear("away")


@pytest.mark.parametrize(
    "text",
    ["NO", "Yes please, but not before six.", "Let me ask my boss.\nYES", "> YES", "YESTERDAY", "yes and no"],
)
def test_any_other_words_are_an_ordinary_message(house: MailHouse, asked: Correspondent, text: str) -> None:
    asked.replies(text)
    nothing_has_changed(house)
    assert len(messages(house, 1001)) >= 3


def test_what_is_only_quoted_or_signed_accepts_nothing(house: MailHouse, asked: Correspondent) -> None:
    asked.replies("-- \nYES")
    asked.replies("")
    nothing_has_changed(house)


def test_what_may_be_meant_as_a_consent_is_answered_once(house: MailHouse, asked: Correspondent) -> None:
    asked.replies("Yes please, go ahead.")
    hint = text_of(asked.latest)
    assert "Nobody is called before you accept" in hint
    before = len(asked.inbox)
    asked.replies("Yes, I said.")
    assert len(asked.inbox) == before
    nothing_has_changed(house)
    asked.replies("YES")
    it_is_urgent(house)


def test_nobody_else_can_accept(house: MailHouse, asked: Correspondent) -> None:
    to = asked.latest["Reply-To"].addresses[0].addr_spec
    for address in ("colleague@lakeside.example", STRANGER_AT):
        Correspondent(house, address).writes("Re: it", "YES", to=to)
    nothing_has_changed(house)


def test_a_reply_to_the_question_itself_proves_whose_it_is(house: MailHouse, asked: Correspondent) -> None:
    asked.replies("YES", verdicts=())
    it_is_urgent(house)


@pytest.mark.both_databases
def test_a_sender_who_is_not_proven_cannot_accept(house: MailHouse, asked: Correspondent) -> None:
    to = asked.latest["Reply-To"].addresses[0].addr_spec
    asked.writes("Re: [Case 1001] it", "YES", to=to, verdicts=())
    nothing_has_changed(house)
    assert len(house.events("mail.consent-not-proven")) == 1
    assert "on this page" in text_of(asked.latest)


@pytest.mark.both_databases
def test_a_forged_reply_cannot_accept(house: MailHouse, asked: Correspondent) -> None:
    asked.replies("YES", verdicts=FORGED)
    house.fast_forward(60)
    assert [(case.priority, case.consented_at) for case in house.cases] == [(4, None)] * 2
    assert house.rung == {}


@pytest.fixture
def doubted(house: MailHouse, maria: Correspondent) -> Correspondent:
    """By day: no server says whether it was Maria who asked for priority 1, and she has been asked herself."""
    house.it_becomes(DAY)
    maria.writes("P1 the agent is down", verdicts=())
    house.fast_forward(300)
    assert (house.case.priority, house.rung) == (4, {})
    assert "Was it you?" in text_of(maria.latest)
    assert request(house).about == "sender"
    return maria


def test_a_contact_confirms_that_it_was_they(house: MailHouse, doubted: Correspondent) -> None:
    doubted.replies("YES", verdicts=())
    case, answered = house.case, request(house).accepted_at
    assert answered is not None
    assert (case.priority, case.target, case.consented_at) == (1, "1 hour", None)
    assert case.due_at == answered + timedelta(hours=1)
    assert len(house.events("case.sender-confirmed")) == 1
    assert "You confirmed at" in text_of(doubted.latest)
    house.until(lambda: house.rung)


def test_whoever_wrote_in_their_name_is_not_heard(house: MailHouse, doubted: Correspondent) -> None:
    doubted.writes("Re: [Case 1001] P1 the agent is down", "YES", verdicts=())
    nothing_has_changed(house)


def test_a_confirmation_is_no_consent_to_what_applies_at_night(
    house: MailHouse, doubted: Correspondent
) -> None:
    assert request(house).expires_at == DAY.replace(hour=17), "as its page says"
    house.it_becomes(DAY.replace(hour=17) + timedelta(minutes=1))
    doubted.replies("YES", verdicts=())
    nothing_has_changed(house)


def test_a_contract_that_accepts_beforehand_is_asked_who_wrote(house: MailHouse) -> None:
    omar = Correspondent(house, OMAR_AT)
    omar.writes("P1 the agent is down", verdicts=())
    assert "Was it you?" in text_of(omar.latest)
    nothing_has_changed(house)
    omar.replies("YES", verdicts=())
    assert house.case.priority == 1
    house.until(lambda: house.rings(PRIYA))


@pytest.mark.parametrize("verdicts", [PROVEN, ()])
def test_the_question_never_goes_to_where_a_mail_wants_answers(
    house: MailHouse, maria: Correspondent, verdicts: tuple[Method, ...]
) -> None:
    """Whoever can write Maria's name can write a Reply-To: the answer would prove nothing."""
    maria.writes("P1 the agent is down", verdicts=verdicts, reply_to=STRANGER_AT)
    assert house.office.mail_to(STRANGER_AT) == []
    assert "the single word YES" in text_of(maria.latest)


def test_a_machine_cannot_accept(house: MailHouse, asked: Correspondent) -> None:
    asked.replies("YES", auto_submitted="auto-replied")
    nothing_has_changed(house)


def test_it_is_over_when_business_hours_begin(house: MailHouse, asked: Correspondent) -> None:
    house.it_becomes(DAY)
    asked.replies("YES")
    assert house.case.consented_at is None
    assert house.rung == {}


def test_it_is_asked_anew_in_another_night(house: MailHouse, asked: Correspondent) -> None:
    asked.replies("PRIORITY 1, it is down still.")
    assert len(asked.inbox) == 1, "the question is open"
    house.it_becomes(DAY + timedelta(hours=14))
    asked.replies("PRIORITY 1, it is down again.")
    assert "the single word YES" in text_of(asked.latest)
    assert len(asked.inbox) == 2
    asked.replies("YES")
    assert house.case.consented_at == house.case.due_at - timedelta(hours=1)


def test_in_business_hours_the_keyword_of_the_page_needs_no_consent(
    house: MailHouse, asked: Correspondent
) -> None:
    house.it_becomes(DAY)
    asked.replies("PRIORITY 1, please.")
    assert house.case.priority == 1
    house.until(lambda: house.rings(PRIYA))


def test_a_contract_that_accepts_beforehand_is_not_asked(house: MailHouse) -> None:
    omar = Correspondent(house, OMAR_AT)
    omar.writes("P1 the agent is down")
    assert "Our on-call engineer is being called now." in text_of(omar.latest)
    house.until(lambda: house.rings(PRIYA))


def test_a_contract_that_never_accepts_is_told_so(house: MailHouse) -> None:
    lena = Correspondent(house, LENA_AT)
    lena.writes("P1 the agent is down")
    assert "Your agreement accepts no additional charges" in text_of(lena.latest)
    nothing_has_changed(house)


def test_a_colleague_who_is_not_entitled_is_told_so(house: MailHouse) -> None:
    colleague = Correspondent(house, "colleague@lakeside.example")
    colleague.writes("P1 the agent is down")
    assert "so this is an ordinary request" in text_of(colleague.latest)
    nothing_has_changed(house)


def test_a_case_whose_customer_was_asked_does_not_go_on_in_another(
    house: MailHouse, asked: Correspondent
) -> None:
    """The link and the word are for this case: elsewhere a YES would be a word like any other."""
    asked.writes("The agent is slow")
    with house.context.database.writing() as session:
        one, other = (session.merge(case) for case in house.cases)
        priya = handling.somebody(session, "priya")
        with pytest.raises(NotPossible, match="the answer would be lost"):
            merge(session, one, other, priya, house.scheduler.now())
    house.it_becomes(DAY + timedelta(days=1))
    with house.context.database.writing() as session:
        one, other = (session.merge(case) for case in house.cases)
        merge(session, one, other, handling.somebody(session, "priya"), house.scheduler.now())
    assert house.cases[0].merged_into == 1002
