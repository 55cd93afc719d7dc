"""The promise of a case: what stops its clock and what does not, when it breaks, and what is kept of it."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from console import case_commands, promise_commands
from console.commands import main
from core.models import Case, Message
from routing.clocks.models import ResponseCycle
from simulator.phones import Answers, NeverAnswers
from tests.house import House
from tests.stories.people import BELL, DANA, DAY, LENA, MARIA, NIGHT, STRANGER, agreement

DUE = NIGHT + timedelta(hours=1)
Command = Callable[..., Result]


@pytest.fixture
def nightbell(house: House, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command, in the house and by its clock."""
    for commands in (case_commands, promise_commands):
        monkeypatch.setattr(commands, "open_context", lambda: house.context)

    def run(*args: str, fails: bool = False) -> Result:
        result = CliRunner().invoke(main, args)
        assert (result.exit_code != 0) is fails, result.output
        return result

    return run


@pytest.fixture
def asked(house: House) -> Case:
    """Maria has left a voicemail at 02:10, and Dana has accepted; nobody has called Maria."""
    house.phone(DANA).behave(Answers(4, presses="1"))
    house.voicemail_from(MARIA)
    house.fast_forward(60)
    assert house.case.engineer == "dana"
    return house.case


def cycles(house: House) -> list[ResponseCycle]:
    return list(house.sql(sa.select(ResponseCycle).order_by(ResponseCycle.case_id, ResponseCycle.number)))


def cycle(house: House) -> ResponseCycle:
    (only,) = cycles(house)
    return only


def it_shows_its_last_cycle(house: House) -> None:
    case, last = house.case, cycles(house)[-1]
    assert (case.target, case.due_at) == (last.target, last.due_at)
    assert (case.responded_at, case.response_kind) == (last.responded_at, last.response_kind)


def until(house: House, when: datetime) -> None:
    house.fast_forward((when - house.scheduler.now()).total_seconds())


# -- what stops the clock ----------------------------------------------------------------------------------


def test_it_starts_with_the_call_and_not_with_the_case(house: House, asked: Case) -> None:
    running = cycle(house)
    assert running.started_at == NIGHT
    assert asked.opened_at > NIGHT
    assert (running.state, running.target, running.cover, running.due_at) == (
        "running",
        "1 hour",
        "24x7",
        DUE,
    )
    assert running.policy_version == house.decision.policy_version
    assert running.calendar_fingerprint == house.decision.calendar_fingerprint
    assert running.tz_version == house.decision.tz_version
    it_shows_its_last_cycle(house)


def test_it_is_not_stopped_by_an_accepted_page(house: House, asked: Case) -> None:
    assert cycle(house).state == "running"
    assert house.case.responded_at is None
    assert "clock.breach" in house.due()


def test_it_is_not_stopped_by_an_internal_note(house: House, asked: Case, nightbell: Command) -> None:
    nightbell("case", "note", "1001", "Looks like the disk again", "--by", "dana")
    assert cycle(house).state == "running"
    (note,) = house.sql(sa.select(Message).where(Message.author == "engineer"))
    assert not note.public


def test_it_is_not_stopped_by_an_automatic_reply(house: House, asked: Case) -> None:
    with house.context.database.writing() as session:
        automatic = Message(
            case_id=1001, at=house.scheduler.now(), channel="mail", author="system", body="Received."
        )
        session.add(automatic)
    house.fast_forward(5)
    assert automatic.public
    assert cycle(house).state == "running"


def test_it_is_stopped_by_a_public_reply(house: House, asked: Case, nightbell: Command) -> None:
    nightbell("case", "reply", "1001", "We have restarted the agent.", "--by", "dana")
    kept = cycle(house)
    assert (kept.state, kept.response_kind, kept.responded_by) == ("kept", "reply", "dana")
    (message,) = house.sql(sa.select(Message).where(Message.author == "engineer"))
    assert message.public
    assert "clock.breach" not in house.due()
    it_shows_its_last_cycle(house)


