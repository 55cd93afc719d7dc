"""Several workers share one database: nothing is done twice, and the work of a killed one is taken over."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from core import due
from core.due import Claim, Due
from routing.context import Context
from simulator.phones import Answers
from tests.house import House
from tests.stories.people import DANA, MARIA
from worker import HANDLERS, Worker

pytestmark = pytest.mark.every_variant


@pytest.fixture
def house(house: House) -> House:
    """Maria has left a voicemail; no worker has looked yet."""
    caller = house.call(MARIA).presses("1").says()
    caller.call.hang_up()
    return house


def lease_runs_out(house: House) -> None:
    """Time passes for the leases, which run on the machines' clock and not on the story's."""
    with house.context.database.writing() as session:
        past = datetime.now(UTC) - timedelta(seconds=1)
        session.execute(sa.update(Due).where(Due.state == "leased").values(lease_until=past))


def drain(worker: Worker) -> None:
    """Do what is due, one piece after the other."""
    while claims := worker.claim(1):
        worker.do(claims[0])


def ring_out(house: House, worker: Worker) -> None:
    """Let the phones ring and the callbacks come, with ``worker`` at work."""
    for _ in range(30):
        drain(worker)
        house.scheduler.advance(1)


def test_it_never_gives_one_piece_to_two_workers(house: House) -> None:
    mine, yours = house.worker.claim(10), Worker(house.context).claim(10)
    assert mine
    assert yours == []


def test_it_rings_once_when_two_workers_look_at_the_same_moment(house: House) -> None:
    workers = [Worker(house.context), Worker(house.context)]
    start = threading.Barrier(2)

    def work(worker: Worker) -> None:
        start.wait()
        drain(worker)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    house.scheduler.advance(10)
    assert house.rung == {DANA: 1}
    assert house.texted == {DANA: 1}
    assert len(house.events("page.step")) == 1


def test_it_takes_over_from_a_worker_that_died_before_the_call(house: House) -> None:
    """The first one claims all there is and is never heard of again."""
    assert house.worker.claim(10)
    ring_out(house, Worker(house.context))
    assert house.rung == {}
    lease_runs_out(house)
    house.phone(DANA).behave(Answers(2, presses="1"))
    ring_out(house, Worker(house.context))
    assert house.rung == {DANA: 1}
    assert house.texted == {DANA: 1}


def test_it_lets_a_worker_that_lost_its_lease_change_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The slow one comes back after another has done the same step."""
    other, ring = Worker(house.context), HANDLERS["page.ring"]

    def slow(context: Context, claim: Claim) -> None:
        monkeypatch.setitem(HANDLERS, "page.ring", ring)
        lease_runs_out(house)
        drain(other)
        ring(context, claim)

    monkeypatch.setitem(HANDLERS, "page.ring", slow)
    drain(house.worker)
    house.scheduler.advance(10)
    assert house.rung == {DANA: 1}
    assert len(house.events("page.step")) == 1


@pytest.mark.parametrize("died", ["before the call went out", "after the call went out"])
def test_it_rings_once_when_the_worker_dies_in_the_middle_of_a_call(
    house: House, died: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """Not an error that anybody handles: the process is gone."""

    telephony = house.context.telephony
    place_call = telephony.place_call

    def killed(**options: object) -> str:
        monkeypatch.setattr(telephony, "place_call", place_call)
        if died == "after the call went out":
            place_call(**options)  # type: ignore[arg-type]
        raise Killed

    monkeypatch.setattr(telephony, "place_call", killed)
    with pytest.raises(Killed):
        drain(house.worker)
    assert [attempt.state for attempt in house.attempts()] == ["sending"]
    lease_runs_out(house)
    house.phone(DANA).behave(Answers(2, presses="1"))
    ring_out(house, Worker(house.context))
    assert house.rung == {DANA: 1}
    assert house.case.engineer == "dana"
    assert house.attempts()[0].provider_sid == house.phone(DANA).calls[0].sid


def test_it_gives_up_nothing_silently(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails for good is dead, is an event, and makes the health page say so."""

    def broken(_context: Context, _claim: Claim) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setitem(HANDLERS, "audio.fetch", broken)
    monkeypatch.setattr(due, "MAX_ATTEMPTS", 1)
    house.scheduler.advance(2)
    drain(house.worker)
    assert house.due("dead") == ["audio.fetch"]
    assert [event.data["work"] for event in house.events("work.dead")] == ["audio.fetch"]
    answer = house.app.test_client().get("/health")
    assert answer.status_code == 503
    assert any("failed for good" in problem for problem in answer.get_json()["problems"])
    house.fast_forward(5)
    assert house.rings(DANA) == 1, "the page does not wait for what is broken"
