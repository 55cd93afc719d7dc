"""The night call's own parts: which key is pressed, how the story is laid out, and when it has failed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from simulated_app import DANA, LINE, LUIS, MARIA

from simulator.audio import SAMPLE_FILE, silence, wav
from simulator.night_cast import Engineer, Prompter, key_for
from simulator.night_desk import START_IT, Desk, NightError, line_of, must_be_heard
from simulator.night_ending import Ending, case_lines, missing, moral, promises
from simulator.night_story import BROKEN, KEPT, OPEN, Beat, Paper, Watcher, shown_number, voicemail_left_at

NIGHT = datetime(2026, 3, 4, 8, 10, tzinfo=UTC)  # 02:10 in Chicago
PAPER = Paper("America/Chicago", colour=False, width=80)


def at(seconds: float) -> str:
    return (NIGHT + timedelta(seconds=seconds)).isoformat()


def item(seconds: float, kind: str, text: str = "", length: float = 1.0) -> dict[str, Any]:
    return {"time": at(seconds), "kind": kind, "text": text, "seconds": length}


def call(sid: str = "CA1", phone: str = MARIA, direction: str = "inbound", **more: Any) -> dict[str, Any]:
    own, other = (phone, LINE) if direction == "inbound" else (LINE, phone)
    return {
        "sid": sid, "from": own, "to": other, "phone": phone, "direction": direction, "status": "completed",
        "started": at(0), "ended": at(60), "heard": [], "did": [], **more,
    }  # fmt: skip


def voicemail(**more: Any) -> dict[str, Any]:
    heard = [item(1, "say", "We respond within 1 hour of this call.")]
    did = [item(5, "pressed", "1"), item(20, "said", "OpCon is down.", 9), item(29, "pressed", "#")]
    return call(heard=heard, did=did, **more)


def state(*calls: dict[str, Any], sms: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {
        "numbers": [{"number": LINE, "name": "Support", "voice_url": "http://127.0.0.1:9/voice"}],
        "callers": [{"number": MARIA, "name": "Maria Alvarez"}],
        "phones": [{"number": DANA, "name": "Dana Whitfield", "sms": list(sms)}],
        "calls": list(calls),
    }


def case(**more: Any) -> dict[str, Any]:
    return {
        "number": 1042, "title": "Voicemail from Maria", "status": "open", "priority": 1,
        "service": "Customer Support",
        "customer": "Lakeside Credit Union", "tier": "Elite", "callback": {"shown": "(512) 555-0142"},
        "contact_at": "Wed 04 Mar 2026, 02:10 CST", "target": "1 hour", "due_at": "Wed 04 Mar 2026, 03:10 CST",
        "left": "58 minutes left to respond.", "late": False, "responded_at": None, "engineer": "Luis Ortega",
        "acknowledged_at": "Wed 04 Mar 2026, 02:11 CST",
        "timeline": [{"clock": "02:10:00", "text": "A call came in."}],
        "voicemails": [{"seconds": 9, "stored": True, "sha256": "ab" * 32, "transcript": None}],
        "decision": {
            "outcome": "page", "reasons": [{"sentence": "A voicemail was left."}], "facts": {"voicemail": True},
            "policy_version": 1, "calendar": "c" * 64, "tz_version": "2026.1",
        },
        **more,
    }  # fmt: skip


def mailbox() -> dict[str, Any]:
    return call("CA2", DANA, "outbound-api", started=at(30))


def engineer() -> dict[str, Any]:
    return call("CA3", LUIS, "outbound-api", started=at(40), did=[item(59, "pressed", "1")])


def good(**more: Any) -> Ending:
    given = {
        "call": voicemail(), "pages": [mailbox(), engineer()], "case": case(),
        "accepted_at": NIGHT + timedelta(seconds=59),
    }  # fmt: skip
    return Ending(**{**given, **more})


@pytest.mark.parametrize(
    ("offer", "key"),
    [
        ("To accept the case, press 1. To hear the voicemail, press 2.", "2"),
        ("To accept the case, press 1.", None),
    ],
)
def test_it_presses_the_key_that_is_offered(offer: str, key: str | None) -> None:
    assert key_for(offer, (r"hear the voicemail, press (\d)",)) == key


def test_it_lays_out_a_line_with_clock_and_seconds() -> None:
    beat = Beat(NIGHT + timedelta(seconds=3.25), "Dana Whitfield", "The phone rings. " * 4)
    first, second = PAPER.beat(beat, NIGHT).splitlines()[:2]
    assert first.startswith("02:10:03    +3.2s  Dana Whitfield      The phone rings.")
    assert second.startswith(" " * 39 + "phone rings.")
    assert all(len(line) <= 80 for line in (first, second))


def test_it_counts_no_seconds_before_the_voicemail() -> None:
    assert "+" not in PAPER.beat(Beat(NIGHT, "Maria", "dials."), None)
    assert "+" not in PAPER.beat(Beat(NIGHT, "Maria", "dials."), NIGHT + timedelta(seconds=1))


def test_it_colours_only_a_terminal() -> None:
    beat = Beat(NIGHT, "Maria", "dials.")
    assert "\033" not in PAPER.beat(beat, NIGHT)
    assert "\033[33m" in Paper("America/Chicago", colour=True, width=80).beat(beat, NIGHT)


def test_it_tells_each_thing_once_and_nothing_from_before() -> None:
    old = call("CA0")
    watcher = Watcher(state(old))
    now = state(call(heard=[item(1, "say", "Hello.")], ended=None), old)
    assert [beat.what for beat in watcher.beats(now)] == ["dials (877) 363-2305, Support.", "hears: “Hello.”"]
    assert watcher.beats(now) == []


def test_it_finds_the_signed_link_of_the_last_text() -> None:
    watcher = Watcher(state())
    texts = [
        {
            "time": at(index),
            "direction": "received",
            "other": LINE,
            "body": f"Case 1042. http://b.example/case/{key} ok",
        }
        for index, key in enumerate(("one.x", "two.y"))
    ]
    shown = state(sms=tuple(texts))
    assert watcher.link(shown) == "http://b.example/case/two.y"
    assert watcher.beats(shown)[0].what.startswith("gets a text: Case 1042.")


def test_it_dates_the_voicemail_by_the_key_after_it_or_by_the_end_of_the_call() -> None:
    assert voicemail_left_at(voicemail()) == NIGHT + timedelta(seconds=29)
    hung_up = call(did=[item(20, "said", "Help.")])
    assert voicemail_left_at(hung_up) == NIGHT + timedelta(seconds=60)
    assert voicemail_left_at(call(did=[item(5, "pressed", "1")])) is None


def test_it_is_content_when_a_person_has_the_case() -> None:
    assert missing(good()) is None
    verdicts = [promise.verdict for promise in promises(good())]
    assert verdicts == [KEPT, KEPT, KEPT, KEPT, KEPT, OPEN]


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        (good(call=call()), "could not leave a voicemail"),
        (good(case=None), "nobody was rung"),
        (good(case=case(voicemails=[])), "voicemail of case 1042 has not been stored"),
        (good(case=case(engineer=None)), "no engineer has accepted case 1042"),
    ],
)
def test_it_says_what_is_missing(ending: Ending, words: str) -> None:
    assert words in (missing(ending) or "")


class FakeDesk(Desk):
    """Notes what is done with one call that goes on."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def state(self) -> dict[str, Any]:
        return {"calls": [{"sid": "CA3", "ended": None}]}

    def do(self, path: str, **given: Any) -> dict[str, Any]:
        self.done.append(str(given.get("digits", path)))
        return {}