def test_it_is_stopped_by_the_connected_call(house: House) -> None:
    house.phone(MARIA).behave(Answers(5, hangs_up_after=60))
    house.voicemail_from(MARIA)
    house.picks_up(DANA).presses("5").waits()
    kept = cycle(house)
    assert (kept.state, kept.response_kind, kept.responded_by) == ("kept", "call", "dana")
    it_shows_its_last_cycle(house)


def test_it_is_stopped_by_what_an_engineer_says(house: House, asked: Case, nightbell: Command) -> None:
    until(house, NIGHT + timedelta(minutes=50))
    nightbell(
        "case", "responded", "1001", "--how", "Called from my own phone", "--at", "02:40", "--by", "dana"
    )
    kept = cycle(house)
    assert (kept.state, kept.response_kind, kept.responded_by) == ("kept", "stated", "dana")
    assert kept.responded_at == NIGHT + timedelta(minutes=30)
    assert kept.said_at == house.scheduler.now()
    assert kept.said_how == "Called from my own phone"
    assert any("Dana Whitfield said" in entry["text"] for entry in house.shown()["timeline"])
    it_shows_its_last_cycle(house)


@pytest.mark.parametrize(
    ("at", "wrong"),
    [("02:05", "before the contact"), ("2026-03-04T02:30", "in the future"), ("noon", "is not a time")],
)
def test_it_takes_no_impossible_time(
    house: House, asked: Case, nightbell: Command, at: str, wrong: str
) -> None:
    said = nightbell("case", "responded", "1001", "--how", "called", "--at", at, "--by", "dana", fails=True)
    assert wrong in said.output
    assert cycle(house).state == "running"


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        (("responded", "1001", "--how", " ", "--by", "dana"), "how the customer was answered is missing"),
        (("responded", "1001", "--how", "called", "--by", "nobody"), "nobody with the key 'nobody'"),
        (("responded", "4711", "--how", "called", "--by", "dana"), "there is no case 4711"),
        (("withdraw", "1001", "--by", "dana"), "no answer that could be withdrawn"),
        (("priority", "1001", "7", "--by", "dana"), "there is no priority 7"),
        (("priority", "1001", "1", "--by", "dana"), "has priority 1 already"),
        (("reopen", "1001", "--by", "dana"), "is open"),
        (("reply", "1001", " ", "--by", "dana"), "the text is empty"),
        (("close", "1001", "--by", "dana"), "nobody has answered the customer"),
    ],
)
def test_it_says_what_cannot_be_done(
    house: House, asked: Case, nightbell: Command, command: tuple[str, ...], wrong: str
) -> None:
    before = len(house.sql(sa.select(Message.id)))
    assert wrong in nightbell("case", *command, fails=True).output
    assert cycle(house).state == "running"
    assert house.case.status == "open"
    assert len(house.sql(sa.select(Message.id))) == before


def test_it_counts_the_first_answer(house: House, asked: Case, nightbell: Command) -> None:
    nightbell("case", "reply", "1001", "On it.", "--by", "dana")
    first = cycle(house).responded_at
    house.fast_forward(300)
    nightbell("case", "reply", "1001", "Done.", "--by", "luis")
    again = nightbell("case", "responded", "1001", "--how", "called", "--by", "luis", fails=True)
    assert "was answered before" in again.output
    assert (cycle(house).responded_at, cycle(house).responded_by) == (first, "dana")


def test_it_runs_on_when_the_answer_is_withdrawn(house: House, asked: Case, nightbell: Command) -> None:
    nightbell("case", "responded", "1001", "--how", "called", "--by", "dana")
    nightbell("case", "withdraw", "1001", "--by", "luis")
    running = cycle(house)
    assert (running.state, running.responded_at, running.said_how, running.due_at) == (
        "running",
        None,
        None,
        DUE,
    )
    until(house, DUE)
    assert cycle(house).state == "overdue"


def test_it_keeps_a_true_answer_when_a_later_call_reaches_a_mailbox(house: House, nightbell: Command) -> None:
    house.phone(MARIA).behave(Answers(5, hangs_up_after=60))
    house.voicemail_from(MARIA)
    dana = house.picks_up(DANA)
    nightbell("case", "reply", "1001", "We are looking into it.", "--by", "luis")
    dana.presses("5").waits().presses("2")
    kept = cycle(house)
    assert (kept.state, kept.response_kind, kept.responded_by) == ("kept", "reply", "luis")


