"""Machines write as well: they open and update cases like anybody, wake nobody for nothing, and end no promise."""

from __future__ import annotations

from datetime import timedelta

import pytest

from intake.mail.parsing.authentication import Method
from intake.mail.topics import bare_topic, topic_key
from routing import handling
from routing.clocks.rules import Excuse
from tests.house import House
from tests.stories.mailbox import MARIA_AT, MASSUPPORT, Mailbox, messages, signed
from tests.stories.people import DAY

MONITOR = "nagios@lakeside.example"
MACHINE = {"auto_submitted": "auto-generated"}


@pytest.fixture
def monitor(house: House) -> Mailbox:
    return Mailbox(house, MONITOR, "Monitoring")


def close(house: House, number: int = 1001) -> None:
    with house.context.database.writing() as session:
        case = session.merge(next(case for case in house.cases if case.id == number))
        handling.close(
            session, case, handling.somebody(session, "priya"), house.scheduler.now(), Excuse.TAKEN_BACK
        )


def status(house: House) -> list[str]:
    return [case.status for case in house.cases]


def test_an_alarm_opens_a_case_with_its_promise_and_its_end_goes_onto_it(
    house: House, monitor: Mailbox
) -> None:
    house.it_becomes(DAY)
    monitor.writes("** PROBLEM Host Alert: db1 is DOWN **", **MACHINE)
    house.fast_forward(600)
    monitor.writes("** RECOVERY Host Alert: db1 is UP **", **MACHINE)
    monitor.writes("** PROBLEM Host Alert: db2 is DOWN **", **MACHINE)
    assert [len(messages(house, case.id)) for case in house.cases] == [2, 1]
    assert house.cases[0].target == "2 business days"
    assert house.cases[0].responded_at is None


@pytest.mark.parametrize("verdicts", [(Method("spf", "softfail"),), (Method("dmarc", "fail"),)])
def test_what_probably_is_not_its_own_goes_onto_none_of_its_cases(
    house: House, monitor: Mailbox, verdicts: tuple[Method, ...]
) -> None:
    monitor.writes("PROBLEM: disk full", **MACHINE)
    monitor.writes("RECOVERY: disk full", "Never mind.", verdicts=verdicts, **MACHINE)
    assert [len(messages(house, case.id)) for case in house.cases] == [1, 1]


def test_what_it_says_a_day_later_is_a_new_matter(house: House, monitor: Mailbox) -> None:
    monitor.writes("PROBLEM: disk full", **MACHINE)
    house.fast_forward(timedelta(hours=25).total_seconds())
    monitor.writes("PROBLEM: disk full", **MACHINE)
    assert len(house.cases) == 2


def test_what_it_says_after_the_case_was_closed_is_a_new_matter(house: House, monitor: Mailbox) -> None:
    first = monitor.writes("PROBLEM: disk full", **MACHINE)
    close(house)
    monitor.writes("PROBLEM: disk full", **MACHINE)
    monitor.writes("OK: disk full", references=first, **MACHINE)
    assert status(house) == ["closed", "open"]
    assert len(messages(house, 1002)) == 2


def test_each_voicemail_notice_is_a_matter_of_its_own(house: House) -> None:
    pbx = Mailbox(house, "pbx@lakeside.example")
    for _ in range(2):
        pbx.writes("New voicemail", attach=("message.wav", "audio/wav", b"RIFF"), **MACHINE)
    assert len(house.cases) == 2
    assert all(case.due_at for case in house.cases)


@pytest.mark.parametrize(
    "fields",
    [
        {"auto_submitted": "auto-replied"}, {"x_autoreply": "yes"}, {"precedence": "auto_reply"},
        {"subject": "Automatic reply: out of office"},
    ],
)  # fmt: skip
def test_out_of_office_opens_nothing_again_and_is_no_response(house: House, fields: dict[str, str]) -> None:
    maria = Mailbox(house, MARIA_AT)
    first = maria.writes("The agent is down")
    close(house)
    subject = fields.pop("subject", "Out of office: Re: [Case 1001] The agent is down")
    maria.writes(subject, "I am away.", in_reply_to=first, **fields)
    maria.writes(subject, "I am away.", to=signed(house).case_address(MASSUPPORT, 1001), **fields)
    assert status(house) == ["closed"]
    assert len(messages(house, 1001)) == 3
    assert house.case.responded_at is None


