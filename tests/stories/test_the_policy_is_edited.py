"""The policy is edited in the middle of the night: what has begun goes on under the rules that it began with."""

from __future__ import annotations

from simulator.phones import Answers
from tests.house import House
from tests.stories.people import DANA, LUIS, MARIA, PRIYA, SAM, TOM, agreement

_PEOPLE = "members: [dana, luis, priya, sam]"
_STEPS = "".join(f"      - {{ring: {who}, wait_s: 90}}\n" for who in ("on-call", "next", "everyone"))


def test_it_rings_on_by_the_rules_that_the_escalation_began_with(house: House) -> None:
    house.voicemail_from(MARIA)
    house.fast_forward(20)
    assert list(house.rung) == [DANA]
    version = house.apply(
        agreement(
            (_PEOPLE, "members: [sam]"),
            (_STEPS, "      - {ring: sam, wait_s: 30}\n"),
            ("{tier: elite}", "{tier: classic}"),
        )
    )
    house.phone(LUIS).behave(Answers(3, presses="1"))
    house.fast_forward(300)
    assert house.case.engineer == "luis"  # the second step of the old rules; Sam is first by the new ones
    assert SAM not in house.rung
    assert [page.policy_version for page in house.pages] == [version - 1]
    assert house.case.tier == "elite"
    assert house.case.target == "1 hour"


def test_it_rings_the_next_case_by_the_new_rules(house: House) -> None:
    house.apply(agreement(("{tier: classic}", "{tier: elite}"), (_PEOPLE, "members: [sam, priya]")))
    house.phone(SAM).behave(Answers(3, presses="1"))
    house.phone(PRIYA).behave(Answers(3, presses="1"))
    house.voicemail_from(TOM)
    house.fast_forward(60)
    assert house.case.engineer in ("sam", "priya")
    assert DANA not in house.rung
    assert house.pages[0].policy_version == 2


def test_it_goes_on_when_an_edit_takes_away_everything_that_it_rings_by(house: House) -> None:
    house.voicemail_from(MARIA)
    house.fast_forward(20)
    without = agreement(
        (_PEOPLE, "members: [priya, sam]"),
        ("    escalation: support\n  managed-services:", "    escalation: night\n  managed-services:"),
        ("    escalation: support\n\ntiers", "    escalation: night\n\ntiers"),
        ("escalations:\n  support:", "escalations:\n  night:"),
        ("  lakeside:\n", "  lakeside-two:\n"),
        ('support_id: "4471"', 'support_id: "4499"'),
    )
    house.apply(without)
    house.phone(LUIS).behave(Answers(3, presses="1"))
    house.fast_forward(300)
    assert house.rung[DANA] == 1
    assert house.case.engineer == "luis"
