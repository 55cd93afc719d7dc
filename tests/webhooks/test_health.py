"""/health: 200 when calls are answered and somebody can be rung; 503 and the reasons otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from core import due
from core.due import Due, DueState
from core.heartbeat import MAIL, beat, mailbox_kind
from routing.policies import PolicyVersion
from tests.webhooks.desk import Desk
from tests.webhooks.test_spool import database_down
from webhooks import spool


def _health(desk: Desk) -> tuple[int, dict[str, Any]]:
    answer = desk.app.test_client().get("/health")
    assert answer.is_json
    return answer.status_code, dict(answer.get_json())


def test_it_is_well_when_a_worker_is_alive(desk: Desk) -> None:
    desk.worker.beat()
    assert _health(desk) == (200, {"ok": True, "problems": [], "spooled": 0, "forged": 0})


def test_it_says_that_nobody_would_be_rung_without_a_worker(desk: Desk) -> None:
    status, body = _health(desk)
    assert (status, body["ok"]) == (503, False)
    assert body["problems"] == ["no worker is running: nobody would be rung"]


def test_it_notices_a_worker_that_has_died_and_one_that_came_back(desk: Desk) -> None:
    desk.worker.beat()
    desk.clock.advance(29)
    assert _health(desk)[0] == 200
    desk.clock.advance(2)
    assert _health(desk)[0] == 503
    desk.worker.beat()
    assert _health(desk)[0] == 200


def test_it_misses_the_mail_process_where_mail_comes_in(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(smtp_listen="smtp://127.0.0.1:2525")
    desk.worker.beat()
    assert _health(desk)[1]["problems"] == ["no mail process is running: mail waits at its sender"]
    with desk.context.database.writing() as session:
        beat(session, "host:1", desk.clock.now(), MAIL)
    assert _health(desk)[0] == 200


def test_it_misses_a_mailbox_that_is_not_read(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(imap_url="imaps://u:p@one.example/INBOX imaps://u:p@two.example/INBOX")
    desk.worker.beat()
    with desk.context.database.writing() as session:
        for kind in (MAIL, mailbox_kind(1)):
            beat(session, "host:1", desk.clock.now(), kind)
    expected = ["mailbox 2 is not being read; the log of the mail process says why"]
    assert _health(desk)[1]["problems"] == expected
    with desk.context.database.writing() as session:
        beat(session, "host:1", desk.clock.now(), mailbox_kind(2))
    assert _health(desk)[0] == 200


def test_it_takes_no_mail_process_for_a_worker(desk: Desk) -> None:
    with desk.context.database.writing() as session:
        beat(session, "host:1", desk.clock.now(), MAIL)
    assert _health(desk)[1]["problems"] == ["no worker is running: nobody would be rung"]


def test_it_tells_of_work_that_failed_for_good(desk: Desk) -> None:
    desk.worker.beat()
    with desk.context.database.writing() as session:
        for _ in range(2):
            due.enqueue(session, "test", "case:1", desk.clock.now())
        session.flush()
        session.execute(sa.update(Due).values(state=DueState.DEAD))
    status, body = _health(desk)
    assert status == 503
    assert body["problems"] == ["2 pieces of due work failed for good; see: nightbell due"]


def test_it_counts_what_waits_in_the_spool(desk: Desk) -> None:
    desk.worker.beat()
    spool.put(desk.settings, "/twilio/voice", {}, desk.clock.now())
    assert _health(desk) == (200, {"ok": True, "problems": [], "spooled": 1, "forged": 0})


def test_it_counts_what_was_held_back_of_a_burst_of_forged_requests(desk: Desk) -> None:
    desk.worker.beat()
    for _ in range(7):
        assert desk.post("/twilio/voice", {"CallSid": "CA1"}, token="forged").status_code == 403
    assert desk.forged == 1, "a flood must not become writes"
    assert _health(desk)[1]["forged"] == 7
    for _ in range(3):
        desk.post("/twilio/voice", {"CallSid": "CA1"}, token="forged")
    desk.app.test_client().get("/health/web")
    assert desk.forged == 10


def test_it_does_not_know_the_count_without_a_database_and_loses_none(desk: Desk) -> None:
    desk.worker.beat()
    with database_down(desk):
        desk.post("/twilio/voice", {"CallSid": "CA1"}, token="forged")
        assert _health(desk)[1]["forged"] is None
    assert _health(desk)[1]["forged"] == 1


def test_it_tells_that_the_database_does_not_answer(desk: Desk) -> None:
    desk.worker.beat()
    with database_down(desk):
        status, body = _health(desk)
    assert (status, body["problems"]) == (503, ["the database does not answer"])


def test_it_tells_what_to_do_without_a_policy(desk: Desk) -> None:
    desk.worker.beat()
    with desk.context.database.writing() as session:
        session.execute(sa.delete(PolicyVersion))
    status, body = _health(desk)
    assert status == 503
    assert "nightbell policy apply" in body["problems"][0]


@pytest.mark.parametrize("document", ["company: [", "company: Acme"])
def test_it_tells_of_a_policy_that_a_new_release_cannot_read_and_callers_are_recorded(
    desk: Desk, document: str
) -> None:
    desk.worker.beat()
    with desk.context.database.writing() as session:
        session.execute(sa.update(PolicyVersion).values(document=document))
    desk.context.policies._current, desk.context.policies._by_version = None, {}
    desk.context.policies.forget()
    status, body = _health(desk)
    assert status == 503
    assert "cannot be read" in body["problems"][0]
    answer = desk.rings()
    assert answer.status_code == 200
    assert b"<Record" in answer.data


def test_it_keeps_a_process_without_a_worker_in_the_load_balancer(desk: Desk) -> None:
    answer = desk.app.test_client().get("/health/web")
    assert (answer.status_code, answer.get_json()) == (200, {"ok": True})
