"""Mail that comes while we are closed wakes nobody, and is told when we open."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.models import Person
from intake.mail import openings
from intake.mail.parsing import Envelope
from intake.mail.receiving import Incoming, store_all
from routing import handling
from routing.business_hours import BusinessCalendar
from tests.house import House
from tests.stories.mailbox import MARIA_AT, MASSUPPORT, STRANGER_AT, Mailbox
from tests.stories.people import DAY, NIGHT, PRIYA, agreement

MORNING = NIGHT.replace(hour=7, minute=59, second=0)


@pytest.fixture
def maria(house: House) -> Mailbox:
    """It is night, and the worker has begun."""
    with house.context.database.writing() as session:
        openings.ensure_scheduled(session, house.scheduler.now())
        openings.ensure_scheduled(session, house.scheduler.now())
    return Mailbox(house, MARIA_AT, "Maria Alvarez")


def it_opens(house: House) -> None:
    house.fast_forward((MORNING - house.scheduler.now()).total_seconds())
    assert house.texts(PRIYA) == [], "we are still closed"
    house.fast_forward(120)


def test_a_case_of_the_night_is_told_when_we_open_and_once(house: House, maria: Mailbox) -> None:
    maria.writes("The agent is slow")
    maria.answers(1001, "It is very slow.")
    it_opens(house)
    (text,) = house.texts(PRIYA)
    assert "1001" in text
    house.fast_forward(6 * 3600)
    assert len(house.texts(PRIYA)) == 1
    assert house.rung == {}


def test_what_was_added_by_night_is_told_as_well(house: House, maria: Mailbox) -> None:
    house.it_becomes(DAY)
    maria.writes("The agent is slow")
    house.fast_forward(3600)
    before = len(house.texts(PRIYA))
    assert before == 1
    house.it_becomes(NIGHT + timedelta(days=1))
    maria.answers(1001, "It is very slow.")
    house.fast_forward(10 * 3600)
    assert len(house.texts(PRIYA)) == before + 1
    assert "wrote or called again" in house.texts(PRIYA)[-1]


@pytest.mark.both_databases
@pytest.mark.parametrize("fields", [{"auto_submitted": "auto-replied"}])
def test_nobody_is_told_of_machines_answers_old_mail_and_what_was_answered(
    house: House, maria: Mailbox, fields: dict[str, str]
) -> None:
    maria.writes("Away", **fields)
    old = f"From: {MARIA_AT}\r\nTo: {MASSUPPORT}\r\nSubject: Old\r\n\r\nx\r\n".encode()
    store_all(house.context, [Incoming(old, Envelope(), "quiet")])
    maria.writes("Answered by night")
    house.fast_forward(60)
    assert len(house.cases) == 3
    with house.context.database.writing() as session:
        priya = session.get_one(Person, "priya")
        case = session.merge(house.cases[-1])
        handling.write(session, case, "It runs.", priya, house.scheduler.now(), public=True)
    it_opens(house)
    assert house.texts(PRIYA) == []


def test_a_mailbox_that_holds_strangers_mail_holds_it(house: House, maria: Mailbox) -> None:
    house.apply(agreement(("unknown_senders: notify", "unknown_senders: hold")))
    Mailbox(house, STRANGER_AT).writes("Buy this")
    maria.writes("The agent is slow")
    it_opens(house)
    assert [("1002" in text) for text in house.texts(PRIYA)] == [True]


def test_more_than_a_handful_are_told_one_handful_after_the_other(
    house: House, maria: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openings, "_AT_ONCE", 2)
    for number in range(3):
        maria.writes(f"Away {number}", auto_submitted="auto-replied")
    maria.writes("The agent is slow")
    it_opens(house)
    house.fast_forward(180)
    assert len(house.texts(PRIYA)) == 1


def test_a_promise_that_nobody_keeps_is_told_on_its_last_day_and_when_it_is_broken(
    house: House, maria: Mailbox
) -> None:
    """Two business days, for which nobody is rung: Thursday at 17:00."""
    maria.writes("The agent is slow")
    it_opens(house)
    house.fast_forward(24 * 3600)
    assert len(house.texts(PRIYA)) == 2
    assert "NOBODY HAS ANSWERED case 1001" in house.texts(PRIYA)[-1]
    house.fast_forward(10 * 3600)
    assert [text.partition(":")[0] for text in house.texts(PRIYA)[2:]] == ["NOBODY HAS ANSWERED case 1001"]
    assert len(house.events("case.breached")) == 1
    assert house.rung == {}


def test_a_desk_that_never_closes_has_nothing_to_tell_later(house: House, maria: Mailbox) -> None:
    with house.context.database.writing() as session:
        always = BusinessCalendar.around_the_clock("America/Chicago")
        now = house.scheduler.now()
        openings._tell_of_last_days(session, house.context, "managed-services", always, now)
        assert openings._tell(session, house.context, "managed-services", always, 0, now) is None
    assert house.texts(PRIYA) == []
