"""Priority 1 by mail: for whom it is owed and proven, at once by day, after a consent to the charges by night."""

from __future__ import annotations

from datetime import timedelta

import pytest

from routing.consents import accept_consent
from tests.house import House
from tests.stories.mailbox import FORGED, GRACE_AT, LENA_AT, MARIA_AT, OMAR_AT, Mailbox
from tests.stories.people import DAY


@pytest.fixture
def maria(house: House) -> Mailbox:
    return Mailbox(house, MARIA_AT, "Maria Alvarez")


def consent(house: House) -> bool:
    """The charges are accepted, however that was said."""
    with house.context.database.writing() as session:
        case = session.merge(house.case)
        now = house.scheduler.now()
        return accept_consent(session, case, now, house.context.policies.current(), now, via="link")


def test_by_day_the_hour_runs_and_the_consultant_is_rung(house: House, maria: Mailbox) -> None:
    house.it_becomes(DAY)
    maria.writes("URGENT: the agent is down")
    assert (house.case.priority, house.case.target) == (1, "1 hour")
    house.until(lambda: house.rung)


def test_by_night_the_consent_starts_the_clock(house: House, maria: Mailbox) -> None:
    maria.writes("The agent is down", "PRIORITY 1\nPlease.")
    case = house.case
    assert (case.priority, case.target) == (4, "2 business days")
    assert case.consent_asked_at is not None
    house.fast_forward(600)
    assert house.rung == {}
    asked_until = house.scheduler.now()
    assert consent(house)
    case = house.case
    assert (case.priority, case.target, case.consented_at) == (1, "1 hour", asked_until)
    assert case.due_at == asked_until + timedelta(hours=1)
    house.until(lambda: house.rung)
    (event,) = house.events("case.consented")
    assert (event.data["old"], event.data["old_target"]) == (4, "2 business days")
    assert [promise["verdict"] for promise in house.shown()["promises"]] == ["running"]
    assert not consent(house), "a consent is given once"


def test_contracts_have_the_last_word(house: House) -> None:
    Mailbox(house, OMAR_AT).writes("P1 down")  # consents beforehand
    Mailbox(house, LENA_AT).writes("P1 down")  # never consents
    assert [(case.priority, case.consent_asked_at) for case in house.cases] == [(1, None), (4, None)]
    assert house.shown(1002)["decision"]["outcome"] == "wait"


def test_nobody_has_it_for_another(house: House, maria: Mailbox) -> None:
    house.it_becomes(DAY)
    maria.writes("P1 down", verdicts=FORGED)
    Mailbox(house, "colleague@lakeside.example").writes("P1 down")
    assert [case.priority for case in house.cases] == [4, 4]
    house.fast_forward(600)
    assert house.rung == {}


def test_a_further_mail_may_ask_for_it(house: House, maria: Mailbox) -> None:
    house.it_becomes(DAY)
    maria.writes("The agent is down")
    house.fast_forward(3600)
    maria.answers(1001, "It is priority 1 now.")
    assert (house.case.priority, house.case.target) == (1, "1 hour")
    assert house.case.due_at == house.scheduler.now() + timedelta(hours=1)
    house.until(lambda: house.rung)
    maria.answers(1001, "It is priority 1 now!")
    assert len(house.events("case.priority-asked")) == 1
    assert len(house.events("page.started")) == 1


def test_at_night_a_further_mail_asks_for_the_consent_first(house: House, maria: Mailbox) -> None:
    maria.writes("The agent is down")
    maria.answers(1001, "It is priority 1 now.")
    assert house.case.priority == 4
    assert house.case.consent_asked_at is not None
    assert consent(house)
    assert house.case.priority == 1
    house.until(lambda: house.rung)


def test_what_is_quoted_or_in_the_old_subject_asks_for_nothing(house: House) -> None:
    lena = Mailbox(house, LENA_AT)
    lena.writes("P1 down")
    lena.answers(1001, "Thanks.\n\nOn Monday we wrote:\n> PRIORITY 1", subject="Re: [Case 1001] P1 down")
    assert house.events("case.priority-refused") == []


@pytest.mark.both_databases
def test_another_customers_contact_cannot_raise_a_case(house: House, maria: Mailbox) -> None:
    house.it_becomes(DAY)
    maria.writes("The agent is down")
    Mailbox(house, GRACE_AT).answers(1001, "PRIORITY 1")
    assert house.case.priority == 4


def test_a_promise_that_was_broken_stays_broken(house: House, maria: Mailbox) -> None:
    maria.writes("The agent is down", "PRIORITY 1")
    house.fast_forward(3 * 24 * 3600)
    assert consent(house)
    verdicts = [promise["verdict"] for promise in house.shown()["promises"]]
    assert sorted(verdicts) == ["missed", "running"]
