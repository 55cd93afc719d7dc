"""A page that rings goes on ringing, whatever becomes of its rows, of the policy, and of its sentences."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from core.due import Due, DueState
from routing.paging import rows
from simulator.phones import NeverAnswers
from tests.house import House
from tests.stories.disorder import disorder, lost
from tests.stories.people import DANA, LUIS, MARIA, agreement


@pytest.mark.both_databases
def test_it_rings_again_when_the_work_of_a_page_has_been_lost(house: House) -> None:
    for phone in (DANA, LUIS):
        house.phone(phone).behave(NeverAnswers())
    house.worker.start()
    house.company.disturb = disorder(lost("call-status"))
    house.expected_alerts = {11200}
    house.voicemail_from(MARIA)
    house.fast_forward(10)
    with house.context.database.writing() as session:
        gone = sa.update(Due).where(Due.kind.in_((rows.RING, rows.STEP_OVER))).values(state=DueState.DEAD)
        session.execute(gone)
        session.execute(sa.update(Due).where(Due.kind == rows.CHECK).values(state=DueState.CANCELLED))
    before = sum(house.rung.values())
    house.fast_forward(180)
    assert sum(house.rung.values()) > before
    assert house.events("page.revived")


def test_it_rings_for_an_old_case_whose_line_has_been_renamed(house: House) -> None:
    house.voicemail_from(MARIA)
    house.picks_up(DANA).presses("1")
    house.fast_forward(60)
    renamed = agreement(("\n  support:\n    name: support\n", "\n  hotline:\n    name: hotline\n"))
    house.apply(renamed)
    house.call(MARIA).hears("an engineer has it", "press 9").presses("9").hears("calling the next engineer")
    house.fast_forward(2)
    assert house.rung[LUIS] == 1
    assert house.text(LUIS, "ACK 1001") is not None
    assert house.case.engineer == "luis"