class AtOnce(Prompter):
    """Does everything without thinking."""

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        act()


MENU = "To accept the case, press 1. To hear the voicemail, press 2. To accept it and call the customer now, press 5."
HAS_IT = "You have case 1 0 4 2. To call the customer now, press 5. Otherwise, hang up."
COUNTS = "That call counts as our response. If you did not speak with a person, press 2. Otherwise, hang up."
NO_NUMBER = "The customer left no number to call."


@pytest.mark.parametrize(
    ("heard", "done"),
    [
        ((MENU, MENU, HAS_IT, COUNTS), ["2", "1", "5", "hangup"]),
        ((MENU, MENU, HAS_IT, NO_NUMBER, HAS_IT), ["2", "1", "5", "hangup"]),
    ],
)
def test_the_engineer_hears_it_accepts_it_calls_the_customer_and_hangs_up_once(
    heard: tuple[str, ...], done: list[str]
) -> None:
    desk = FakeDesk()
    engineer = Engineer(desk, AtOnce(), "CA3")
    for count in range(1, len(heard) + 1):
        said = [item(index, "say", text) for index, text in enumerate(heard[:count])]
        for _ in range(2):
            engineer.see({"status": "in-progress", "waiting": {"kind": "gather"}, "heard": said})
    assert [each.removeprefix("/calls/CA3/") for each in desk.done] == done
    assert engineer.accept_key == "1"