# -- when it breaks ----------------------------------------------------------------------------------------


def test_it_breaks_at_its_instant_and_once(house: House, asked: Case) -> None:
    until(house, DUE - timedelta(seconds=1))
    assert cycle(house).state == "running"
    until(house, DUE + timedelta(hours=5))
    broken = cycle(house)
    assert (broken.state, broken.breached_at) == ("overdue", DUE)
    (event,) = house.events("case.breached")
    assert event.at == DUE
    assert event.data == {
        "cycle": 1,
        "target": "1 hour",
        "due_at": DUE.astimezone(UTC).isoformat(),
        "priority": 1,
    }


def test_it_is_marked_when_the_worker_comes_back(house: House, asked: Case) -> None:
    house.it_becomes(DUE + timedelta(hours=2))
    house.fast_forward(1)
    assert (cycle(house).state, cycle(house).breached_at) == ("overdue", DUE)


def test_it_does_not_break_when_answered(house: House, asked: Case, nightbell: Command) -> None:
    nightbell("case", "reply", "1001", "On it.", "--by", "dana")
    until(house, DUE + timedelta(hours=1))
    assert cycle(house).state == "kept"
    assert house.events("case.breached") == []


def test_it_stays_missed_when_answered_late(house: House, asked: Case, nightbell: Command) -> None:
    until(house, DUE + timedelta(minutes=10))
    assert "too late" in nightbell("case", "reply", "1001", "Sorry for the wait.", "--by", "dana").output
    late = cycle(house)
    assert (late.state, late.breached_at) == ("late", DUE)
    nightbell("case", "withdraw", "1001", "--by", "dana")
    house.fast_forward(600)
    assert (cycle(house).state, cycle(house).breached_at) == ("overdue", DUE)
    assert len(house.events("case.breached")) == 1, "it was broken once"


def test_it_is_kept_when_an_answer_in_time_is_told_late(
    house: House, asked: Case, nightbell: Command
) -> None:
    until(house, DUE + timedelta(minutes=20))
    assert cycle(house).state == "overdue"
    nightbell("case", "responded", "1001", "--how", "called", "--at", "03:05", "--by", "dana")
    kept = cycle(house)
    assert (kept.state, kept.breached_at) == ("kept", None)
    assert kept.said_at is not None
    assert kept.said_at > DUE, "who judges the word sees when it was given"


def test_it_has_no_clock_where_nothing_was_promised(house: House, nightbell: Command) -> None:
    house.call(STRANGER).presses("#").presses("1").leaves()
    unpromised = cycle(house)
    assert (unpromised.state, unpromised.due_at, unpromised.target) == ("unpromised", None, "")
    assert "clock.breach" not in house.due()
    nightbell("case", "reply", "1001", "Who are you with?", "--by", "dana")
    assert cycle(house).state == "answered"


def test_it_is_answered_from_the_start_when_a_colleague_takes_the_call(house: House) -> None:
    house.it_becomes(DAY)
    house.phone("+17135550103").behave(Answers(3, presses="1", hangs_up_after=30))
    house.call(LENA).waits()
    house.fast_forward(60)
    answered = cycle(house)
    assert answered.response_kind == "call"
    assert answered.state in ("kept", "answered")
    assert "clock.breach" not in house.due()


# -- what moves it, and what does not ----------------------------------------------------------------------


def test_it_is_not_moved_by_further_messages(house: House, asked: Case) -> None:
    house.fast_forward(600)
    house.call(MARIA).presses("1").leaves()
    house.fast_forward(30)
    assert len(house.events("case.added-to")) == 1
    assert (cycle(house).started_at, cycle(house).due_at) == (NIGHT, DUE)


def test_it_is_not_moved_by_a_new_policy(house: House, asked: Case) -> None:
    house.apply(agreement(("1: {respond: 1 hour, cover: 24x7}", "1: {respond: 3 hours, cover: 24x7}")))
    until(house, DUE)
    assert (cycle(house).state, cycle(house).due_at) == ("overdue", DUE)


