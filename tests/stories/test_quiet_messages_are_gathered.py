"""Many quiet messages to one number: as many as carriers tolerate, and then one that tells of the others."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from core import due
from routing.paging.models import Attempt, AttemptState
from tests.house import House
from tests.stories.mailbox import Mailbox
from tests.stories.people import DAY, PRIYA

ALLOWED = 10  # texts in a quarter of an hour


def flood(house: House, count: int) -> None:
    """As many strangers write, each once, in business hours."""
    for number in range(count):
        Mailbox(house, f"s{number}@somewhere{number}.example").writes(f"Hello {number}")


@pytest.mark.both_databases
def test_a_flood_of_mail_becomes_one_text_more(house: House) -> None:
    house.it_becomes(DAY)
    flood(house, ALLOWED + 25)
    house.fast_forward(10)
    assert len(house.texts(PRIYA)) == ALLOWED
    house.fast_forward(15 * 60)
    texts = house.texts(PRIYA)
    assert len(texts) == ALLOWED + 1
    assert (
        f"case {1000 + ALLOWED + 1} on Managed Services, an unknown sender, and 24 other cases." in texts[-1]
    )
    gathered = house.sql(sa.select(Attempt.case_id).where(Attempt.state == AttemptState.GATHERED))
    assert sorted(gathered) == list(range(1000 + ALLOWED + 2, 1000 + ALLOWED + 26))
    assert len(house.events("page.gathered")) == 24, "each case says how its engineer was told"
    house.fast_forward(3600)
    assert len(house.texts(PRIYA)) == ALLOWED + 1, "and nothing goes out for hours"
    waiting = house.sql(sa.select(due.Due.id).where(due.Due.kind == "page.send", due.Due.state == "ready"))
    assert waiting == []


def test_more_mail_about_one_case_is_no_other_case(house: House) -> None:
    house.it_becomes(DAY)
    flood(house, ALLOWED + 1)
    house.fast_forward(15 * 60)
    assert "other case" not in house.texts(PRIYA)[-1]
