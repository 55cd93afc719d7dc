"""How a person is reached: rung again within the step, by verified phones only, not too often, by every channel."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from core.telephony import TelephonyError
from routing.paging.channels import CHANNELS, Outgoing
from routing.paging.segments import segments
from simulator.phones import Answers, Busy, Mailbox, NeverAnswers
from tests.house import House
from tests.post_office import PostOffice, post_office
from tests.receiver import Receiver, receiver
from tests.stories.people import DANA, ENGINEERS, LUIS, MARIA, OMAR, PRIYA, SAM, STRANGER, SUPPORT, agreement

HOME = "+17135550199"
FIRST_STEP = "{ring: on-call, wait_s: 90}"
DANA_ENTRY = '{name: Dana Whitfield, phone: "+17135550101", verified: true, email: dana@nightbell.example}'
LUIS_ENTRY = '{name: Luis Ortega, phone: "+17135550102", verified: true, email: luis@nightbell.example}'
# Apprise loads what a later Python will not have; it is a warning of its own, not of ours.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


def patient(seconds: int = 300) -> tuple[str, str]:
    """The first step waits so long."""
    return (FIRST_STEP, f"{{ring: on-call, wait_s: {seconds}}}")


def dana(text: str) -> tuple[str, str]:
    """Dana is reached as ``text`` says."""
    return (DANA_ENTRY, f"{{name: Dana Whitfield, {text}}}")


def unverified(*entries: str) -> list[tuple[str, str]]:
    """These people's phones are not verified."""
    return [(entry, entry.replace("verified: true", "verified: false")) for entry in entries]


# Again within the step


def test_it_rings_again_after_two_minutes_when_one_ring_was_missed(house: House) -> None:
    house.apply(agreement(patient()))
    house.phone(DANA).behave(NeverAnswers())
    house.voicemail_from(MARIA)
    house.fast_forward(60)
    assert house.rung == {DANA: 1}
    house.phone(DANA).behave(Answers(4, presses="1"))
    house.fast_forward(90)
    assert house.rung == {DANA: 2}
    assert house.case.engineer == "dana"
    assert house.case.acknowledged_at - house.pages[0].rung_at < timedelta(seconds=150)
    assert [(a.number_of_try, a.state) for a in house.attempts()] == [
        (1, "no-answer"), (2, "accepted"), (3, "cancelled"),
    ]  # fmt: skip
    house.fast_forward(600)
    assert house.rung == {DANA: 2}, "the third call was cancelled by the accept"
    assert house.texted == {DANA: 1}


def test_it_goes_on_after_the_last_call_of_the_step(house: House) -> None:
    """Three calls, at 0, 120 and 240 seconds; the last one rings for 30 of the step's 300."""
    house.apply(agreement(patient()))
    house.phone(LUIS).behave(Answers(4, presses="1"))
    house.voicemail_from(MARIA)
    house.until(lambda: house.rings(LUIS))
    assert house.rung == {DANA: 3, LUIS: 1}
    waited = house.attempts()[3].planned_for - house.pages[0].started_at
    assert timedelta(seconds=265) < waited < timedelta(seconds=300)
    house.fast_forward(30)
    assert house.case.engineer == "luis"


def test_it_does_not_ring_again_when_the_next_person_is_due_first(house: House) -> None:
    house.voicemail_from(MARIA)
    house.fast_forward(89)
    assert [a.number_of_try for a in house.attempts() if a.position == 0] == [1]


def test_it_does_not_ring_again_whoever_passes(house: House) -> None:
    house.apply(agreement(patient()))
    house.phone(LUIS).behave(Answers(4, presses="1"))
    house.voicemail_from(MARIA)
    house.picks_up(DANA).presses("3").hears("Passed on")
    house.fast_forward(600)
    assert house.case.engineer == "luis"
    assert house.rung == {DANA: 1, LUIS: 1}