def test_it_is_computed_again_from_the_contact_for_another_priority(
    house: House, asked: Case, nightbell: Command
) -> None:
    house.fast_forward(1200)
    nightbell("case", "priority", "1001", "3", "--by", "luis")
    moved = cycle(house)
    assert (moved.priority, moved.target, moved.cover) == (3, "3 business hours", "business hours")
    assert moved.started_at == NIGHT
    assert moved.due_at == NIGHT.replace(hour=11, minute=0)
    (event,) = house.events("case.priority-changed")
    assert event.person == "luis"
    for key, value in {"old": 1, "old_target": "1 hour", "new": 3, "new_target": "3 business hours", "moved": True,
                       "old_due_at": DUE.astimezone(UTC).isoformat(), "old_verdict": "running"}.items():  # fmt: skip
        assert event.data[key] == value
    it_shows_its_last_cycle(house)
    until(house, DUE + timedelta(hours=1))
    assert cycle(house).state == "running", "the old instant has been cancelled"
    until(house, NIGHT.replace(hour=11, minute=0))
    assert cycle(house).state == "overdue"


def test_it_breaks_at_once_when_the_new_instant_has_gone_by(
    house: House, asked: Case, nightbell: Command
) -> None:
    nightbell("case", "priority", "1001", "3", "--by", "luis")
    until(house, DUE + timedelta(hours=2))
    nightbell("case", "priority", "1001", "1", "--by", "luis")
    house.fast_forward(1)
    assert (cycle(house).state, cycle(house).breached_at) == ("overdue", DUE)
    nightbell("case", "priority", "1001", "2", "--by", "luis")
    house.fast_forward(1)
    assert (cycle(house).state, cycle(house).breached_at) == ("overdue", NIGHT + timedelta(hours=2))
    assert len(house.events("case.breached")) == 1


def test_it_keeps_a_verdict_when_the_priority_changes_afterwards(
    house: House, asked: Case, nightbell: Command
) -> None:
    nightbell("case", "priority", "1001", "3", "--by", "luis")
    until(house, DUE + timedelta(hours=1))
    nightbell("case", "reply", "1001", "On it.", "--by", "dana")
    nightbell("case", "priority", "1001", "1", "--by", "luis")
    kept = cycle(house)
    assert (kept.state, kept.priority, kept.target) == ("kept", 3, "3 business hours")
    assert house.case.priority == 1
    assert not house.events("case.priority-changed")[-1].data["moved"]
    nightbell("case", "withdraw", "1001", "--by", "dana")
    assert (cycle(house).priority, cycle(house).due_at) == (1, DUE), "what runs on is the promise of now"
    house.fast_forward(1)
    assert cycle(house).state == "overdue"


# -- closing and opening again -----------------------------------------------------------------------------


def test_it_closes_what_was_answered(house: House, asked: Case, nightbell: Command) -> None:
    nightbell("case", "reply", "1001", "Done.", "--by", "dana")
    nightbell("case", "close", "1001", "--by", "dana")
    assert (house.case.status, house.case.closed_at) == ("closed", house.scheduler.now())
    assert cycle(house).state == "kept"
    house.voicemail_from(MARIA)
    assert len(house.cases) == 2, "a caller is not offered a closed case"


def test_it_rings_nobody_for_a_case_that_was_closed(house: House, nightbell: Command) -> None:
    house.phone(DANA).behave(NeverAnswers(), NeverAnswers())
    house.voicemail_from(MARIA)
    house.until(lambda: house.rings(DANA))
    nightbell("case", "close", "1001", "--reason", "duplicate", "--by", "luis")
    house.fast_forward(7200)
    assert house.rung == {DANA: 1}
    assert [page.state for page in house.pages] == ["cancelled"]
    assert not [kind for kind in house.due() if kind.startswith(("page.", "clock."))]
    assert house.phone(DANA).ringing is None
    closed = cycle(house)
    assert (closed.state, closed.excuse, closed.excused_by) == ("excused", "duplicate", "luis")
    assert house.events("case.breached") == []


