"""Receipts: the customer is told that the case is open and who has it, once each, by text or by mail."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.due import Due
from routing.notices import content
from routing.notices.models import CustomerNotice, NumberFact
from simulator.phones import Answers
from tests.house import House
from tests.post_office import PostOffice, post_office
from tests.stories.people import (
    BELL,
    DANA,
    DAY,
    LENA,
    LUIS,
    MANAGED,
    MARIA,
    OMAR,
    PRIYA,
    STRANGER,
    SUPPORT,
    TOM,
    agreement,
)  # fmt: skip
from worker import Worker

LANDLINE, TOLL_FREE, ABROAD = "+442079460018", "+18005550100", "011447700900123#"
OPENED = (
    "SMA Technologies: case 1001 is open. Our on-call engineer is being called. We respond by 3:10 AM CST. "
    "Reply to add to it."
)


def notices(house: House) -> list[tuple[str, str, str | None]]:
    """Kind, state and channel of all notices, the earliest first."""
    rows = house.sql(sa.select(CustomerNotice).order_by(CustomerNotice.id))
    return [(row.kind, row.state, row.channel) for row in rows]


def why(house: House) -> str:
    """Why the only notice was not sent."""
    (notice,) = house.sql(sa.select(CustomerNotice))
    assert notice.state == "skipped"
    return str(notice.error)


@pytest.fixture
def office() -> Iterator[PostOffice]:
    with post_office() as office:
        yield office


@pytest.fixture
def mailing(database_url: str, tmp_path: Path, office: PostOffice) -> Iterator[House]:
    """The house, with a mail server."""
    house = House(
        database_url, tmp_path / "data", smtp_url=office.url, mail_from="Support <help@vendor.example>"
    )
    yield house
    house.check()
    house.context.close()


def test_it_tells_the_case_number_and_the_promise_within_seconds(house: House) -> None:
    house.voicemail_from(MARIA)
    house.fast_forward(5)
    assert house.texts(MARIA) == [OPENED]
    assert house.rung == {DANA: 1}, "the engineer is rung all the same"
    house.fast_forward(3)
    assert notices(house) == [("opened", "delivered", "sms")]


def test_it_tells_who_has_the_case(house: House) -> None:
    house.voicemail_from(MARIA)
    house.picks_up(DANA).presses("1")
    house.fast_forward(10)
    assert house.texts(MARIA) == [OPENED, "SMA Technologies: Dana has your case 1001."]
    assert [entry["text"] for entry in house.shown()["timeline"] if entry["kind"] == "notice.sent"] == [
        "The customer was told by sms that the case was opened.",
        "The customer was told by sms that the case was accepted.",
    ]


def test_it_tells_nobody_twice_whoever_takes_the_case_next(house: House) -> None:
    house.voicemail_from(MARIA)
    house.picks_up(DANA).presses("1")
    house.fast_forward(60)
    house.call(MARIA).presses("9")
    house.fast_forward(5)
    assert house.text(LUIS, "ACK 1001").startswith("You have case 1001")
    house.fast_forward(600)
    assert house.case.engineer == "luis"
    assert len(house.texts(MARIA)) == 2


def test_it_says_of_a_case_that_waits_when_it_is_answered(house: House) -> None:
    house.voicemail_from(TOM)
    house.fast_forward(10)
    assert house.decision.outcome == "wait"
    (text,) = house.texts(TOM)
    assert text.startswith("SMA Technologies: case 1001 is open. We respond by 5 PM CST.")
    assert "called" not in text


def test_it_names_the_day_where_it_is_another_one(house: House) -> None:
    house.voicemail_from(LENA, MANAGED, keys="")
    house.fast_forward(10)
    assert "We respond by Thu Mar 5, 5 PM CST." in house.texts(LENA)[0]


def test_it_tells_an_unknown_caller_nothing_but_the_number(house: House) -> None:
    house.voicemail_from(STRANGER, keys="#1")
    house.fast_forward(10)
    (text,) = house.texts(STRANGER)
    assert text.startswith(
        "SMA Technologies: we have your message and will look at it. Its case number is 1001."
    )
    assert "respond" not in text


def test_it_tells_an_unknown_caller_no_name_of_an_engineer(house: House) -> None:
    house.apply(agreement(("unknown_callers: notify", "unknown_callers: page")))
    house.voicemail_from(STRANGER, keys="#1")
    house.picks_up(DANA).presses("1")
    house.fast_forward(10)
    assert house.texts(STRANGER)[-1] == "SMA Technologies: an engineer has case 1001."


def test_it_promises_nothing_where_nothing_was_agreed(house: House) -> None:
    house.voicemail_from(TOM, MANAGED, keys="")
    house.fast_forward(10)
    assert house.case.verified
    assert "will look at it" in house.texts(TOM)[0]


def test_it_waits_for_the_number_that_the_caller_is_about_to_enter(house: House) -> None:
    caller = house.call(MARIA).presses("1").says().presses("#").presses("1").hears("call you back at")
    house.fast_forward(5)
    assert house.texts(MARIA) == []
    caller.presses("5125550199#").hears("case number is")
    house.fast_forward(60)
    assert house.texts(MARIA) == []
    assert len(house.texts("+15125550199")) == 1


def test_it_does_not_wait_for_a_caller_who_hangs_up_instead(house: House) -> None:
    house.call(MARIA).presses("1").says().presses("#").presses("1").hangs_up()
    house.fast_forward(5)
    assert house.texts(MARIA) == [OPENED]


def test_it_never_tells_who_has_a_case_before_it_tells_of_the_case(house: House) -> None:
    caller = house.call(MARIA).presses("1").says().presses("#").presses("1").hears("call you back at")
    house.text(DANA, "ACK 1001")
    assert house.case.engineer == "dana"
    caller.hangs_up()
    house.fast_forward(30)
    opened, accepted = house.texts(MARIA)
    assert opened.startswith("SMA Technologies: case 1001 is open. We respond by 3:10 AM CST.")
    assert "Dana has your case" in accepted


def test_it_does_not_text_a_withheld_number(house: House) -> None:
    house.voicemail_from("anonymous", keys="4471#1")
    house.fast_forward(120)
    assert why(house) == "the number was withheld, and no mail address is known"


@pytest.mark.parametrize("number", [LANDLINE, TOLL_FREE])
def test_it_does_not_text_a_number_that_gets_no_texts(house: House, number: str) -> None:
    house.voicemail_from(number, keys="4471#1")
    house.fast_forward(60)
    assert house.texts(number) == []
    assert why(house) == "the number cannot get texts, and no mail address is known"


def test_it_does_not_pay_for_a_text_abroad_that_an_unknown_caller_wants(house: House) -> None:
    caller = house.call(STRANGER).presses("#").presses("1").says().presses("#").presses("1")
    caller.presses(ABROAD).hears("case number")
    house.fast_forward(120)
    assert "an unknown caller entered a number abroad" in why(house)


def test_it_stops_texting_a_number_that_gets_too_many(house: House) -> None:
    """Whoever wants somebody else's telephone to ring all night enters its number in call after call."""
    for _ in range(12):
        caller = house.call("anonymous").presses("#").presses("1").says().presses("#").presses("1")
        caller.presses("5125550199#").hears("case number")
    house.fast_forward(120)
    assert len(house.texts("+15125550199")) == 10
    assert [state for _, state, _ in notices(house)].count("skipped") == 2


