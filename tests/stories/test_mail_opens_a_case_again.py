"""A mail on a closed case opens it again: a new promise, of which its sender is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from core.models import Case, Person
from routing import handling
from routing.clocks.rules import Excuse
from routing.correspondence import replies
from routing.correspondence.replies import Answer
from routing.paging import acceptance, pages
from routing.wording import written_instant
from tests.stories.correspondent import Correspondent, MailHouse, mail_house, text_of
from tests.stories.mailbox import MARIA_AT
from tests.stories.people import DAY, NIGHT, PRIYA, agreement


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[MailHouse]:
    """A Wednesday at ten."""
    with mail_house(database_url, tmp_path) as house:
        house.apply(agreement())
        house.it_becomes(DAY)
        yield house


@pytest.fixture
def maria(house: MailHouse) -> Correspondent:
    return Correspondent(house, MARIA_AT, "Maria Alvarez")


def answer(house: MailHouse) -> None:
    """Priya answers the customer."""
    with house.context.database.writing() as session:
        case, writer = session.get_one(Case, 1001), session.get_one(Person, "priya")
        replies.reply(session, house.context, case, writer, Answer("It runs."), house.scheduler.now())
    house.fast_forward(1)


def close(house: MailHouse) -> None:
    """Priya closes the case, which was answered."""
    with house.context.database.writing() as session:
        handling.close(
            session, session.get_one(Case, 1001), session.get_one(Person, "priya"), house.scheduler.now()
        )


def test_who_opens_a_case_again_is_told_of_the_new_promise(house: MailHouse, maria: Correspondent) -> None:
    maria.writes("The agent is down")
    answer(house)
    close(house)
    maria.replies("It is down again.")
    told = maria.latest
    assert told["Subject"] == "Re: [Case 1001] The agent is down"
    assert told["Auto-Submitted"] == "auto-replied"
    calendar = house.context.policies.current().policy.calendar_of("managed-services")
    assert house.case.due_at is not None
    due = written_instant(house.case.due_at, calendar.zone)
    assert f"Your case 1001 is open again.\n\nWe respond by {due}." in text_of(told)
    assert house.outbox_states == [("receipt", "sent"), ("reply", "sent"), ("reopened", "sent")]
    before = len(maria.inbox)
    maria.replies("And again.")
    assert len(maria.inbox) == before, "it was open"
    answer(house)
    close(house)
    maria.replies("Still down.")
    assert "is open again" in text_of(maria.latest), "each new promise is told"


def test_who_opens_a_case_again_and_asks_for_priority_1_is_asked_about_charges_alone(
    house: MailHouse, maria: Correspondent
) -> None:
    maria.writes("The agent is down")
    answer(house)
    close(house)
    house.it_becomes(NIGHT + timedelta(days=1))
    maria.replies("PRIORITY 1\n\nIt is down again.")
    kinds = [kind for kind, _ in house.outbox_states]
    assert kinds == ["receipt", "reply", "consent-request"]


@pytest.mark.parametrize(
    "fields", [{"auto_submitted": "auto-generated"}, {"list_id": "<all.lakeside.example>"}]
)
def test_no_machine_is_told_that_a_case_is_open_again(
    house: MailHouse, maria: Correspondent, fields: dict[str, str]
) -> None:
    maria.writes("The agent is down")
    answer(house)
    close(house)
    before = len(maria.inbox)
    maria.replies("It is down again.", **fields)
    assert len(maria.inbox) == before
    assert house.cases[0].status == ("open" if "list_id" in fields else "closed")


def test_a_mailbox_without_receipts_does_not_tell_that_a_case_is_open_again(
    house: MailHouse, maria: Correspondent
) -> None:
    address = "    address: MASsupport@smatechnologies.com\n"
    house.apply(agreement((address, f"{address}    receipts: off\n")))
    maria.writes("The agent is down")
    answer(house)
    close(house)
    before = len(maria.inbox)
    maria.replies("It is down again.")
    assert len(maria.inbox) == before
    assert [each.data["mail"] for each in house.events("mail.not-answered")] == ["receipt", "reopened"]


def test_an_urgent_case_that_is_opened_again_is_ordinary_until_it_is_asked_for_more(
    house: MailHouse, maria: Correspondent
) -> None:
    """No hour is promised that nobody is rung for; and what is asked for anew is had anew."""
    maria.writes("P1 the agent is down")
    house.picks_up(PRIYA).presses("1")
    answer(house)
    close(house)
    house.fast_forward(3600)
    maria.replies("Thanks, that was it.")
    assert (house.case.status, house.case.priority, house.case.target) == ("open", 4, "2 business days")
    assert "being called" not in text_of(maria.latest)
    assert any("It came back with priority 4" in each["text"] for each in house.shown()["timeline"])
    house.fast_forward(600)
    assert len(house.events("page.started")) == 1
    maria.replies("PRIORITY 1\n\nIt is down again.")
    assert (house.case.priority, house.case.target) == (1, "1 hour")
    assert len(house.events("page.started")) == 2
    house.until(lambda: house.rung)


@pytest.mark.both_databases
def test_an_urgent_case_that_is_opened_again_by_night_waits_for_the_consent(
    house: MailHouse, maria: Correspondent
) -> None:
    maria.writes("P1 the agent is down")
    house.picks_up(PRIYA).presses("1")
    answer(house)
    close(house)
    house.it_becomes(NIGHT + timedelta(days=1))
    maria.replies("PRIORITY 1\n\nIt is down again.")
    assert (house.case.priority, house.outbox_states[-1][0]) == (4, "consent-request")
    maria.replies("YES")
    assert (house.case.priority, house.case.target) == (1, "1 hour")
    assert house.case.due_at == house.scheduler.now() + timedelta(hours=1)
    house.until(lambda: house.rung)


def test_a_promise_that_was_never_kept_runs_on_when_its_case_is_opened_again(
    house: MailHouse, maria: Correspondent
) -> None:
    maria.writes("P1 the agent is down")
    house.picks_up(PRIYA).presses("1")
    with house.context.database.writing() as session:
        priya = session.get_one(Person, "priya")
        case, now = session.get_one(Case, 1001), house.scheduler.now()
        handling.close(session, case, priya, now, Excuse.TAKEN_BACK)
    maria.replies("It is down, I say.")
    assert (house.case.status, house.case.priority, house.case.target) == ("open", 1, "1 hour")


def test_who_has_it_is_told_once_with_each_promise(house: MailHouse, maria: Correspondent) -> None:
    maria.writes("P1 the agent is down")
    house.picks_up(PRIYA).presses("1")
    answer(house)
    close(house)
    house.fast_forward(3600)
    maria.replies("PRIORITY 1\n\nIt is down again.")
    house.picks_up(PRIYA).presses("1")
    house.fast_forward(5)
    assert "Priya has your case 1001." in text_of(maria.latest)
    with house.context.database.writing() as session:
        page = pages.latest_page(session, session.get_one(Case, 1001))
        luis = handling.somebody(session, "luis")
        assert page is not None
        assert acceptance.take_over(session, house.context, page, luis) is acceptance.Answer.DONE
    house.fast_forward(5)
    kinds = [kind for kind, _ in house.outbox_states]
    assert kinds == ["receipt", "accepted", "reply", "reopened", "accepted"], "not of whom takes it over"