def test_it_puts_no_call_on_top_of_one_that_still_rings(house: House) -> None:
    again = "rules: [{use: phone, again_after_s: 10, times: 3}]"
    house.apply(agreement(patient(120), dana(f'phone: "{DANA}", verified: true, {again}')))
    house.phone(DANA).behave(NeverAnswers())
    house.voicemail_from(MARIA)
    live = 0
    for _ in range(120):
        house.fast_forward(1)
        ringing = [call for call in house.phone(DANA).calls if not call.ended]
        live = max(live, len(ringing))
    assert live == 1
    assert house.rings(DANA) == 3


def test_it_does_not_try_again_a_number_that_cannot_be_called(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    telephony, place_call = house.context.telephony, house.context.telephony.place_call

    def refusing(*, to: str, **options: object) -> str:
        if to == DANA:
            raise TelephonyError("HTTP 400, error 21211", permanent=True)
        return place_call(to=to, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(telephony, "place_call", refusing)
    house.apply(agreement(patient()))
    house.voicemail_from(MARIA)
    house.fast_forward(5)
    assert [(a.person_key, a.state) for a in house.attempts()] == [
        ("dana", "failed"), ("dana", "cancelled"), ("dana", "cancelled"), ("luis", "sent"),
    ]  # fmt: skip


# Rules


@pytest.fixture
def equipped(database_url: str, tmp_path: Path) -> Iterator[tuple[House, PostOffice, Receiver]]:
    """A house with a mail server and another system beside it."""
    with post_office() as office, receiver() as other:
        house = House(database_url, tmp_path / "data", smtp_url=office.url)
        yield house, office, other
        house.check()
        house.context.close()


@pytest.mark.both_databases
def test_it_reaches_a_person_by_every_channel_of_their_rules(
    equipped: tuple[House, PostOffice, Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    house, office, other = equipped
    monkeypatch.setenv("DANA_HOOK_SECRET", "known to both")
    monkeypatch.setenv("DANA_CHAT", other.url.replace("http://", "json://") + "/chat")
    methods = (
        f'methods: {{mobile: {{voice: "{DANA}", verified: true}}, pager: {{sms: "{HOME}", verified: true}}, '
        f"mail: {{mail: dana@nightbell.example}}, chat: {{apprise: env:DANA_CHAT}}, "
        f'hook: {{webhook: "{other.url}/hook", secret: env:DANA_HOOK_SECRET}}}}, '
        "rules: [{use: mobile}, {use: pager, after_s: 10}, {use: mail}, {use: chat, after_s: 20}, {use: hook}]"
    )
    house.apply(agreement(dana(methods)))
    house.phone(DANA).behave(NeverAnswers())
    house.voicemail_from(MARIA)
    house.fast_forward(5)
    assert (house.rung, house.texts(HOME)) == ({DANA: 1}, [])
    house.fast_forward(10)
    assert "ACK 1001" in house.texts(HOME)[0]
    house.fast_forward(10)
    hook, chat = other.posted
    assert (hook.path, chat.path) == ("/hook", "/chat")
    assert hook.headers["Idempotency-Key"] == f"attempt-{hook.json['attempt']}"
    assert {k: hook.json[k] for k in ("case", "customer", "tier", "priority", "person", "purpose")} == {
        "case": 1001, "customer": "Lakeside Credit Union", "tier": "elite", "priority": 1, "person": "dana",
        "purpose": "page",
    }  # fmt: skip
    assert hook.json["due_at"] == house.case.due_at.isoformat()
    assert hook.json["link"].startswith("https://bell.example/case/")
    assert chat.json["title"] == "Case 1001, priority 1: Lakeside Credit Union"
    assert "(512) 555-0142" in chat.json["message"]
    (mail,) = office.mail_to("dana@nightbell.example")
    assert mail["Subject"] == "Case 1001, priority 1: Lakeside Credit Union"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "(512) 555-0142" in mail.get_content()
    assert "https://bell.example/case/" in mail.get_content()
    told = [entry["text"] for entry in house.shown()["timeline"]]
    assert "Dana Whitfield was told by mail." in told
    house.text(HOME, "ACK 1001")
    assert house.case.engineer == "dana", "her pager's number is hers"


def test_it_sends_a_mail_again_under_the_same_message_id(
    equipped: tuple[House, PostOffice, Receiver],
) -> None:
    """The server took the mail, but the worker was gone before it could write that down."""
    house, office, _ = equipped
    house.apply(agreement(dana(f'phone: "{DANA}", verified: true, methods: {{mail: {{mail: d@n.example}}}}')))
    send = house.context.mailer.hand_over
    sent = []

    def twice(*args: object, **options: object) -> object:
        refused = send(*args, **options)  # type: ignore[arg-type]
        sent.append(args)
        if len(sent) == 1:
            raise RuntimeError("the connection broke after the last dot")
        return refused

    house.context.mailer.hand_over = twice  # type: ignore[method-assign, assignment]
    house.voicemail_from(MARIA)
    house.fast_forward(10)
    first, second = office.mail_to("d@n.example")
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Date"] == second["Date"]
    assert first["Message-ID"].startswith("<attempt-")


def test_it_reaches_people_as_they_are_known_today_though_the_rule_is_older(house: House) -> None:
    """Dana's new phone is written down while a page rings that began before."""
    house.phone(DANA).behave(NeverAnswers())
    house.voicemail_from(MARIA)
    house.fast_forward(5)
    house.apply(agreement(dana(f'phone: "{HOME}", verified: true')))
    house.fast_forward(170)
    assert house.rings(DANA) == 1
    assert house.rings(HOME) == 1, "at the third step, which rings everybody"


# Verified phones only


@pytest.mark.both_databases
def test_it_skips_an_unverified_phone_tells_them_by_mail_and_rings_the_next_at_once(
    equipped: tuple[House, PostOffice, Receiver],
) -> None:
    house, office, _ = equipped
    house.apply(agreement(*unverified(DANA_ENTRY)))
    house.phone(LUIS).behave(Answers(4, presses="1"))
    house.voicemail_from(MARIA)
    house.fast_forward(30)
    assert house.rung == {LUIS: 1}
    assert house.texted == {LUIS: 1}
    assert house.case.engineer == "luis"
    assert len(office.mail_to("dana@nightbell.example")) == 1
    (event,) = house.events("page.not-reachable")
    assert (event.person, event.data["told_by"]) == ("dana", ["mail"])
    assert house.attempts("mail")[0].state == "delivered"
    assert "Dana Whitfield has no verified phone, and was not called." in [
        entry["text"] for entry in house.shown()["timeline"]
    ]


def test_it_rings_the_others_of_a_step_without_the_one_who_is_not_verified(house: House) -> None:
    house.apply(agreement(*unverified(LUIS_ENTRY)))
    house.voicemail_from(MARIA)
    house.fast_forward(100)
    assert house.rung == {DANA: 2, PRIYA: 1, SAM: 1}
    assert LUIS not in house.texted


@pytest.mark.both_databases
def test_it_rings_unverified_phones_rather_than_nobody(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.apply(agreement().replace("verified: true", "verified: false"))
    house.phone(DANA).behave(Answers(4, presses="1"))
    house.voicemail_from(MARIA)
    house.fast_forward(30)
    assert house.rung == {DANA: 1}
    assert house.case.engineer == "dana"
    assert len(house.events("page.unverified-rung")) == 1
    assert any(record.levelname == "CRITICAL" and "verified" in record.message for record in caplog.records)
    assert not any(number in caplog.text for number in ENGINEERS)


def test_it_never_falls_silent_at_a_last_step_of_unverified_phones(house: House) -> None:
    """Dana is verified, and asleep; the step that is repeated for ever has only Sam, who is not."""
    steps = "{ring: next, wait_s: 90}\n      - {ring: everyone, wait_s: 90}\n    repeat_s: 120"
    changed = agreement((steps, "{ring: sam, wait_s: 90}\n    repeat_s: 120"))
    entry = '{name: Sam Keller, phone: "+17135550104", verified: true, email: sam@nightbell.example}'
    house.apply(changed.replace(entry, entry.replace("true", "false")))
    house.voicemail_from(MARIA)
    house.fast_forward(600)
    assert house.rings(DANA) == 1
    assert house.rings(SAM) >= 3
    assert house.pages[0].state == "ringing"


def test_it_tells_of_an_unverified_contact_by_mail_where_no_phone_is_verified(
    equipped: tuple[House, PostOffice, Receiver],
) -> None:
    house, office, _ = equipped
    house.apply(agreement(*unverified(DANA_ENTRY)))
    house.call(STRANGER).presses("#").presses("1").leaves()
    house.fast_forward(30)
    assert house.texted == {}
    (mail,) = office.mail_to("dana@nightbell.example")
    assert "nobody is rung" in mail.get_content()


def test_it_texts_an_unverified_number_of_a_quiet_notice_rather_than_nobody(house: House) -> None:
    house.apply(agreement((DANA_ENTRY, f'{{name: Dana Whitfield, phone: "{DANA}"}}')))
    house.call(STRANGER).presses("#").presses("1").leaves()
    house.fast_forward(30)
    assert house.texted == {DANA: 1}
    assert len(house.events("page.not-reachable")) == 1


# Not too much for one number


def test_it_calls_no_number_more_often_than_carriers_tolerate(house: House) -> None:
    """Everybody sleeps: the last step is repeated every two minutes, but no phone gets more than the limit."""
    house.apply(agreement() + "limits: {calls_per_15_min: 3, texts_per_15_min: 2}\n")
    house.voicemail_from(MARIA)
    house.fast_forward(1100)
    for channel, most in (("voice", 3), ("sms", 2)):
        for number in ENGINEERS:
            sent = [a.sent_at for a in house.attempts(channel) if a.address == number and a.sent_at]
            assert len(sent) > most, "it never stops"
            for at in sent:
                assert sum(at <= other < at + timedelta(minutes=15) for other in sent) <= most
    assert "limited" in {attempt.state for attempt in house.attempts()}
    assert house.events("page.limited")
    assert house.pages[0].state == "ringing"
    assert house.due("dead") == []


def test_it_never_falls_silent_however_long_nobody_accepts(house: House) -> None:
    """With the limits that ship, and a repeat every two minutes: some phone rings at each of them."""
    for number in ENGINEERS:
        house.phone(number).behave(NeverAnswers())
    house.voicemail_from(MARIA)
    house.fast_forward(3300)
    repeats = [event.at for event in house.events("page.step") if event.data["loud"]]
    assert len(repeats) >= 25
    called = [a.sent_at for a in house.attempts() if a.sent_at]
    for at, following in pairwise(repeats):
        assert any(at <= sent < following for sent in called), "a repeat that nobody hears"
    for number in ENGINEERS:
        sent = [a.sent_at for a in house.attempts() if a.address == number and a.sent_at]
        for at in sent:
            assert sum(at <= other < at + timedelta(minutes=15) for other in sent) <= 6
    assert house.events("page.over-limit") == []


@pytest.mark.both_databases
def test_it_calls_one_phone_over_the_limit_rather_than_none(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """Sam alone is rung: his number gets a call every two minutes, and the log says what that means."""
    steps = (
        "{ring: on-call, wait_s: 90}\n      - {ring: next, wait_s: 90}\n      - {ring: everyone, wait_s: 90}"
    )
    house.apply(agreement((steps, "{ring: sam, wait_s: 90}")))
    house.phone(SAM).behave(NeverAnswers())
    house.voicemail_from(MARIA)
    house.fast_forward(1800)
    assert house.rung == {SAM: 15}
    assert house.events("page.over-limit")
    assert any(r.levelname == "CRITICAL" and "carriers tolerate" in r.message for r in caplog.records)
    assert SAM not in caplog.text


def test_it_puts_off_what_is_over_the_limit_within_the_step(house: House) -> None:
    """The first step is long: the second call waits for the number to be free again."""
    again = "rules: [{use: phone, again_after_s: 60, times: 2}]"
    changes = (patient(3600), dana(f'phone: "{DANA}", verified: true, {again}'))
    house.apply(agreement(*changes) + "limits: {calls_per_15_min: 1}\n")
    house.phone(DANA).behave(Busy())
    house.voicemail_from(MARIA)
    house.fast_forward(1000)
    first, second = (a for a in house.attempts() if a.position == 0)
    assert (first.state, second.state) == ("busy", "busy")
    assert second.planned_for - first.planned_for == timedelta(seconds=60)
    assert second.sent_at - first.sent_at >= timedelta(minutes=15)


def test_it_never_holds_back_the_first_page_of_a_case(house: House) -> None:
    house.apply(agreement() + "limits: {calls_per_15_min: 1, texts_per_15_min: 1}\n")
    house.phone(DANA).behave(Answers(4, presses="1"))
    for customer in (MARIA, OMAR):
        house.voicemail_from(customer)
        house.fast_forward(20)
    assert house.rung == {DANA: 2}
    assert house.texted == {DANA: 2}


@pytest.mark.both_databases
def test_it_goes_on_at_once_when_the_whole_step_is_limited(house: House) -> None:
    again = "rules: [{use: phone, again_after_s: 20, times: 2}]"
    changes = (patient(300), dana(f'phone: "{DANA}", verified: true, {again}'))
    house.apply(agreement(*changes) + "limits: {calls_per_15_min: 1}\n")
    house.phone(DANA).behave(Busy())
    house.voicemail_from(MARIA)
    house.fast_forward(30)
    assert [a.state for a in house.attempts()][:2] == ["busy", "limited"]
    assert house.rings(LUIS) == 1, "after 20 seconds, not after 300"


# Texts


def test_it_takes_no_other_text_for_the_one_that_may_have_gone_out(house: House) -> None:
    """Two cases text Dana, and it is not known of either whether its text went out: each finds its own alone."""
    now, sms = house.scheduler.now(), CHANNELS["sms"]

    def text(number: int) -> Outgoing:
        words = (
            f"Priority 1, case {number}: "
            + "Lakeside Credit Union " * 30
            + f"https://bell.example/case/{number}"
        )
        return Outgoing(number, "sms", DANA, SUPPORT, words, 30, now)

    sid = sms.send(house.context, text(1002))
    house.fast_forward(5)
    assert sms.sent_since(house.context, text(1001), now) == []
    assert sms.sent_since(house.context, text(1002), now) == [sid]


def test_a_second_try_of_a_text_says_the_same(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The minutes left have become fewer meanwhile: by other words it would not be known again."""
    telephony, send_sms = house.context.telephony, house.context.telephony.send_sms
    bodies = []

    def failing(*, to: str, body: str, **options: object) -> str:
        if to == DANA:  # the customer gets a receipt as well
            bodies.append(body)
            if len(bodies) < 6:
                raise TelephonyError("no answer in time", permanent=False)
        return send_sms(to=to, body=body, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(telephony, "send_sms", failing)
    house.apply(agreement(patient(900)))
    house.phone(DANA).behave(Mailbox(after=5, greeting=3, records=20))
    house.voicemail_from(MARIA)
    house.fast_forward(120)
    assert len(bodies) == 6
    assert len(set(bodies)) == 1
    assert house.texted[DANA] == 1


def test_it_cuts_a_long_text_and_keeps_its_link(house: House) -> None:
    house.apply(agreement(("name: Lakeside Credit Union", "name: " + "Łódź Lakeside Credit Union " * 7)))
    house.voicemail_from(MARIA)
    house.fast_forward(5)
    (text,) = house.texts(DANA)
    assert segments(text) <= 3
    assert "... https://bell.example/case/" in text
    assert (
        house.app.test_client().get(text.split()[-1].removeprefix("https://bell.example")).status_code == 200
    )


def test_a_mailbox_that_answers_does_not_keep_the_next_call_away(house: House) -> None:
    house.apply(agreement(patient()))
    house.phone(DANA).behave(Mailbox(after=5, greeting=3, records=20))
    house.voicemail_from(MARIA, SUPPORT)
    house.fast_forward(130)
    assert house.rings(DANA) == 2