def test_it_remembers_a_landline_and_writes_a_mail_instead(mailing: House, office: PostOffice) -> None:
    mailing.phone(MARIA).sms_status, mailing.phone(MARIA).sms_error = "undelivered", 30006
    mailing.voicemail_from(MARIA)
    mailing.fast_forward(10)
    (fact,) = mailing.sql(sa.select(NumberFact))
    assert (fact.number, fact.no_text_reason) == (MARIA, "a landline or unreachable")
    assert notices(mailing) == [("opened", "sent", "mail")]
    (letter,) = office.mail_to("maria@lakeside.example")
    assert letter["Subject"] == "[Case 1001] We have your message"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Message-ID"].startswith("<case-1001.opened.")
    assert letter["Message-ID"].endswith("@vendor.example>")
    assert office.letters[0].mail_from == "<>"
    assert letter.get_content().strip() == OPENED.removesuffix(" Reply to add to it.")
    mailing.text(DANA, "ACK 1001")
    mailing.fast_forward(10)
    texts = [m for m in mailing.company.desk.messages.values() if m.to == MARIA]
    assert len(texts) == 1, "it is not tried again"
    assert office.mail_to("maria@lakeside.example")[1].get_content().strip() == (
        "SMA Technologies: Dana has your case 1001."
    )


@pytest.mark.parametrize(
    ("code", "remembered"), [(21614, True), (21610, True), (21211, True), (21408, False)]
)
def test_it_writes_a_mail_where_the_text_is_refused(
    mailing: House, office: PostOffice, code: int, remembered: bool
) -> None:
    mailing.phone(MARIA).sms_refused = code
    mailing.voicemail_from(MARIA)
    mailing.fast_forward(10)
    assert bool(mailing.sql(sa.select(NumberFact))) == remembered
    assert len(office.mail_to("maria@lakeside.example")) == 1
    assert mailing.due("dead") == []


