"""A whole night: one asleep, one mailbox, one wrong key, a late key press, and an edit of the policy meanwhile."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from simulator.phones import Answers, Mailbox, NeverAnswers
from tests.house import House
from tests.stories.people import CENTRAL, DANA, ENGINEERS, LUIS, MARIA, NIGHT, PRIYA, SAM, agreement

STEPS = "".join(f"      - {{ring: {who}, wait_s: 90}}\n" for who in ("on-call", "next", "everyone"))
ONE_BY_ONE = "".join(f"      - {{ring: {who}, wait_s: 90}}\n" for who in ("on-call", "next", "next", "next"))
MINUTE = timedelta(minutes=1)


def told(house: House) -> list[str]:
    """The timeline of the case."""
    return [entry["text"] for entry in house.shown()["timeline"]]


def test_a_night_with_four_engineers(house: House) -> None:
    house.apply(agreement((STEPS, ONE_BY_ONE)))
    house.phone(DANA).behave(NeverAnswers())
    house.phone(LUIS).behave(Mailbox(after=5, greeting=3, records=60))
    house.phone(PRIYA).behave(Answers(4, presses="999"))
    house.voicemail_from(MARIA)
    house.until(lambda: house.rings(LUIS))
    assert house.rung == {DANA: 1, LUIS: 1}, "Dana sleeps through it"

    # Somebody edits the policy: the next page will have two steps, this one goes on by its own four.
    house.apply(agreement((STEPS, "      - {ring: luis, wait_s: 30}\n")))
    house.until(lambda: house.rings(PRIYA))
    assert house.attempts()[1].state in ("no-key", "answered"), "a mailbox has pressed no key"
    house.until(lambda: house.rings(SAM))
    assert house.attempts()[2].state == "no-key", "a wrong key is none"
    assert house.rung == {DANA: 1, LUIS: 1, PRIYA: 1, SAM: 1}

    # Sam listens until his step is over and the last one is repeated; then he passes: it must not escalate twice.
    house.phone(SAM).behave(Answers(3))
    sam = house.picks_up(SAM)
    position = house.pages[0].position
    while house.pages[0].position == position:
        sam.presses("2")
    assert house.pages[0].position == position + 1
    sam.presses("3").hears("Passed on")
    house.fast_forward(2)
    assert house.pages[0].position == position + 1
    assert len(house.events("page.passed")) == 1

    house.phone(SAM).behave(Answers(4, presses="1"))
    house.until(lambda: house.case.engineer)
    assert house.case.engineer == "sam"
    assert house.pages[0].policy_version < house.context.policies.current().version
    assert "Sam Keller accepted the case." in told(house)

    # He falls asleep over it, is reminded, and answers the customer from the reminder.
    house.phone(SAM).behave(Answers(3))
    house.phone(MARIA).behave(Answers(3, hangs_up_after=30))
    sam = house.picks_up_within(SAM, 3600)
    assert NIGHT + 30 * MINUTE <= house.scheduler.now() < NIGHT + 31 * MINUTE
    sam.hears("still waits for an answer").presses("5")
    sam.hangs_up()
    house.fast_forward(7200)
    assert house.case.responded_at is not None
    assert house.case.responded_at < house.case.due_at
    assert house.events("case.breached") == []
    assert [page.state for page in house.pages] == ["acknowledged"]
    assert house.due("dead") == []


@pytest.mark.parametrize(
    "night",
    [datetime(2026, 11, 1, 1, 40, tzinfo=CENTRAL), datetime(2026, 3, 8, 1, 40, tzinfo=CENTRAL)],
    ids=["the hour that comes twice", "the hour that there is not"],
)
def test_a_night_of_clock_change_is_as_long_as_any_other(house: House, night: datetime) -> None:
    """Steps, reminders and the breach are cut from an hour of sixty minutes, whatever the clocks show."""
    shares = "      - {ring: on-call}\n      - {ring: next, at: 0.25}\n      - {ring: everyone, at: 0.5}\n"
    by_text = agreement((STEPS, shares)).replace("verified: true,", "verified: true, rules: [{use: text}],")
    house.it_becomes(night)
    house.apply(by_text)
    house.voicemail_from(MARIA)
    page = house.pages[0]
    left = house.case.due_at - page.started_at
    assert house.case.due_at - house.case.contact_at == timedelta(hours=1)
    house.until(lambda: len(house.events("page.step")) == 2, within=3600)
    assert house.events("page.step")[1].at == page.started_at + left / 4
    house.text(ENGINEERS[0], "ACK 1001")
    house.until(lambda: house.events("case.reminded"), within=3600)
    assert house.events("case.reminded")[0].at == house.case.contact_at + timedelta(minutes=30)
    house.until(lambda: house.events("case.breached"), within=3600)
    house.fast_forward(5)
    assert house.pages[1].started_at - house.case.contact_at == timedelta(hours=1)