def test_it_says_whether_the_customer_was_called() -> None:
    assert moral(good()) == "a person has it"
    assert moral(good(case=case(responded_at="02:11"))) == "a person has called the customer"


def test_it_plays_no_sound_that_is_none(tmp_path: Path) -> None:
    must_be_heard(SAMPLE_FILE)
    words, hush = tmp_path / "words.wav", tmp_path / "hush.wav"
    words.write_text("hello")
    hush.write_bytes(wav(silence(2)))
    for file, complaint in (
        (words, "not a sound file: Format not recognised; take"),
        (hush, "nothing can be heard"),
        (tmp_path, "no sound file"),
    ):
        with pytest.raises(NightError, match=complaint):
            must_be_heard(file)


def test_it_judges_the_response_by_what_the_case_says() -> None:
    kept = promises(good(case=case(responded_at="Wed 04 Mar 2026, 02:30 CST")))[-1]
    late = promises(good(case=case(late=True, left="The response is 5 minutes late.")))[-1]
    assert (kept.verdict, late.verdict) == (KEPT, BROKEN)


def test_it_notices_a_slow_first_ring_and_an_untold_caller() -> None:
    slow = good(pages=[call("CA2", DANA, "outbound-api", started=at(50)), engineer()])
    assert promises(slow)[2].verdict == BROKEN
    silent = good(call=voicemail() | {"heard": []})
    assert promises(silent)[0].verdict == BROKEN


def test_it_lays_out_the_case_with_its_decision() -> None:
    text = "\n".join(case_lines(case(), PAPER))
    for words in (
        "Case 1042",
        "Luis Ortega, accepted",
        "1.  A voicemail was left.",
        "voicemail yes",
        "policy version 1",
    ):
        assert words in text


def test_it_lays_out_a_case_of_which_little_is_known() -> None:
    bare = case(
        customer=None, tier=None, callback=None, engineer=None, due_at=None, decision=None, voicemails=[]
    )
    text = "\n".join(case_lines(bare, PAPER))
    assert "nobody yet" in text
    assert "number withheld" in text


def test_it_shows_numbers_as_people_write_them() -> None:
    assert shown_number(DANA) == "(713) 555-0101"
    assert shown_number("anonymous") == "anonymous"


def test_it_says_how_to_start_what_does_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_more: object) -> None:
        raise requests.ConnectionError

    monkeypatch.setattr(requests.Session, "request", refuse)
    with pytest.raises(NightError, match="make run"):
        Desk("http://127.0.0.1:9").state()


def test_it_asks_for_a_line_that_somebody_answers() -> None:
    with pytest.raises(NightError, match=r"there is no line .* there are .*8773632305"):
        line_of(state(), MARIA)
    unplugged = state()
    unplugged["numbers"][0]["voice_url"] = ""
    with pytest.raises(NightError, match=START_IT):
        line_of(unplugged, LINE)