def test_it_does_not_remember_a_phone_that_is_just_off(house: House) -> None:
    house.phone(MARIA).sms_status = "undelivered"  # 30003
    house.voicemail_from(MARIA)
    house.fast_forward(10)
    assert house.sql(sa.select(NumberFact)) == []
    assert notices(house) == [("opened", "failed", "sms")]
    assert "could not be told by sms: error 30003" in str(house.shown()["timeline"])


def test_it_writes_mail_alone_where_the_line_says_so(mailing: House, office: PostOffice) -> None:
    mailing.apply(
        agreement(("unknown_callers: notify", "caller_receipts: mail\n    unknown_callers: notify"))
    )
    mailing.voicemail_from(MARIA)
    mailing.fast_forward(10)
    assert mailing.texts(MARIA) == []
    assert len(office.mail_to("maria@lakeside.example")) == 1


def test_it_writes_no_mail_to_a_caller_known_by_support_id_alone(mailing: House, office: PostOffice) -> None:
    """The support ID says which company it is, and not who."""
    mailing.voicemail_from(LANDLINE, keys="4471#1")
    mailing.fast_forward(60)
    assert office.letters == []


@pytest.mark.both_databases
def test_it_gives_a_mail_up_that_is_refused(mailing: House, office: PostOffice) -> None:
    mailing.phone(MARIA).sms_refused = 21614
    office.refusals["maria@lakeside.example"] = "550 no such user"
    mailing.voicemail_from(MARIA)
    mailing.fast_forward(10)
    assert notices(mailing) == [("opened", "failed", "mail")]
    assert mailing.due("dead") == []


def test_it_tries_a_mail_again_that_is_put_off(mailing: House, office: PostOffice) -> None:
    mailing.phone(MARIA).sms_refused = 21614
    office.refusals["maria@lakeside.example"] = "451 not now"
    mailing.voicemail_from(MARIA)
    mailing.fast_forward(10)
    office.refusals.clear()
    mailing.fast_forward(60)
    assert len(office.mail_to("maria@lakeside.example")) == 1


def test_it_tells_nothing_where_the_line_says_so(house: House) -> None:
    house.apply(agreement(("unknown_callers: notify", "caller_receipts: off\n    unknown_callers: notify")))
    house.voicemail_from(MARIA)
    house.picks_up(DANA).presses("1")
    house.fast_forward(60)
    assert house.texts(MARIA) == []
    assert notices(house) == []


def test_it_tells_nothing_of_a_call_that_a_colleague_took(house: House) -> None:
    house.it_becomes(DAY)
    house.phone(PRIYA).behave(Answers(5, presses="1", hangs_up_after=60))
    caller = house.call(MARIA)
    house.until(lambda: caller.is_over)
    house.fast_forward(60)
    assert house.decision.outcome == "answered"
    assert notices(house) == []


def test_it_tells_of_a_voicemail_in_business_hours(house: House) -> None:
    house.it_becomes(DAY)
    caller = house.call(MARIA)
    house.until(lambda: caller.call.is_asking)
    caller.leaves()
    house.fast_forward(10)
    assert house.decision.outcome == "notify"
    assert "case 1001 is open. We respond by" in house.texts(MARIA)[0]


def test_it_tells_nothing_of_a_near_miss_and_once_of_an_addition(house: House) -> None:
    house.call(MARIA).presses("1").hangs_up()
    house.fast_forward(120)
    assert house.texts(MARIA) == []
    house.voicemail_from(MARIA)
    house.fast_forward(60)
    house.call(MARIA).presses("1").leaves()
    house.fast_forward(60)
    assert len(house.texts(MARIA)) == 1


def test_it_does_not_speak_of_being_called_to_who_has_been_answered(house: House) -> None:
    house.voicemail_from(MARIA)
    with house.context.database.writing() as session:
        session.execute(sa.text("UPDATE cases SET responded_at = opened_at"))
    house.fast_forward(10)
    assert why(house) == "they had been answered before"


@pytest.mark.both_databases
def test_it_sends_no_stale_news_after_a_long_outage_and_raises_no_alarm(house: House) -> None:
    house.voicemail_from(TOM)  # nobody is rung: it waits for the desk
    house.api_is_down = True
    house.fast_forward(45 * 60)
    house.api_is_down = False
    house.fast_forward(30 * 60)
    assert house.texts(TOM) == []
    assert notices(house) == [("opened", "skipped", "sms")]
    assert "notice.send" not in house.due("dead")


