"""The spool: what the database could not take waits on the disk, and is sent in again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from core.models import Case, Event
from tests.webhooks.desk import CALL, MARIA, RECORDING, SUPPORT, Desk, is_well_formed
from webhooks import spool

FORM = {"CallSid": CALL, "From": MARIA, "To": SUPPORT, "Name": "Müller"}
LATER_S = 3600.0


def _files(desk: Desk, suffix: str = ".json") -> list[Path]:
    return sorted(spool.folder(desk.settings).glob(f"*{suffix}"))


def _replay(desk: Desk) -> int:
    return spool.replay(desk.settings, desk.app, desk.clock.now())


@contextmanager
def database_down(desk: Desk) -> Iterator[None]:
    """Every transaction fails, as it does when nobody listens where the database should be."""

    def down(*_: object, **__: object) -> None:
        raise sa.exc.OperationalError("BEGIN", {}, Exception("the database is down"))

    with pytest.MonkeyPatch.context() as patched:
        for way in ("writing", "writing_quickly", "reading"):
            patched.setattr(desk.context.database, way, down)
        yield


def test_it_keeps_a_request_as_it_came(desk: Desk) -> None:
    spool.put(desk.settings, "/twilio/voice", FORM, desk.clock.now())
    (file,) = _files(desk)
    assert spool.waiting(desk.settings) == [file]
    content = json.loads(file.read_text())
    assert (content["path"], content["form"]) == ("/twilio/voice", FORM)
    assert content["received_at"] == desk.clock.now().isoformat()


def test_it_has_nothing_waiting_where_nothing_was_put(desk: Desk) -> None:
    assert spool.waiting(desk.settings) == []
    assert _replay(desk) == 0


def test_it_records_the_caller_and_spools_while_the_database_is_down(desk: Desk) -> None:
    desk.context.policies.current()
    with database_down(desk):
        answer = desk.rings()
    assert is_well_formed(answer)
    assert b"<Record" in answer.data
    assert b"Our system has a problem" in answer.data
    assert len(_files(desk)) == 1
    assert desk.calls == []


def test_it_sends_in_again_with_the_time_at_which_the_request_came(desk: Desk) -> None:
    received = desk.clock.now()
    with database_down(desk):
        desk.rings()
    desk.clock.advance(LATER_S)
    assert _replay(desk) == 1
    assert _files(desk) == []
    (call,) = desk.calls
    assert call.started_at == received
    assert _replay(desk) == 0


@pytest.mark.both_databases
def test_it_sends_in_again_what_came_first_first(desk: Desk) -> None:
    """The ring, the key and the voicemail of one night without a database become one case."""
    with database_down(desk):
        desk.rings()
        desk.clock.advance(5)
        recording = {
            "CallSid": CALL, "RecordingSid": RECORDING, "RecordingStatus": "completed", "RecordingDuration": "8",
            "RecordingUrl": f"https://api.twilio.com/2010-04-01/Accounts/x/Recordings/{RECORDING}",
        }  # fmt: skip
        desk.post("/twilio/recording", recording)
        desk.clock.advance(1)
        desk.post("/twilio/voice/status", {"CallSid": CALL, "CallStatus": "completed"})
    assert len(_files(desk)) == 3
    desk.clock.advance(LATER_S)
    assert _replay(desk) == 3
    with desk.context.database.reading() as session:
        (case,) = session.scalars(sa.select(Case)).all()
    assert case.contact_at == desk.calls[0].started_at


@pytest.mark.both_databases
def test_it_takes_the_ring_of_a_call_that_was_taken_in_meanwhile(desk: Desk) -> None:
    """The first request is spooled, the key press finds the database back and takes the call in without it."""
    began = desk.clock.now()
    with database_down(desk):
        desk.rings()
    desk.clock.advance(20)
    desk.post("/twilio/voice/1", {"CallSid": CALL, "From": MARIA, "To": SUPPORT, "Digits": "1"})
    desk.clock.advance(20)
    assert _replay(desk) == 1
    assert (_files(desk), _files(desk, ".dead")) == ([], [])
    (call,) = desk.calls
    assert call.started_at == began, "the clock starts at the contact"


def test_it_moves_no_promise_that_has_been_given(desk: Desk) -> None:
    with database_down(desk):
        desk.rings()
    desk.clock.advance(20)
    known_at = desk.clock.now()
    desk.leaves_voicemail_without_a_ring()  # at whose end the worker looks into the spool
    assert _files(desk) == []
    with desk.context.database.reading() as session:
        assert session.scalars(sa.select(Case.due_at)).one() == known_at + timedelta(hours=1)
        kinds = session.scalars(sa.select(Event.kind).where(Event.call_sid == CALL)).all()
    assert "call.began-earlier" in kinds


def test_it_takes_the_call_to_have_begun_when_its_first_known_request_came(desk: Desk) -> None:
    """Hours later, out of the spool: the promise does not run from the hour of the repair."""
    pressed = desk.clock.now()
    form = {"CallSid": CALL, "From": MARIA, "To": SUPPORT, "Digits": "1"}
    spool.put(desk.settings, "/twilio/voice/1", form, pressed)
    desk.clock.advance(LATER_S)
    assert _replay(desk) == 1
    assert desk.calls[0].started_at == pressed


def test_it_leaves_waiting_what_still_fails_and_tries_later(desk: Desk) -> None:
    with database_down(desk):
        desk.rings()
        assert _replay(desk) == 0
    (file,) = _files(desk)
    assert json.loads(file.read_text())["tries"] == 1
    assert _replay(desk) == 0, "not before its pause is over"
    desk.clock.advance(10)
    assert _replay(desk) == 1
    assert len(desk.calls) == 1


def test_it_puts_aside_what_never_works(desk: Desk) -> None:
    spool.put(desk.settings, "/twilio/page/999/0", FORM, desk.clock.now())
    for _ in range(300):
        desk.clock.advance(120)
        if not _files(desk):
            break
        _replay(desk)
        file = next(iter(_files(desk)), None)
        if file is not None:  # to the end in big steps
            content = json.loads(file.read_text())
            file.write_text(json.dumps({**content, "tries": content["tries"] + 40}))
    assert _files(desk) == []
    assert len(_files(desk, ".dead")) == 1


@pytest.mark.parametrize("path", ["/nowhere", "/twilio/voice/status/x", "/health"])
def test_it_does_not_take_a_refusal_for_an_answer(desk: Desk, path: str) -> None:
    spool.put(desk.settings, path, FORM, desk.clock.now())
    assert _replay(desk) == 0
    assert len(_files(desk)) == 1


POISON: dict[str, Any] = {
    "empty": "",
    "no JSON": "{",
    "no text": b"\xff\xfe\x00",
    "a list": "[]",
    "a word": '"x"',
    "nothing": "null",
    "no path": {"form": {}, "received_at": "2026-03-04T08:10:00+00:00", "tries": 0},
    "no time": {"path": "/twilio/voice", "form": {}, "tries": 0},
    "a wrong time": {"path": "/twilio/voice", "form": {}, "received_at": "yesterday", "tries": 0},
    "a naive time": {"path": "/twilio/voice", "form": {}, "received_at": "2026-03-04T08:10:00", "tries": 0},
    "a form that is none": {"path": "/x", "form": 7, "received_at": "2026-03-04T08:10:00+00:00", "tries": 0},
    "tries that are none": {
        "path": "/x",
        "form": {},
        "received_at": "2026-03-04T08:10:00+00:00",
        "tries": "x",
    },
}


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON.keys())
def test_it_puts_poison_aside_and_goes_on_with_the_rest(desk: Desk, poison: Any) -> None:
    where = spool.folder(desk.settings)
    where.mkdir(parents=True)
    first = where / "00000000T000000.000000-poison.json"
    if isinstance(poison, bytes):
        first.write_bytes(poison)
    else:
        first.write_text(poison if isinstance(poison, str) else json.dumps(poison))
    spool.put(desk.settings, "/twilio/voice", FORM, desk.clock.now())
    desk.worker.replay_spool()
    assert len(desk.calls) == 1
    assert _files(desk) == []
    assert [file.stem for file in _files(desk, ".dead")] == [first.stem]


def test_it_does_not_mind_that_another_worker_was_quicker(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool.put(desk.settings, "/twilio/voice", FORM, desk.clock.now())
    seen = spool.waiting(desk.settings)
    assert _replay(desk) == 1
    monkeypatch.setattr(spool, "waiting", lambda _settings: seen)
    assert _replay(desk) == 0
    assert len(desk.calls) == 1


def test_it_ignores_a_file_that_is_just_being_written(desk: Desk) -> None:
    where = spool.folder(desk.settings)
    where.mkdir(parents=True)
    (where / "20260304T081000.000000-abc.part").write_text("{")
    assert _replay(desk) == 0
    assert spool.waiting(desk.settings) == []


def test_it_still_records_the_caller_when_even_the_disk_is_full(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with database_down(desk):
        ringing = desk.rings()
        told = desk.post("/twilio/voice/status", {"CallSid": CALL, "CallStatus": "completed"})
    assert is_well_formed(ringing)
    assert b"<Record" in ringing.data
    assert told.status_code == 503, "nobody hears it: Twilio is to say it again"


def test_it_says_something_when_not_even_a_policy_can_be_read(desk: Desk) -> None:
    desk.context.policies.forget()
    desk.context.policies._current = None
    with database_down(desk):
        answer = desk.rings()
    assert is_well_formed(answer)
    assert b"leave your name" in answer.data
    assert b"<Record" in answer.data