def test_it_stays_missed_when_the_customer_gave_up_too_late(
    house: House, asked: Case, nightbell: Command
) -> None:
    until(house, DUE + timedelta(hours=1))
    nightbell("case", "close", "1001", "--reason", "taken-back", "--by", "dana")
    assert (house.case.status, cycle(house).state, cycle(house).excuse) == ("closed", "overdue", None)


def test_it_starts_anew_when_opened_again(house: House, asked: Case, nightbell: Command) -> None:
    until(house, DUE + timedelta(minutes=5))
    nightbell("case", "reply", "1001", "Sorry.", "--by", "dana")
    nightbell("case", "close", "1001", "--by", "dana")
    assert "is closed" in nightbell("case", "priority", "1001", "2", "--by", "dana", fails=True).output
    house.fast_forward(3600)
    again = house.scheduler.now()
    nightbell("case", "reopen", "1001", "--by", "luis")
    old, new = cycles(house)
    assert (old.number, old.state, old.breached_at) == (1, "late", DUE)
    assert (new.number, new.state, new.started_at, new.due_at) == (
        2,
        "running",
        again,
        again + timedelta(hours=1),
    )
    assert (house.case.status, house.case.closed_at, house.case.responded_at) == ("open", None, None)
    it_shows_its_last_cycle(house)
    house.fast_forward(3600)
    assert cycles(house)[1].state == "overdue"
    assert len(house.events("case.breached")) == 2


def test_it_runs_on_when_an_excuse_was_wrong(house: House, asked: Case, nightbell: Command) -> None:
    nightbell("case", "close", "1001", "--reason", "spam", "--by", "luis")
    assert "reopen it first" in nightbell(
        "case", "responded", "1001", "--how", "called", "--by", "dana", fails=True
    ).output  # fmt: skip
    until(house, DUE + timedelta(hours=1))
    nightbell("case", "reopen", "1001", "--by", "dana")
    house.fast_forward(1)
    assert (cycle(house).state, cycle(house).excuse, cycle(house).breached_at) == ("overdue", None, DUE)


@pytest.mark.both_databases
def test_it_opens_again_when_the_customer_speaks_on_a_case_closed_meanwhile(
    house: House, asked: Case, nightbell: Command
) -> None:
    nightbell("case", "reply", "1001", "Done.", "--by", "dana")
    began = house.scheduler.now()
    maria = house.call(MARIA)
    maria.presses("1")
    nightbell("case", "close", "1001", "--by", "dana")
    maria.leaves()
    house.fast_forward(30)
    assert house.case.status == "open"
    new = cycles(house)[1]
    assert (new.state, new.started_at) == ("running", began)


# -- what is kept and counted ------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_it_proves_every_verdict_and_names_a_forged_one(
    house: House, asked: Case, nightbell: Command
) -> None:
    until(house, DUE + timedelta(minutes=5))
    nightbell("case", "reply", "1001", "Sorry.", "--by", "dana")
    assert "1 promises were computed again, 0 differences" in nightbell("promises", "prove").output
    with house.context.database.writing() as session:
        session.execute(sa.update(ResponseCycle).values(state="kept", tz_version="2001.1"))
    told = nightbell("promises", "prove", fails=True).output
    assert "case 1001, cycle 1: the state is stored as kept, its instants give late" in told
    with house.context.database.writing() as session:
        session.execute(sa.update(ResponseCycle).values(state="late", due_at=DUE - timedelta(minutes=1)))
    told = nightbell("promises", "prove", fails=True).output
    assert "the time zone database has changed since, from 2001.1 to" in told


def test_it_counts_promises_and_lists_the_missed(house: House, asked: Case, nightbell: Command) -> None:
    until(house, DUE + timedelta(minutes=5))
    nightbell("case", "reply", "1001", "Sorry.", "--by", "dana")
    house.voicemail_from(MARIA)
    (row,) = json.loads(nightbell("promises", "--month", "2026-03", "--json").output)
    assert row == {"month": "2026-03", "service": "support", "tier": "elite", "kept": 0, "missed": 1,
                   "share_kept": "0.0 %", "running": 0, "excused": 0}  # fmt: skip
    text = nightbell("promises").output
    assert "0.0 %" in text
    assert "America/Chicago" in text
    (missed,) = json.loads(nightbell("promises", "breaches", "--json").output)
    assert (missed["case"], missed["verdict"], missed["by"]) == (1001, "missed", "dana")
    assert nightbell("promises", "breaches", "--month", "2026-02").output == "none\n"
    assert nightbell("promises", "--csv", "--service", "nothing").output.count("\n") == 1
    assert "is not a month" in nightbell("promises", "--month", "March", fails=True).output