@pytest.mark.parametrize("died", ["before the text went out", "after the text went out"])
def test_it_tells_once_when_the_worker_dies_in_the_middle(
    house: House, died: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """Not an error that anybody handles: the process is gone."""

    telephony = house.context.telephony
    send_sms = telephony.send_sms

    def killed(**options: str) -> str:
        if options["to"] != MARIA:
            return send_sms(**options)
        monkeypatch.setattr(telephony, "send_sms", send_sms)
        if died == "after the text went out":
            send_sms(**options)
        raise Killed

    monkeypatch.setattr(telephony, "send_sms", killed)
    house.voicemail_from(MARIA)
    with pytest.raises(Killed):
        house.fast_forward(5)
    house.scheduler.advance(3)
    assert [state for _, state, _ in notices(house)] in (["sending"], ["delivered"])
    with house.context.database.writing() as session:
        past = datetime.now(UTC) - timedelta(seconds=1)
        session.execute(sa.update(Due).where(Due.state == "leased").values(lease_until=past))
    worker = Worker(house.context)
    worker.run_due()
    house.fast_forward(10)
    assert house.texts(MARIA) == [OPENED]
    assert notices(house) == [("opened", "delivered", "sms")]


def test_it_takes_in_a_text_that_comes_back_before_it_is_noted_as_sent(
    mailing: House, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_sms = mailing.context.telephony.send_sms

    def overtaken(**options: str) -> str:
        sid = send_sms(**options)
        if options["to"] == MARIA:
            form = {"MessageSid": sid, "MessageStatus": "undelivered", "ErrorCode": "30006"}
            mailing.post(options["status_callback"].removeprefix(BELL).partition("#")[0], **form)
        return sid

    monkeypatch.setattr(mailing.context.telephony, "send_sms", overtaken)
    mailing.voicemail_from(MARIA)
    mailing.fast_forward(10)
    assert len(office.mail_to("maria@lakeside.example")) == 1
    assert notices(mailing) == [("opened", "sent", "mail")]


@pytest.mark.parametrize(
    ("told", "state"),
    [
        (["sent", "delivered", "undelivered"], "delivered"),
        (["undelivered", "delivered"], "failed"),
        (["queued", "sent"], "sent"),
        (["failed"], "failed"),
    ],
)
def test_it_keeps_what_has_ended_as_it_is(house: House, told: list[str], state: str) -> None:
    house.voicemail_from(MARIA)
    house.until(lambda: notices(house) == [("opened", "sent", "sms")])
    (notice,) = house.sql(sa.select(CustomerNotice.id))
    for status in told:
        house.post(f"/twilio/sms/status?notice={notice}", MessageSid="SM" + "7" * 32, MessageStatus=status)
    assert notices(house) == [("opened", state, "sms")]


def test_it_minds_no_word_of_a_notice_that_there_is_not(house: House) -> None:
    house.post("/twilio/sms/status?notice=77", MessageSid="SM" + "7" * 32, MessageStatus="failed")
    house.post("/twilio/sms/status?notice=x", MessageSid="SM" + "8" * 32, MessageStatus="failed")
    assert notices(house) == []


def test_it_accepts_even_if_the_case_has_its_notice_already(house: House) -> None:
    """Two pages of one case, accepted one after the other: the second accept is not refused for a receipt's sake."""
    house.voicemail_from(OMAR)
    house.picks_up(DANA).presses("1")
    house.fast_forward(30)
    for _ in range(2):
        house.call(OMAR).presses("9").hangs_up()
        house.fast_forward(5)
        house.text(LUIS, "ACK 1001")
    assert house.case.engineer == "luis"
    assert [kind for kind, _, _ in notices(house)] == ["opened", "accepted"]


def test_it_says_nothing_that_takes_more_than_two_texts(house: House) -> None:
    policy = house.context.policies.current().policy
    values = {"case": 1_000_042, "due": "Wed Sep 30, 12:30 PM CST", "engineer": "Maximilian-Alexander"}
    for key in (
        "receipt_opened_paged", "receipt_opened_waits", "receipt_opened_noted", "receipt_accepted",
        "receipt_accepted_noted", "text_added", "text_opened_waits", "text_opened_noted",
    ):  # fmt: skip
        said = policy.say(key, "support", **values, phone="(877) 363-2305").text
        said += " " + policy.say("receipt_reply", "support").text
        assert said.isascii(), "one letter beyond ASCII more than halves a text"
        assert len(said) <= 2 * 153, key


def test_it_writes_an_instant_as_people_do(house: House) -> None:
    calendar = house.context.policies.current().policy.calendar_of("support")
    now = house.scheduler.now()
    for hours, said in ((1, "3:10 AM CST"), (10, "12:10 PM CST"), (22, "Thu Mar 5, 12:10 AM CST"),
                        (7 * 24, "Wed Mar 11, 3:10 AM CDT")):  # fmt: skip
        assert content.texted_instant(now + timedelta(hours=hours), calendar.zone, now) == said
    assert house.context.policies.current().policy.lines["support"].number == SUPPORT
