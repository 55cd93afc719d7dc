"""Before a shift its engineer gets a test page, which must be acknowledged; who does not is told of."""

from __future__ import annotations

from datetime import datetime

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from console import oncall_desk
from console.commands import main
from core import due
from intake import reconcile
from routing.drills.models import Drill
from routing.drills.planning import begin
from routing.drills.rules import DrillRule
from simulator.phones import Answers, Mailbox, NeverAnswers
from tests.house import House
from tests.stories.people import CENTRAL, DANA, LUIS, MARIA, agreement

SUNDAY = datetime(2026, 3, 8, 20, 0, tzinfo=CENTRAL)  # Luis takes over from Dana on Monday at 8
DRILLS = "drills:\n  support: {before_min: 30, hours: '08:00-21:00', wait_min: 15}\n"


@pytest.fixture
def evening(house: House) -> House:
    """Sunday evening; drills are held before the shifts of the support schedule."""
    house.apply(agreement() + DRILLS)
    house.it_becomes(SUNDAY)
    begin_work(house)
    house.fast_forward(0)
    return house


def begin_work(house: House) -> None:
    """A worker starts. Nobody calls here: comparing recordings each minute would take most of the time."""
    house.worker.start()
    with house.context.database.writing() as session:
        assert due.cancel(session, reconcile.RECONCILE) == 1


def drills(house: House) -> list[Drill]:
    return list(house.sql(sa.select(Drill).order_by(Drill.id)))


def test_it_rings_before_the_shift_and_is_proved_by_a_key(evening: House) -> None:
    evening.phone(LUIS).behave(Answers(4))
    luis = evening.picks_up_within(LUIS, 3000)
    assert evening.local_time.startswith("20:45")
    luis.hears("This is a drill", "Nothing has happened", "Luis Ortega", "Mon 09 Mar 2026, 08:00", "press 1")
    luis.presses("1").hears("You can be reached")
    assert luis.is_over
    (held,) = drills(evening)
    assert (held.state, held.proved_by, held.person_key) == ("proved", "voice", "luis")
    assert "DRILL, nothing has happened" in evening.texts(LUIS)[0]
    evening.fast_forward(12 * 3600)
    assert evening.rung == {LUIS: 1}
    assert len(drills(evening)) == 1, "once for each shift"
    assert evening.cases == []
    assert evening.events("oncall.drill-failed") == []


@pytest.mark.both_databases
def test_it_is_proved_by_a_text(evening: House) -> None:
    evening.phone(LUIS).behave(NeverAnswers())
    evening.fast_forward(2710)
    assert evening.text(LUIS, "ACK") == "Thank you. You can be reached."
    evening.fast_forward(3600)
    (held,) = drills(evening)
    assert (held.state, held.proved_by) == ("proved", "sms")
    assert evening.rung == {LUIS: 1}, "his phone rings no more"


@pytest.mark.parametrize(
    "luis",
    [NeverAnswers(), Mailbox(after=5, greeting=3, records=20), Answers(3, presses="999")],
    ids=["asleep", "mailbox", "wrong key"],
)
def test_it_tells_who_is_on_call_of_whom_it_did_not_reach(evening: House, luis: NeverAnswers) -> None:
    evening.phone(LUIS).behave(luis)
    evening.fast_forward(2700 + 16 * 60)
    (held,) = drills(evening)
    assert held.state == "unanswered"
    assert evening.rings(LUIS) == 3, "by his rules, as for a case"
    assert "Luis Ortega did not answer the drill for support" in evening.texts(DANA)[-1]
    assert evening.rings(DANA) == 0
    (event,) = evening.events("oncall.drill-failed")
    assert (event.person, event.data["schedule"]) == ("luis", "support")
    evening.phone(LUIS).behave(Answers(4, presses="1"))


@pytest.mark.both_databases
def test_an_unverified_phone_fails_at_once(evening: House) -> None:
    entry = '{name: Luis Ortega, phone: "+17135550102", verified: true, email: luis@nightbell.example}'
    evening.apply(agreement((entry, entry.replace("true", "false"))) + DRILLS)
    evening.fast_forward(2760)
    (held,) = drills(evening)
    assert held.state == "unanswered"
    assert evening.rung == {}


def test_a_real_page_comes_before_the_drill(evening: House) -> None:
    """Luis is being drilled when a case rings him, too: his ACK is the case's."""
    for number in (DANA, LUIS):
        evening.phone(number).behave(NeverAnswers())
    evening.fast_forward(2710)
    evening.voicemail_from(MARIA)
    evening.until(lambda: evening.rings(LUIS) > 1)
    assert evening.text(LUIS, "ACK").startswith("You have case 1001")
    assert drills(evening)[0].state == "ringing"
    assert evening.text(LUIS, "ACK") == "Thank you. You can be reached."


def test_a_late_acknowledgement_counts(evening: House) -> None:
    evening.phone(LUIS).behave(NeverAnswers())
    evening.fast_forward(2700 + 20 * 60)
    assert drills(evening)[0].state == "unanswered"
    assert evening.text(LUIS, "ACK") == "Thank you. You can be reached."
    (held,) = drills(evening)
    assert held.state == "proved"
    assert held.proved_at > held.ends_at


@pytest.mark.both_databases
def test_it_is_held_on_demand_and_listed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oncall_desk, "load_settings", lambda: house.settings)
    monkeypatch.setattr(oncall_desk, "build_context", lambda settings: house.context)
    run = CliRunner().invoke
    done = run(main, ["oncall", "drill", "support", "--person", "luis"])
    assert done.exit_code == 0, done.output
    assert "Luis Ortega gets a drill now" in done.output
    assert "waiting; on demand" in run(main, ["oncall", "drills"]).output
    assert run(main, ["oncall", "drill", "support", "--person", "nobody"]).exit_code == 1
    assert run(main, ["oncall", "drill", "nope"]).exit_code == 1
    assert run(main, ["oncall", "drills", "--failed"]).output == ""
    assert [d.person_key for d in drills(house)] == ["luis"]
    with house.context.database.writing() as session:
        begin(session, house.context, "support", "dana", house.scheduler.now(), DrillRule())
    house.phone(DANA).behave(Answers(3, presses="1"))
    house.fast_forward(60)
    listed = run(main, ["oncall", "drills", "--schedule", "support"]).output
    assert "Dana Whitfield" in listed
    assert "reachable, by voice after" in listed


def test_no_drill_is_held_where_the_policy_has_none(house: House) -> None:
    house.it_becomes(SUNDAY)
    begin_work(house)
    house.fast_forward(4 * 3600)
    assert house.rung == {}
    assert drills(house) == []