def test_it_shows_the_promises_with_the_case(house: House, asked: Case, nightbell: Command) -> None:
    shown = json.loads(nightbell("case", "1001").output)
    assert shown == json.loads(nightbell("case", "show", "1001").output)
    (promise,) = shown["promises"]
    assert (promise["verdict"], promise["target"], promise["cover"]) == ("running", "1 hour", "24x7")


# -- the form on the signed page ---------------------------------------------------------------------------


def the_form(house: House) -> tuple[str, dict[str, str]]:
    """The page's path, and the fields that a browser would send back untouched."""
    link = house.context.links.case_url(1001).removeprefix(BELL)
    page = house.app.test_client().get(link).get_data(as_text=True)
    found = re.search(r'name="form" value="([^"]+)"', page)
    assert found is not None
    when = re.search(r'name="when" value="([^"]+)"', page)
    assert when is not None
    fields = {
        "form": html.unescape(found[1]),
        "person": "dana",
        "way": "called",
        "when": when[1],
        "words": "",
    }
    return link, fields


def test_it_is_stopped_by_the_form_on_the_page(house: House, asked: Case) -> None:
    house.fast_forward(1200)
    link, fields = the_form(house)
    client = house.app.test_client()
    fields |= {"when": "2026-03-04T02:25", "words": "she restarts <the> agent"}
    answer = client.post(f"{link}/answered", data=fields)
    assert (answer.status_code, answer.headers["Location"]) == (303, link)
    kept = cycle(house)
    assert (kept.state, kept.response_kind, kept.responded_by) == ("kept", "stated", "dana")
    assert kept.responded_at == NIGHT + timedelta(minutes=15)
    assert kept.said_how == "called: she restarts <the> agent"
    page = client.get(link).get_data(as_text=True)
    assert "she restarts &lt;the&gt; agent" in page
    assert "I have answered the customer" not in page
    assert "<script" not in page
    again = client.post(f"{link}/answered", data=fields)
    assert again.status_code == 422
    assert "was answered before" in again.get_data(as_text=True)


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"form": "forged"}, "had been open for too long"),
        ({"form": ""}, "had been open for too long"),
        ({"person": ""}, "There is nobody with the key"),
        ({"way": "by pigeon"}, "choose one of the ways"),
        ({"when": "2026-03-04T01:00"}, "before the contact"),
        ({"when": "2026-03-04T12:00"}, "in the future"),
        ({"when": "soon"}, "is not a time"),
        ({"words": "x" * 3000}, "more than 2000 characters"),
    ],
)
def test_it_says_on_the_page_what_is_wrong(
    house: House, asked: Case, change: dict[str, str], wrong: str
) -> None:
    link, fields = the_form(house)
    answer = house.app.test_client().post(
        f"{link}/answered", data={**fields, "words": "kept words", **change}
    )
    page = html.unescape(answer.get_data(as_text=True))
    assert answer.status_code == 422
    assert wrong in page
    assert change.get("words", "kept words") in page, "what was entered is not lost"
    assert cycle(house).state == "running"


@pytest.mark.both_databases
def test_it_takes_no_form_of_another_case_and_no_forged_link(house: House, asked: Case) -> None:
    link, fields = the_form(house)
    client = house.app.test_client()
    other = client.post(f"{link}/answered", data={**fields, "form": house.context.links.form_token(1002)})
    assert other.status_code == 422
    assert client.post(f"{link}x/answered", data=fields).status_code == 404
    gone = house.context.links.case_url(4711).removeprefix(BELL)
    stranger = {**fields, "form": house.context.links.form_token(4711)}
    assert client.post(f"{gone}/answered", data=stranger).status_code == 404
    assert cycle(house).state == "running"
