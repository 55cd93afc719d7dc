"""Other systems are told of events: each once or more, signed, in spite of failures, beside the ringing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from core.due import Due
from core.models import Event, record
from core.signed_post import signature
from routing import hooks
from routing.hooks import HookDelivery
from tests.house import House
from tests.receiver import Receiver, receiver
from tests.stories.people import DANA, MARIA, agreement


@pytest.fixture
def crm() -> Iterator[Receiver]:
    """The customer file of somebody else's making."""
    with receiver() as other:
        yield other


def policy(
    crm: Receiver, events: str = "[case.opened, page.accepted, case.responded]", more: str = ""
) -> str:
    hook = f"webhooks:\n  crm: {{url: '{crm.url}/in', secret: known to both, events: {events}}}\n"
    return agreement() + hook + more


def kinds(crm: Receiver) -> list[str]:
    return [posted.json["kind"] for posted in crm.posted]


def case_is_opened(house: House, times: int = 1) -> None:
    """As far as other systems see: nobody rings for it, which makes a story short."""
    with house.context.database.writing() as session:
        for _ in range(times):
            record(session, "case.opened", house.scheduler.now())


def test_it_tells_what_was_asked_for_within_seconds(house: House, crm: Receiver) -> None:
    house.apply(policy(crm))
    house.voicemail_from(MARIA)
    house.fast_forward(6)
    assert kinds(crm) == ["case.opened"]
    house.picks_up(DANA).presses("1").hangs_up()
    house.fast_forward(6)
    assert kinds(crm) == ["case.opened", "page.accepted"]
    accepted = crm.posted[1]
    (event,) = house.events("page.accepted")
    assert accepted.path == "/in"
    assert accepted.headers["Idempotency-Key"] == f"event-{event.id}"
    timestamp = int(accepted.headers["Nightbell-Signature"].partition(",")[0].removeprefix("t="))
    at = datetime.fromtimestamp(timestamp, UTC)
    assert accepted.headers["Nightbell-Signature"] == signature("known to both", accepted.body, at)
    assert accepted.json["at"] == event.at.isoformat()
    assert accepted.json["person"] == "dana"
    assert accepted.json["case"] == {
        "number": 1001, "service": "support", "status": "open", "priority": 1, "customer": "lakeside",
        "tier": "elite", "title": house.case.title, "engineer": "dana",
        "due_at": house.case.due_at.isoformat(), "responded_at": None,
    }  # fmt: skip
    house.fast_forward(600)
    assert len(crm.posted) == 2, "nothing is told twice"


def test_it_tells_all_events_of_a_group(house: House, crm: Receiver) -> None:
    house.apply(policy(crm, "[page.*]"))
    house.voicemail_from(MARIA)
    house.fast_forward(20)
    assert {"page.started", "page.step", "page.voice-sent", "page.sms-sent"} == set(kinds(crm))


def test_it_tells_nothing_of_what_happened_before(house: House, crm: Receiver) -> None:
    house.voicemail_from(MARIA)
    house.apply(policy(crm))
    house.fast_forward(20)
    assert crm.posted == []
    assert house.due().count("hook.scan") == 1


@pytest.mark.both_databases
def test_it_goes_on_where_it_was_when_the_policy_is_applied_again(house: House, crm: Receiver) -> None:
    house.apply(policy(crm))
    caller = house.call(MARIA).presses("1").says()
    caller.call.hang_up()
    house.worker.run_due()
    house.apply(policy(crm))
    house.apply(policy(crm))
    house.fast_forward(20)
    assert kinds(crm) == ["case.opened"]
    assert house.due().count("hook.scan") == 1


def test_it_stops_looking_when_the_policy_has_no_webhooks_any_more(house: House, crm: Receiver) -> None:
    house.apply(policy(crm))
    house.apply(agreement())
    house.voicemail_from(MARIA)
    house.fast_forward(20)
    assert crm.posted == []
    assert "hook.scan" not in house.due()


