"""The phones page, as a person uses it: with a mouse, a keyboard, and a microphone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests
from browser_desk import DANA, LINE, SAM, WHY_NOT, Simulator
from line_app import LineApp

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

if WHY_NOT:
    pytest.skip(WHY_NOT, allow_module_level=True)

pytestmark = pytest.mark.browser


def caller(page: Page) -> Locator:
    return page.get_by_role("region", name="The caller")


def dana(page: Page) -> Locator:
    return page.get_by_role("article", name="Dana Whitfield")


def sam(page: Page) -> Locator:
    return page.get_by_role("article", name="Sam Keller")


def call_the_line(page: Page) -> None:
    caller(page).get_by_role("button", name="Call", exact=True).click()
    caller(page).get_by_text("Welcome to the line. Press 1 to leave a message.").wait_for()


def reach_the_tone(page: Page) -> None:
    call_the_line(page)
    caller(page).get_by_role("button", name="Key 1").click()
    caller(page).get_by_text("You pressed 1.").wait_for()
    caller(page).get_by_text("The line records you now.").wait_for()


def ring_dana(simulator: Simulator, line: LineApp) -> None:
    ring(DANA, simulator, line)


def ring(number: str, simulator: Simulator, line: LineApp) -> None:
    simulator.api("/Calls.json", To=number, From=LINE, Url=f"{line.base}/page")


def text_dana(simulator: Simulator, body: str) -> None:
    simulator.api("/Messages.json", To=DANA, From=LINE, Body=body)


def test_it_places_a_call_and_shows_what_is_heard(page: Page, line: LineApp) -> None:
    call_the_line(page)
    assert line.wait_for("/voice")["From"] == "+15125550142"
    assert line.wait_for("/voice")["StirVerstat"] == "TN-Validation-Passed-A"
    caller(page).get_by_text("Waits for a key").wait_for()


def test_it_sends_a_key_of_the_keypad_to_the_menu(page: Page, line: LineApp) -> None:
    call_the_line(page)
    caller(page).get_by_role("button", name="Key 1").click()
    assert line.wait_for("/key")["Digits"] == "1"
    caller(page).get_by_text("You pressed 1.").wait_for()


def test_it_takes_keys_from_the_keyboard(page: Page, line: LineApp) -> None:
    call_the_line(page)
    caller(page).get_by_role("log", name="Captions: the caller's phone").focus()
    page.keyboard.press("7")
    assert line.wait_for("/key")["Digits"] == "7"


def test_it_ends_a_recording_with_a_typed_message(page: Page, line: LineApp) -> None:
    reach_the_tone(page)
    caller(page).get_by_label("What is said").fill("Production is down since one forty, please call me back.")
    caller(page).get_by_role("button", name="Say it").click()
    assert int(line.wait_for("/left")["RecordingDuration"]) == 4
    caller(page).get_by_text("“Production is down since one forty, please call me back.”").wait_for()


def test_it_uses_the_sample_and_finishes_with_a_key(page: Page, line: LineApp) -> None:
    reach_the_tone(page)
    caller(page).get_by_role("button", name="Sample").click()
    caller(page).get_by_role("button", name="Finish with #").click()
    left = line.wait_for("/left")
    assert (left["RecordingDuration"], left["Digits"]) == ("9", "#")


def test_it_records_from_the_microphone(page: Page, line: LineApp) -> None:
    reach_the_tone(page)
    caller(page).get_by_role("button", name="Record").click()
    page.wait_for_timeout(3000)  # somebody speaks, for longer than the line waits in silence
    assert "/left" not in line.seen
    caller(page).get_by_role("button", name="Stop and send").click()
    assert 1 <= int(line.wait_for("/left")["RecordingDuration"]) <= 5


def test_it_hangs_up_in_the_middle_of_a_sentence_when_told_twice(page: Page, line: LineApp) -> None:
    reach_the_tone(page)
    caller(page).get_by_role("button", name="Sample").click()
    caller(page).get_by_text("Our production OpCon system is down").wait_for()
    page.wait_for_timeout(2000)  # long enough to be a message
    caller(page).get_by_role("button", name="Hang up").click()
    caller(page).get_by_role("button", name="Hang up now").click()
    assert int(line.wait_for("/left")["RecordingDuration"]) in range(1, 8)
    caller(page).get_by_role("button", name="Call", exact=True).wait_for()


def test_it_calls_from_a_typed_number(page: Page, line: LineApp) -> None:
    caller(page).get_by_label("Who calls").select_option(label="Another number…")
    caller(page).get_by_label("Number", exact=True).fill("call me")
    caller(page).get_by_role("button", name="Call", exact=True).click()
    caller(page).get_by_text("That is no telephone number").wait_for()
    caller(page).get_by_label("Number", exact=True).fill("(312) 555-0188")
    call_the_line(page)
    assert line.wait_for("/voice")["From"] == "+13125550188"


def test_it_rings_an_engineer_who_answers_and_presses_a_key(
    page: Page, simulator: Simulator, line: LineApp
) -> None:
    ring_dana(simulator, line)
    dana(page).get_by_role("button", name="Answer").click()
    dana(page).get_by_text("Case 1042. To accept, press 1.").wait_for()
    dana(page).get_by_role("button", name="Key 1").click()
    assert line.wait_for("/accepted")["Digits"] == "1"
    dana(page).get_by_text("You have the case.").wait_for()
    dana(page).get_by_role("button", name="Hang up").click()
    dana(page).get_by_text("The call is over").wait_for()


def test_it_lets_an_engineer_reject(page: Page, simulator: Simulator, line: LineApp) -> None:
    ring_dana(simulator, line)
    dana(page).get_by_role("button", name="Reject").click()
    dana(page).get_by_text("Busy: the call was not taken").wait_for()
    assert simulator.api("/Calls.json")["calls"][0]["status"] == "busy"


def test_it_scripts_an_engineer(page: Page, simulator: Simulator, line: LineApp) -> None:
    with page.expect_response("**/control/phones/**"):
        dana(page).get_by_label("When it rings").select_option(label="Answers, presses 1 (accepts)")
    ring_dana(simulator, line)
    assert line.wait_for("/accepted")["Digits"] == "1"


def test_it_shows_a_text_with_its_link_and_sends_the_reply(
    page: Page, simulator: Simulator, line: LineApp
) -> None:
    text_dana(simulator, f"Priority 1, case 1042. Reply ACK 1042 or PASS 1042. {line.base}/case/abc.def")
    link = dana(page).get_by_role("link")
    link.wait_for()
    assert link.get_attribute("href") == f"{line.base}/case/abc.def"
    assert link.get_attribute("target") == "_blank"
    assert dana(page).get_by_role("button", name="PASS 1042").is_visible()
    dana(page).get_by_role("button", name="ACK 1042").click()
    reply = line.wait_for("/sms")
    assert (reply["From"], reply["To"], reply["Body"]) == (DANA, LINE, "ACK 1042")


def test_it_takes_nothing_in_a_text_for_markup(page: Page, simulator: Simulator) -> None:
    text_dana(simulator, "<img src=x onerror=alert(1)> javascript:alert(1)")
    dana(page).get_by_text("<img src=x onerror=alert(1)>").wait_for()
    assert dana(page).get_by_role("link").count() == 0


def test_it_pretends_that_it_is_night(page: Page) -> None:
    page.get_by_role("button", name="Make it 02:10").click()
    page.get_by_text("(pretended)").wait_for()
    clock = page.get_by_role("group", name="Clock")
    assert clock.locator(".clock-time").inner_text().startswith("02:10:")
    page.get_by_role("button", name="Back to now").click()
    page.get_by_text("(pretended)").wait_for(state="detached")
    assert page.get_by_role("button", name="Back to now").is_hidden()


def test_it_lists_webhooks_and_alerts(page: Page, line: LineApp) -> None:
    call_the_line(page)
    sent = page.get_by_role("region", name="Webhooks sent")
    sent.get_by_role("cell", name="/voice").wait_for()
    assert sent.get_by_text("200").is_visible()
    caller(page).get_by_role("button", name="Key 1").click()
    line.wait_for("/key")
    caller(page).get_by_role("button", name="Hang up").click()
    page.get_by_text("None. That is how it should be.").wait_for()


def test_it_says_that_the_simulator_is_gone_and_comes_back(
    page: Page, simulator: Simulator, line: LineApp
) -> None:
    call_the_line(page)
    simulator.stop()
    page.get_by_text("The simulator does not answer. Trying again…").wait_for()
    simulator.start()
    simulator.plug_in(line)
    page.get_by_text("Connected", exact=True).wait_for()
    call_the_line(page)


def test_it_fits_a_telephone(page: Page, simulator: Simulator, line: LineApp) -> None:
    page.set_viewport_size({"width": 420, "height": 800})
    ring(SAM, simulator, line)
    page.get_by_role("button", name="Sam Keller: the phone rings").click()
    page.get_by_role("button", name="Sam Keller: the phone rings").wait_for(state="hidden")
    sam(page).get_by_role("button", name="Answer").click()
    sam(page).get_by_text("Case 1042").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_it_serves_its_files_as_what_they_are(simulator: Simulator) -> None:
    kinds = {
        "/": "text/html",
        "/phones.css": "text/css",
        "/phones.js": "javascript",
        "/pcm-worklet.js": "javascript",
    }
    for path, kind in kinds.items():
        assert kind in requests.get(simulator.base + path, timeout=5).headers["Content-Type"]
