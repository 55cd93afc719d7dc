"""One key press accepts many cases, and the worker writes them in parts: what engineers do in between is not lost."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from core.due import Claim
from core.models import Case
from routing import handling
from routing.paging import acceptance, bundle_work, bundles, pages
from tests.house import House
from tests.stories.people import DANA, LUIS, SAM
from tests.stories.test_an_alert_storm import owners, states, storm
from worker import Worker

pytestmark = pytest.mark.every_variant


@pytest.fixture
def house(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """Seven cases ring with one page; the worker writes two of them at a time, and Dana has just accepted."""
    monkeypatch.setattr(bundle_work, "_AT_ONCE", 2)
    storm(house, 7, 2)
    dana_accepts(house)
    return house


def dana_accepts(house: House) -> None:
    act(
        house,
        "dana",
        lambda session, person: acceptance.accept(session, house.context, page_of(session, house), person),
    )


def take_over(house: House, key: str) -> None:
    act(
        house,
        key,
        lambda session, person: acceptance.take_over(session, house.context, page_of(session, house), person),
    )


def pass_on(house: House, key: str) -> None:
    act(
        house, key,
        lambda session, person: acceptance.pass_on(session, house.context, page_of(session, house), person, 0),
    )  # fmt: skip


def answer(house: House, number: int) -> None:
    """Dana answers the customer of a case."""
    with house.context.database.writing() as session:
        case, dana = session.get_one(Case, number), handling.somebody(session, "dana")
        handling.write(session, case, "It is mended.", dana, house.scheduler.now(), public=True)


def act(house: House, key: str, what: Callable[[Session, object], object]) -> None:
    """Somebody does something, and the worker does not come to its work yet."""
    with house.context.database.writing() as session:
        assert what(session, handling.somebody(session, key)) is acceptance.Answer.DONE


def page_of(session: Session, house: House) -> pages.Page:
    return pages.locked_page(session, house.pages[0].id)


def parts(house: House) -> list[Claim]:
    """The parts of bundles that are due."""
    return [claim for claim in house.worker.claim(50) if claim.kind == bundles.MEMBERS]


def of_some(house: House, *who: str | None) -> list[str | None]:
    assert owners(house) <= set(who), [case.engineer for case in house.cases]
    return [case.engineer for case in house.cases]


def test_a_takeover_in_the_middle_gets_all_of_it(house: House) -> None:
    """What had been written before it is moved, and what is written after it goes to the right one."""
    house.worker.do(parts(house)[0])
    assert of_some(house, "dana", None).count("dana") == 3
    take_over(house, "luis")
    # All that can be moved is moved first, and only then the rest of the acceptance is written.
    claims = parts(house)
    taking = [claim for claim in claims if claim.payload["do"] == bundles.TAKE]
    while taking:
        house.worker.do(taking[0])
        taking = [claim for claim in parts(house) if claim.payload["do"] == bundles.TAKE]
    for claim in claims:
        if claim.payload["do"] == bundles.ACCEPT:
            house.worker.do(claim)
    house.fast_forward(5)
    assert of_some(house, "luis") == ["luis"] * 7


def test_two_takeovers_and_a_pass_leave_nothing_with_anybody(house: House) -> None:
    house.worker.do(parts(house)[0])
    take_over(house, "luis")
    for claim in parts(house):
        house.worker.do(claim)
    take_over(house, "sam")
    pass_on(house, "sam")
    house.fast_forward(10)
    assert of_some(house, None) == [None] * 7
    assert states(house).count("ringing") == 1
    assert states(house).count("joined") == 6
    house.picks_up(LUIS).hears("and 6 other cases").presses("1").hangs_up()
    house.fast_forward(5)
    assert of_some(house, "luis") == ["luis"] * 7


def test_a_part_waits_for_a_takeover_that_is_about_to_be_committed(house: House) -> None:
    """Two sessions: whoever has the lead when a part is written gets the part."""
    (claim,) = parts(house)
    other = threading.Thread(target=Worker(house.context).do, args=(claim,))
    with house.context.database.writing() as session:
        luis = handling.somebody(session, "luis")
        acceptance.take_over(session, house.context, page_of(session, house), luis)
        session.flush()
        other.start()
        other.join(timeout=0.5)
        assert other.is_alive(), "it waits for the lead"
    other.join(timeout=20)
    assert of_some(house, "luis", None).count("luis") == 3
    house.fast_forward(5)
    assert of_some(house, "luis") == ["luis"] * 7


def test_workers_that_write_it_at_the_same_time_as_a_takeover_agree(house: House) -> None:
    workers = [Worker(house.context), Worker(house.context)]
    start = threading.Barrier(3)

    def work(worker: Worker) -> None:
        start.wait()
        for _ in range(12):
            for claim in worker.claim(4):
                worker.do(claim)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    start.wait()
    take_over(house, "luis")
    for thread in threads:
        thread.join(timeout=60)
    house.fast_forward(20)
    assert of_some(house, "luis") == ["luis"] * 7


def test_the_case_that_it_rang_for_is_answered_while_the_others_are_written(house: House) -> None:
    house.worker.do(parts(house)[0])
    answer(house, 1001)
    house.fast_forward(5)
    assert of_some(house, "dana") == ["dana"] * 7
    assert "Case 1002 goes to the next engineer." in house.text(DANA, "PASS 1001")
    house.fast_forward(10)
    assert of_some(house, "dana", None) == ["dana", *[None] * 6]
    house.text(SAM, "ACK 1002")
    house.fast_forward(5)
    assert of_some(house, "dana", "sam") == ["dana", *["sam"] * 6]