@pytest.mark.both_databases
def test_a_person_opens_it_again_with_a_new_cycle_some_times_a_day(house: House) -> None:
    house.it_becomes(DAY)
    maria = Mailbox(house, MARIA_AT)
    maria.writes("The agent is down")
    with house.context.database.writing() as session:
        case = session.merge(house.case)
        handling.write(
            session,
            case,
            "It is up.",
            handling.somebody(session, "priya"),
            house.scheduler.now(),
            public=True,
        )
    for number in range(6):
        with house.context.database.writing() as session:
            handling.close(
                session, session.merge(house.case), handling.somebody(session, "priya"), house.scheduler.now(),
                Excuse.TAKEN_BACK if number else None,
            )  # fmt: skip
        house.fast_forward(60)
        maria.answers(1001, f"It is down again ({number}).")
        if house.case.status == "closed":
            break
    assert number == 5, "five times in 24 hours"
    assert len(house.events("case.reopened")) == 5
    assert len(house.events("mail.not-reopened")) == 1
    assert len(messages(house, 1001)) == 8, "what it says is there all the same"
    assert len(house.shown()["promises"]) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("PROBLEM: disk full on db1", "RECOVERY: disk full on db1"),
        ("[FIRING:2] DiskFull db1", "[RESOLVED] DiskFull db1"),
        ("** PROBLEM Service Alert: db1/disk is CRITICAL **", "** RECOVERY Service Alert: db1/disk is OK **"),
        ("Backup at 2026-03-04 02:10 failed", "Re: Backup at 2026-03-05 02:10:59 failed"),
        ("[Case 1001] Disk full", "AW: WG: disk  full"),
    ],
)
def test_it_knows_what_an_alarm_is_about(one: str, other: str) -> None:
    assert topic_key(one) == topic_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Job 4711 failed", "Job 4712 failed"),
        ("Disk full on db1", "Disk full on db2"),
        ("New voicemail", "Disk full"),
    ],
)
def test_it_keeps_matters_apart(one: str, other: str) -> None:
    assert topic_key(one) != topic_key(other)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"auto_submitted": "auto-replied"}, "An automatic reply"),
        ({"auto_submitted": "auto-generated"}, "A machine's mail"),
        ({"list_id": "<all.lakeside.example>"}, "A mail to a list"),
        ({}, None),
    ],
)
def test_the_timeline_says_what_wrote(house: House, fields: dict[str, str], told: str | None) -> None:
    maria = Mailbox(house, MARIA_AT)
    maria.writes("Agent state", **fields)
    maria.answers(1001, "Whatever.", subject="The agent", **fields)
    said = [entry["text"] for entry in house.shown()["timeline"]]
    assert (f"{told} came in: The agent" if told else "The customer added a message.") in said
    opened = next(text for text in said if "opened" in text)
    assert opened.startswith(f"{told} opened the case with" if told else "The case was opened with")
    assert opened.endswith(": Agent state") is bool(told)


def test_the_timeline_says_that_somebody_is_out_of_office(house: House) -> None:
    maria = Mailbox(house, MARIA_AT)
    maria.writes("The agent is down")
    maria.answers(1001, "I am away.", subject="Out of office: it", auto_submitted="auto-replied")
    said = [entry["text"] for entry in house.shown()["timeline"]]
    assert "An out-of-office reply came in: Out of office: it" in said
    assert "The customer added a message." not in said


def test_a_subject_that_says_nothing_joins_nothing(house: House, monitor: Mailbox) -> None:
    assert (bare_topic("Re: [Case 1001]"), topic_key("Re:")) == ("", None)
    for _ in range(2):
        monitor.writes("Re:", **MACHINE)
    assert len(house.cases) == 2