def test_it_tries_again_until_the_other_system_is_back(house: House, crm: Receiver) -> None:
    house.apply(policy(crm))
    crm.status = 503
    case_is_opened(house)
    house.fast_forward(600)
    tries = len(crm.posted)
    assert 6 < tries < 12, "with growing pauses"
    assert len({posted.headers["Idempotency-Key"] for posted in crm.posted}) == 1
    assert "hook.send" in house.due()
    assert "the receiver answered HTTP 503" in house.errors_of_due_work
    crm.status = 200
    house.fast_forward(900)
    assert len(crm.posted) == tries + 1
    assert "hook.send" not in house.due()


def test_it_gives_up_in_the_end_and_raises_an_alarm(
    house: House, crm: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a day in real life; a story of a day would be long."""
    assert timedelta(days=1) == hooks._GIVE_UP_AFTER
    monkeypatch.setattr(hooks, "_GIVE_UP_AFTER", timedelta(minutes=5))
    house.apply(policy(crm, "[case.opened, work.dead]"))
    crm.status = 503
    case_is_opened(house)
    house.fast_forward(250)
    assert house.due("dead") == []
    house.fast_forward(300)
    assert house.due("dead") == ["hook.send"]
    assert len(house.events("work.dead")) == 1
    house.fast_forward(60)
    assert len(house.events("work.dead")) == 1, "that it could not be told is not told in turn"


def test_it_does_not_try_again_what_is_refused_for_good(house: House, crm: Receiver) -> None:
    house.apply(policy(crm))
    crm.status = 410
    case_is_opened(house)
    house.fast_forward(600)
    assert len(crm.posted) == 1
    assert house.due("dead") == ["hook.send"]


@pytest.mark.both_databases
def test_it_asks_a_receiver_that_fails_once_for_all_that_waits(house: House, crm: Receiver) -> None:
    house.apply(policy(crm))
    crm.status = 503
    case_is_opened(house, times=50)
    house.fast_forward(5.5)
    assert len(crm.posted) < 5
    crm.status = 200
    crm.posted.clear()
    house.fast_forward(120)
    assert len({posted.json["id"] for posted in crm.posted}) == 50
    assert len(crm.posted) == 50


def test_it_tells_an_event_that_appears_after_a_later_one(house: House, crm: Receiver) -> None:
    """Its number was given out earlier, but its transaction took longer."""
    house.apply(policy(crm))
    now = house.scheduler.now()
    with house.context.database.writing() as session:
        latest = session.scalar(sa.select(sa.func.max(Event.id)))
        session.add(Event(id=latest + 2, at=now, kind="case.opened", data={}))
    house.fast_forward(20)
    assert len(crm.posted) == 1
    with house.context.database.writing() as session:
        session.add(Event(id=latest + 1, at=now, kind="case.opened", data={}))
    house.fast_forward(20)
    assert [posted.json["id"] for posted in crm.posted] == [latest + 2, latest + 1]
    house.fast_forward(200)
    assert len(crm.posted) == 2
    assert house.sql(sa.select(HookDelivery)) == [], "what lies behind is forgotten"


def test_it_takes_more_events_than_one_look_does(
    house: House, crm: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "_BATCH", 10)
    house.apply(policy(crm))
    case_is_opened(house, times=35)
    house.fast_forward(6)
    assert len({posted.json["id"] for posted in crm.posted}) == len(crm.posted) == 35


@pytest.mark.both_databases
def test_it_sends_one_at_a_time(house: House, crm: Receiver) -> None:
    """A receiver that hangs must not hold all threads: phones are rung by them too."""
    house.apply(policy(crm))
    case_is_opened(house, times=3)
    (scan,) = house.worker.claim(1)
    house.worker.do(scan)
    claims = house.worker.claim(4)
    assert [claim.kind for claim in claims] == ["hook.send"] * 3
    for claim in reversed(claims):
        house.worker.do(claim)
    assert len(crm.posted) == 1
    house.fast_forward(2)
    assert len(crm.posted) == 3


def test_it_looks_for_events_without_making_rows(house: House, crm: Receiver) -> None:
    house.apply(policy(crm))
    house.fast_forward(600)
    scans = house.sql(sa.select(Due).where(Due.kind == "hook.scan"))
    assert len(scans) == 1
    assert scans[0].due_at - house.scheduler.now() <= timedelta(seconds=5)
