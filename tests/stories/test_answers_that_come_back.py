"""Answers that come back as undeliverable after their case has moved on: it was merged, or closed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.models import Case, Person
from intake.cases import reopened_lately
from routing import handling
from routing.correspondence import replies
from routing.correspondence.replies import Answer
from routing.merging import merge
from tests.stories.correspondent import Correspondent, MailHouse, mail_house, text_of
from tests.stories.mailbox import MARIA_AT, messages
from tests.stories.people import DAY, agreement

PRIYA_AT = "priya@nightbell.example"
ANN_AT = "ann@lakeside.example"
PRIYA_BY_MAIL = (
    "quiet: [text, email], email: priya@nightbell.example}",
    "quiet: [email], email: priya@nightbell.example}",
)


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[MailHouse]:
    """A Wednesday at ten; Priya, the consultant on call, is told of things by mail."""
    with mail_house(database_url, tmp_path) as house:
        house.apply(agreement(PRIYA_BY_MAIL))
        house.it_becomes(DAY)
        yield house


@pytest.fixture
def maria(house: MailHouse) -> Correspondent:
    return Correspondent(house, MARIA_AT, "Maria Alvarez")


def answer(house: MailHouse, text: str = "It runs again.", case: int = 1001) -> None:
    """Priya answers from the case's page."""
    with house.context.database.writing() as session:
        writer = session.get_one(Person, "priya")
        replies.reply(
            session, house.context, session.get_one(Case, case), writer, Answer(text), house.scheduler.now()
        )
    house.fast_forward(1)


@pytest.mark.both_databases
@pytest.mark.parametrize("closed", [False, True])
def test_a_report_on_a_case_that_was_merged_leaves_it_so_and_wakes_the_other(
    house: MailHouse, maria: Correspondent, closed: bool
) -> None:
    """The answer was given, the case merged, and then the answer came back."""
    Correspondent(house, ANN_AT, "Ann").writes("The agent is down")
    answer(house)
    maria.writes("Agent still down")
    answer(house, "Try again.", case=1002)
    with house.context.database.writing() as session:
        one, other = (session.merge(case) for case in house.cases)
        priya, now = handling.somebody(session, "priya"), house.scheduler.now()
        merge(session, other, one, priya, now)
        if closed:
            handling.close(session, one, priya, now)
    maria.cannot_be_reached()
    one, other = house.cases
    assert (other.status, other.merged_into, other.responded_at) == ("closed", 1001, None)
    assert house.shown(1002)["promises"][-1]["verdict"] == "excused"
    assert one.status == "open"
    assert [each["verdict"] for each in house.shown(1001)["promises"]] == ["kept", "running"][: 1 + closed]
    assert (messages(house, 1001)[-1].author, messages(house, 1001)[-1].public) == ("system", False)
    house.fast_forward(60)
    told = [text_of(each) for each in house.office.mail_to(PRIYA_AT) if "NOT DELIVERED" in text_of(each)]
    assert told
    assert all("answered case 1001" in each for each in told)
    maria.answers(1002, "Is anybody there?")
    assert messages(house, 1001)[-1].body == "Is anybody there?"


def test_a_report_is_not_counted_among_what_the_customer_opens_again(
    house: MailHouse, maria: Correspondent
) -> None:
    maria.writes("The agent is down")
    answer(house)
    with house.context.database.writing() as session:
        priya = handling.somebody(session, "priya")
        handling.close(session, session.get_one(Case, 1001), priya, house.scheduler.now())
    maria.cannot_be_reached()
    assert house.case.status == "open"
    (event,) = house.events("case.reopened")
    assert event.data["by"] == "report"
    with house.context.database.writing() as session:
        assert reopened_lately(session, house.case, house.scheduler.now()) == 0
