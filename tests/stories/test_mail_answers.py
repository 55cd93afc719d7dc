"""Answers by mail, there and back: receipts, engineers' replies, notes that stay private, machines that talk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.mail_addresses import SignedAddresses
from core.models import Case, Person
from intake.mail.parsing import Envelope
from intake.mail.parsing.authentication import Method
from intake.mail.receiving import store
from routing import handling
from routing.correspondence import replies
from routing.correspondence.address_facts import no_mail_reason
from routing.correspondence.replies import Answer
from routing.merging import merge
from tests.stories.correspondent import Correspondent, MailHouse, mail_house, report, sender_of, text_of
from tests.stories.mailbox import FORGED, MARIA_AT, MASSUPPORT, PROVEN, STRANGER_AT, mails, messages
from tests.stories.people import DAY, PRIYA, agreement

PRIYA_AT = "priya@nightbell.example"
ANN_AT = "ann@lakeside.example"
PRIYA_BY_MAIL = (
    "quiet: [text, email], email: priya@nightbell.example}",
    "quiet: [email], email: priya@nightbell.example}",
)


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[MailHouse]:
    """A Wednesday at ten; Priya, the consultant on call, is told of things by mail."""
    with mail_house(database_url, tmp_path) as house:
        house.apply(agreement(PRIYA_BY_MAIL))
        house.it_becomes(DAY)
        yield house


@pytest.fixture
def maria(house: MailHouse) -> Correspondent:
    return Correspondent(house, MARIA_AT, "Maria Alvarez")


@pytest.fixture
def priya(house: MailHouse) -> Correspondent:
    return Correspondent(house, PRIYA_AT, "Priya Natarajan")


def signed(house: MailHouse) -> SignedAddresses:
    return SignedAddresses(house.settings.secret_key.get_secret_value())


def answer(house: MailHouse, text: str = "It runs again.", **details: object) -> None:
    """Priya answers from the case's page."""
    with house.context.database.writing() as session:
        case, writer = session.get_one(Case, 1001), session.get_one(Person, "priya")
        replies.reply(
            session,
            house.context,
            case,
            writer,
            Answer(text, **details),
            house.scheduler.now(),  # type: ignore[arg-type]
        )
    house.fast_forward(1)


# Receipts


def test_it_answers_a_mail_with_number_and_promise(house: MailHouse, maria: Correspondent) -> None:
    id = maria.writes("The agent is down", "Since nine.")
    (receipt,) = maria.inbox
    assert receipt["Subject"] == "Re: [Case 1001] The agent is down"
    assert receipt["In-Reply-To"] == id
    assert receipt["References"] == id
    assert receipt["Auto-Submitted"] == "auto-replied"
    assert receipt["X-Auto-Response-Suppress"] == "All"
    assert receipt["X-Nightbell-Loop"]
    assert house.office.letters[0].mail_from == "<>", "nothing bounces (RFC 3834)"
    assert "Your case number is 1001." in text_of(receipt)
    assert "We respond by Fri 06 Mar 2026, 10:00 CST." in text_of(receipt)
    assert house.case.responded_at is None, "an automatic answer is no response"


def test_it_tells_a_stranger_neither_promise_nor_name(house: MailHouse) -> None:
    stranger = Correspondent(house, STRANGER_AT)
    stranger.writes("Help")
    text = text_of(stranger.latest)
    assert "Its case number is 1001." in text
    assert "respond by" not in text


@pytest.mark.parametrize(
    "fields",
    [
        {"auto_submitted": "auto-generated"},
        {"precedence": "bulk"},
        {"list_id": "<x.lists.example>"},
        {"x_auto_response_suppress": "All"},
    ],
)
def test_it_answers_no_machine(house: MailHouse, maria: Correspondent, fields: dict[str, str]) -> None:
    maria.writes("Disk 91 % full", **fields)
    assert maria.inbox == []
    assert len(house.cases) == 1, "the mail is a case all the same"
    (event,) = house.events("mail.not-answered")
    assert event.data["why"].startswith("a machine wrote (")


def test_it_answers_no_forged_sender(house: MailHouse, maria: Correspondent) -> None:
    maria.writes("The agent is down", verdicts=FORGED)
    assert maria.inbox == []


def test_it_answers_only_the_mail_that_opens_a_case(house: MailHouse, maria: Correspondent) -> None:
    maria.writes("The agent is down")
    maria.replies("It is still down.")
    maria.replies("And still.")
    assert len(maria.inbox) == 1
    assert len(messages(house, 1001)) == 4


def test_it_answers_two_mails_with_one_subject_and_ten_in_three_hours(
    house: MailHouse, maria: Correspondent
) -> None:
    for _ in range(4):
        maria.writes("Job failed")
    assert len(maria.inbox) == 2
    for number in range(12):
        maria.writes(f"Mail {number}")
    assert len(maria.inbox) == 10
    assert len(house.cases) == 16, "each is a case all the same"
    house.fast_forward(3 * 3600)
    maria.writes("Job failed")
    assert len(maria.inbox) == 11


def test_two_programs_that_answer_each_other_come_to_an_end(house: MailHouse, maria: Correspondent) -> None:
    """A vacation responder without a single mark: a new Message-ID each time, and no reference."""
    maria.writes("I am away", "I am on holiday.")
    answered = 0
    while len(maria.inbox) > answered and answered < 50:
        answered = len(maria.inbox)
        maria.writes(f"I am away, since mail {answered}", "I am on holiday.")
    assert answered == 10


def test_a_program_that_repeats_our_subject_is_answered_once(house: MailHouse, maria: Correspondent) -> None:
    maria.writes("I am away", "I am on holiday.")
    for _ in range(5):
        maria.writes(f"Away: {maria.latest['Subject']}", "I am on holiday.")
    assert (len(maria.inbox), len(house.cases)) == (1, 1)


@pytest.mark.both_databases
def test_it_knows_its_own_mail_when_it_comes_back(house: MailHouse, maria: Correspondent) -> None:
    maria.writes("The agent is down")
    raw = bytes(house.office.letters[0].content or b"")
    maria.sends(raw)
    assert len(house.cases) == 1
    assert len(maria.inbox) == 1


def test_it_tells_once_who_has_the_case(house: MailHouse, maria: Correspondent) -> None:
    house.it_becomes(DAY)
    maria.writes("P1 the agent is down")
    house.picks_up(PRIYA).presses("1")
    house.fast_forward(5)
    first, second = maria.inbox
    assert "Our on-call engineer is being called now." in text_of(first)
    assert "Priya has your case 1001." in text_of(second)
    assert second["Auto-Submitted"] == "auto-generated"
    assert second["References"] == first["References"]


# Engineers' answers


def test_a_conversation_threads_on_both_sides(
    house: MailHouse, maria: Correspondent, priya: Correspondent
) -> None:
    first = maria.writes("The agent is down", "Since nine.", cc=f"Ann <{ANN_AT}>")
    page = priya.latest
    assert "Since nine." in text_of(page), "she sees what there is to answer"
    assert text_of(page).startswith("-- Write above this line")
    assert signed(house).engineer_case_of(page["Reply-To"].addresses[0].addr_spec, "priya") == 1001
    house.fast_forward(600)
    priya.replies("Please restart it once more.\n\n-- \nPriya Natarajan, consultant")
    assert house.case.responded_at == house.scheduler.now()
    got = maria.latest
    assert (got["In-Reply-To"], got["References"]) == (first, first)
    assert got["Auto-Submitted"] is None
    assert got["From"].addresses[0].display_name == "Priya Natarajan, SMA Technologies"
    assert got["Cc"].addresses[0].addr_spec == ANN_AT
    text = text_of(got)
    assert text.startswith("Please restart it once more.\n\nPriya Natarajan\n")
    assert "consultant" not in text, "her signature stays at home"
    assert "/case/" not in text
    assert "tier" not in text.lower()
    maria.replies("It runs now.")
    assert len(house.cases) == 1
    assert [each.body for each in messages(house, 1001)][-1] == "It runs now."
    answer(house, "Good. We close it.")
    assert maria.latest["References"].split()[:2] == [first, got["Message-ID"]]
    again = priya.latest
    assert "It runs now." in text_of(again)
    assert again["References"] == page["References"], "one conversation in her program as well"


@pytest.mark.both_databases
def test_what_an_engineer_answers_on_a_merged_case_is_of_the_other(
    house: MailHouse, maria: Correspondent, priya: Correspondent
) -> None:
    """By the page of the case that was merged; whoever wrote for that case gets the answer as well."""
    ann = Correspondent(house, ANN_AT, "Ann")
    ann.writes("The agent is down")
    maria.writes("Agent still down")
    page = priya.latest
    with house.context.database.writing() as session:
        one, other = (session.merge(case) for case in house.cases)
        merge(session, other, one, handling.somebody(session, "priya"), house.scheduler.now())
    before = len(ann.inbox), len(maria.inbox)
    to = page["Reply-To"].addresses[0].addr_spec
    priya.writes("Re: it", "It runs again.", to=to, in_reply_to=page["Message-ID"])
    assert "1002" in str(page["Subject"])
    assert messages(house, 1001)[-1].body == "It runs again."
    assert house.cases[0].responded_at is not None
    assert (len(ann.inbox), len(maria.inbox)) == (before[0] + 1, before[1] + 1)
    assert "[Case 1001]" in str(maria.latest["Subject"])
    priya.writes("Re: it", "NOTE: by reference alone.", to=MASSUPPORT, in_reply_to=page["Message-ID"])
    assert (messages(house, 1001)[-1].body, messages(house, 1001)[-1].public) == (
        "by reference alone.",
        False,
    )


@pytest.mark.both_databases
@pytest.mark.parametrize("subject", ["NOTE: not for them", "Re: note : not for them"])
def test_a_marker_in_the_subject_keeps_the_mail_private(
    house: MailHouse, maria: Correspondent, priya: Correspondent, subject: str
) -> None:
    maria.writes("The agent is down")
    before = len(maria.inbox)
    priya.replies("They have not paid.", subject=subject)
    assert (len(maria.inbox), house.case.responded_at) == (before, None)
    assert "was not sent to the customer" in text_of(priya.latest)


def test_a_case_that_the_customer_called_so_can_be_answered(
    house: MailHouse, maria: Correspondent, priya: Correspondent
) -> None:
    maria.writes("NOTE: the agent is down")
    priya.replies("It runs again.", subject="Re: NOTE: the agent is down")
    assert house.case.responded_at is not None


def test_an_engineers_files_go_along(house: MailHouse, maria: Correspondent, priya: Correspondent) -> None:
    maria.writes("The agent is down")
    priya.replies("See the log.", attach=("log.txt", "text/plain", b"all is well\n"))
    (file,) = maria.latest.iter_attachments()
    assert (file.get_filename(), file.get_payload(decode=True)) == ("log.txt", b"all is well\n")


@pytest.mark.parametrize(
    "first", ["NOTE: they have not paid.", "  note: they have not paid.", "*NOTE:* they have not paid."]
)
def test_a_private_note_never_leaks(
    house: MailHouse, maria: Correspondent, priya: Correspondent, first: str
) -> None:
    maria.writes("The agent is down")
    before = len(maria.inbox)
    priya.replies(f"{first}\nAsk sales.")
    assert len(maria.inbox) == before
    note = messages(house, 1001)[-1]
    assert (note.body, note.public, note.author) == ("they have not paid.\nAsk sales.", False, "engineer")
    assert house.case.responded_at is None
    answer(house)
    assert "paid" not in text_of(maria.latest)


def test_a_marker_below_the_first_line_keeps_the_whole_mail_private(
    house: MailHouse, maria: Correspondent, priya: Correspondent
) -> None:
    maria.writes("The agent is down")
    before = len(maria.inbox)
    priya.replies("Hello Maria, we look at it.\nNOTE: they have not paid.")
    assert len(maria.inbox) == before
    assert house.case.responded_at is None
    assert messages(house, 1001)[-1].public is False
    assert "was not sent to the customer" in text_of(priya.latest)


@pytest.mark.parametrize(
    "html",
    [
        "<p><b>NOTE:</b> they have not paid.</p>",
        "<div>&nbsp;</div><div><span>NOTE</span>: they have not paid.</div>",
        "<ul><li>NOTE: they have not paid.</li></ul>",
    ],
)
def test_a_private_note_in_html_never_leaks(
    house: MailHouse, maria: Correspondent, priya: Correspondent, html: str
) -> None:
    maria.writes("The agent is down")
    before = len(maria.inbox)
    writes_html(priya, html)
    assert len(maria.inbox) == before
    assert house.case.responded_at is None
    assert "they have not paid." in messages(house, 1001)[-1].body
    assert messages(house, 1001)[-1].public is False


def test_an_answer_in_html_leaves_the_history_behind(
    house: MailHouse, maria: Correspondent, priya: Correspondent
) -> None:
    """As a program of an office writes it: the earlier mail below, without a mark of quotation."""
    maria.writes("The agent is down", "Since nine.")
    page = text_of(priya.latest).replace("\n", "<br>")
    writes_html(
        priya,
        "<div>Hello Maria,</div><div>please restart it.</div><div>&nbsp;</div>"
        "<div style='border-top:solid 1pt'><p><b>From:</b> Nightbell &lt;nightbell@localhost&gt;<br>"
        f"<b>Sent:</b> Wednesday, March 4, 2026 10:00 AM<br><b>To:</b> Priya<br><b>Subject:</b> Case</p></div>{page}",
    )
    text = text_of(maria.latest)
    assert text.startswith("Hello Maria,\nplease restart it.\n\nPriya Natarajan\n")
    for part in ("From:", "Sent:", "Promised by", "/case/", "nightbell@localhost"):
        assert part not in text.partition("wrote:")[0]


def writes_html(writer: Correspondent, html: str) -> None:
    """Answer the latest mail with HTML alone."""
    got = writer.latest
    to = got["Reply-To"].addresses[0].addr_spec
    fields = {
        "From": writer.address, "To": to, "Subject": "Re: it", "In-Reply-To": got["Message-ID"],
        "Message-ID": "<html@nightbell.example>", "MIME-Version": "1.0", "Content-Type": "text/html; charset=utf-8",
    }  # fmt: skip
    head = "\r\n".join(f"{name}: {value}" for name, value in fields.items())
    writer.sends(f"{head}\r\n\r\n<html><body>{html}</body></html>".encode(), to=to, verdicts=PROVEN)


def test_a_mail_without_a_word_of_its_own_is_not_sent(
    house: MailHouse, maria: Correspondent, priya: Correspondent
) -> None:
    maria.writes("The agent is down")
    before = len(maria.inbox)
    priya.replies("")
    assert len(maria.inbox) == before
    assert "it has no text of its own" in text_of(priya.latest)
    assert house.case.responded_at is None


def test_what_a_program_quotes_without_marks_is_cut(
    house: MailHouse, maria: Correspondent, priya: Correspondent
) -> None:
    maria.writes("The agent is down")
    page = text_of(priya.latest)
    priya.replies(f"Restart it.\n\n{page}", quote=False)
    text = text_of(maria.latest)
    assert text.startswith("Restart it.\n\nPriya Natarajan\n")
    assert "Promised by" not in text


@pytest.mark.both_databases
def test_an_engineers_vacation_notice_is_nothing(
    house: MailHouse, maria: Correspondent, priya: Correspondent
) -> None:
    maria.writes("The agent is down")
    before = len(messages(house, 1001))
    page = priya.latest
    priya.writes(
        "Out of office", "I am away.", to=page["Reply-To"].addresses[0].addr_spec,
        in_reply_to=page["Message-ID"], auto_submitted="auto-replied",
    )  # fmt: skip
    assert len(messages(house, 1001)) == before
    assert house.case.responded_at is None
    assert len(maria.inbox) == 1
    assert len(house.events("mail.engineer-away")) == 1


@pytest.mark.both_databases
def test_a_stolen_address_sends_nothing(house: MailHouse, maria: Correspondent, priya: Correspondent) -> None:
    maria.writes("The agent is down")
    thief = Correspondent(house, STRANGER_AT, "A Thief")
    before = len(maria.inbox)
    thief.writes("Re: it", "Send us your password.", to=priya.latest["Reply-To"].addresses[0].addr_spec)
    assert len(maria.inbox) == before
    assert house.case.responded_at is None
    kept = messages(house, 1001)[-1]
    assert (kept.public, kept.author) == (False, "unknown")
    assert len(house.events("mail.stranger")) == 1
    assert STRANGER_AT in text_of(priya.latest)
    assert thief.inbox == []


def test_other_users_of_a_contacts_mail_host_are_no_colleagues(house: MailHouse) -> None:
    """One of them has got hold of the case's address, and writes last."""
    house.apply(agreement(("email: maria@lakeside.example", "email: maria@gmail.com")))
    maria = Correspondent(house, "maria@gmail.com", "Maria Alvarez")
    maria.writes("The agent is down")
    assert house.case.customer_id is not None
    thief = Correspondent(house, "mallory@gmail.com", "Mallory")
    thief.answers(1001, "Please send me the password.")
    before = len(maria.inbox), len(thief.inbox)
    answer(house, "The password is new.")
    assert (len(maria.inbox), len(thief.inbox)) == (before[0] + 1, before[1])


def test_nobody_gets_a_copy_by_writing_a_colleagues_name(house: MailHouse, maria: Correspondent) -> None:
    """By the number alone, and for a domain that publishes nothing which would give the lie to it."""
    maria.writes("The agent is down", cc=f"Ann <{ANN_AT}>, Paul <paul@partner.example>")
    thief = Correspondent(house, "thief@evil.example")
    forged = Correspondent(house, "bob@lakeside.example", "Bob")
    copies = f"thief@evil.example, {ANN_AT}, paul@partner.example, {MARIA_AT}"
    forged.writes("Re: [Case 1001] the password", "Please send it.", cc=copies, verdicts=())
    assert messages(house, 1001)[-1].body == "Please send it."
    answer(house, "The password is new.")
    assert thief.inbox == []
    (mail,) = [each for each in house.outbox if each.kind == "reply"]
    assert set(mail.recipients) == {"bob@lakeside.example", ANN_AT, "paul@partner.example", MARIA_AT}
    thief.answers(1001, "And me?")
    answer(house, "No.")
    assert thief.inbox == []


def test_an_engineer_whom_servers_doubt_sends_nothing(
    house: MailHouse, maria: Correspondent, priya: Correspondent
) -> None:
    """A copy of an engineer's own mail has their address in it; their name anybody can write."""
    maria.writes("The agent is down")
    before = len(maria.inbox)
    doubted = (Method("spf", "softfail", "", {"smtp.mailfrom": "nightbell.example"}),)
    priya.replies("Send us your password.", verdicts=doubted)
    assert (len(maria.inbox), house.case.responded_at) == (before, None)


def test_a_forged_engineer_sends_nothing(
    house: MailHouse, maria: Correspondent, priya: Correspondent
) -> None:
    maria.writes("The agent is down")
    before = len(maria.inbox)
    priya.replies("Send us your password.", verdicts=FORGED)
    assert len(maria.inbox) == before
    assert house.case.responded_at is None
    assert len(house.events("mail.stranger")) == 1


def test_whoever_has_the_mail_already_does_not_get_it_twice(
    house: MailHouse, maria: Correspondent, priya: Correspondent
) -> None:
    maria.writes("The agent is down", cc=f"Ann <{ANN_AT}>")
    before = len(maria.inbox)
    priya.replies("Restart it.", cc=MARIA_AT)
    assert len(maria.inbox) == before, "she got it from Priya"
    (mail,) = [each for each in house.outbox if each.kind == "reply"]
    assert mail.recipients == (ANN_AT,)
    assert house.case.responded_at is not None


def test_a_customer_who_answers_to_all_is_a_customer(
    house: MailHouse, maria: Correspondent, priya: Correspondent
) -> None:
    maria.writes("The agent is down")
    page = priya.latest
    maria.writes(
        "Re: it",
        "Thank you both.",
        to=page["Reply-To"].addresses[0].addr_spec,
        in_reply_to=page["Message-ID"],
    )
    assert (messages(house, 1001)[-1].body, messages(house, 1001)[-1].author) == (
        "Thank you both.",
        "customer",
    )
    assert house.events("mail.stranger") == []


# Reports and vacation notices


def no_mail(house: MailHouse) -> str | None:
    """What is known against Maria's address."""
    with house.context.database.writing() as session:
        return no_mail_reason(session, MARIA_AT)


def test_a_report_takes_the_response_back(house: MailHouse, maria: Correspondent) -> None:
    maria.writes("The agent is down")
    answer(house)
    assert house.case.responded_at is not None
    maria.cannot_be_reached()
    assert house.outbox_states == [("receipt", "sent"), ("reply", "bounced")]
    assert house.case.responded_at is None
    assert len(house.cases) == 1, "the report is on the case"
    report = messages(house, 1001)[-1]
    assert (report.author, report.public) == ("system", False)
    said = [entry["text"] for entry in house.shown()["timeline"]]
    assert "A delivery report came in: Undelivered Mail Returned to Sender" in said
    house.fast_forward(60)
    assert any("NOT DELIVERED" in text_of(each) for each in house.office.mail_to(PRIYA_AT))


def test_an_address_that_is_gone_gets_no_automatic_mail_until_it_writes(
    house: MailHouse, maria: Correspondent
) -> None:
    maria.writes("The agent is down")
    answer(house)
    maria.cannot_be_reached()
    before = len(maria.inbox)
    assert no_mail(house) == "5.1.1 no such address"
    maria.cannot_be_reached()
    assert len(house.events("mail.not-delivered")) == 1, "reports end in nothing"
    maria.writes("A new matter")
    assert len(maria.inbox) == before + 1


def test_a_delay_is_only_noted(house: MailHouse, maria: Correspondent) -> None:
    maria.writes("The agent is down")
    answer(house)
    maria.cannot_be_reached("4.4.1", "delayed")
    assert house.outbox_states[-1] == ("reply", "sent")
    assert house.case.responded_at is not None
    assert len(house.events("mail.slow")) == 1


@pytest.mark.both_databases
def test_a_report_on_a_copy_leaves_the_response(house: MailHouse, maria: Correspondent) -> None:
    maria.writes("The agent is down", cc=f"Ann <{ANN_AT}>")
    answer(house)
    Correspondent(house, ANN_AT).cannot_be_reached()
    assert house.outbox_states[-1] == ("reply", "sent")
    assert house.case.responded_at is not None
    maria.cannot_be_reached()
    assert house.outbox_states[-1] == ("reply", "bounced"), "now nobody has it"
    assert house.case.responded_at is None


@pytest.mark.both_databases
def test_a_report_that_proves_nothing_takes_nothing_back(house: MailHouse, maria: Correspondent) -> None:
    """It names the recipient alone: anybody can write that."""
    maria.writes("The agent is down")
    answer(house)
    maria.cannot_be_reached(to=MASSUPPORT, original_id="<made-up@lakeside.example>")
    maria.cannot_be_reached(
        to="massupport+b1.aaaaaaaaaaaa@smatechnologies.com", original_id="<made-up@x.example>"
    )
    assert house.outbox_states[-1] == ("reply", "sent")
    assert house.cases[0].responded_at is not None
    assert house.events("mail.not-delivered") == []
    assert no_mail(house) is None
    assert len(house.events("mail.report-not-proven")) == 1, "once a day"
    assert len(messages(house, 1001)) == 3, (
        "receipt, mail and answer; what anybody can write is a case of its own"
    )
    assert len(house.cases) == 2


@pytest.mark.parametrize("what", ["recipient", "sender"])
def test_a_message_id_alone_proves_no_report(house: MailHouse, maria: Correspondent, what: str) -> None:
    """Everybody knows it who has had the mail forwarded to them."""
    maria.writes("The agent is down", cc=f"Ann <{ANN_AT}>")
    answer(house)
    quoted = maria.latest["Message-ID"]
    raw = report(STRANGER_AT if what == "recipient" else MARIA_AT, quoted, "5.1.1", "failed")
    verdicts = PROVEN if what == "recipient" else FORGED
    store(house.context, raw, Envelope("", [MASSUPPORT]), "smtp", authentication=list(verdicts))
    house.fast_forward(1)
    assert house.outbox_states[-1] == ("reply", "sent")
    assert house.cases[0].responded_at is not None
    assert house.events("mail.not-delivered") == []
    assert no_mail(house) is None
    assert len(house.cases) == (1 if what == "recipient" else 2), "a forged sender gets nowhere"


def test_a_report_to_the_bounce_address_counts_whatever_its_domain_says(
    house: MailHouse, maria: Correspondent
) -> None:
    """Many servers report in the name of a domain whose DMARC policy they do not fulfil."""
    maria.writes("The agent is down")
    answer(house)
    got = maria.latest
    raw = report(MARIA_AT, got["Message-ID"], "5.1.1", "failed")
    store(house.context, raw, Envelope("", [sender_of(house, got)]), "smtp", authentication=list(FORGED))
    house.fast_forward(1)
    assert house.outbox_states[-1] == ("reply", "bounced")
    assert house.case.responded_at is None


@pytest.mark.both_databases
def test_a_report_that_somebody_has_kept_takes_nothing_back(house: MailHouse, maria: Correspondent) -> None:
    maria.writes("The agent is down")
    answer(house)
    house.fast_forward(15 * 86_400)
    maria.cannot_be_reached()
    assert house.outbox_states[-1] == ("reply", "sent")
    assert house.case.responded_at is not None
    assert no_mail(house) is None


def test_a_warning_for_people_is_no_failure(house: MailHouse, maria: Correspondent) -> None:
    maria.writes("The agent is down")
    answer(house)
    got = maria.latest
    raw = (
        f"From: Mail Delivery System <Mailer-Daemon@lakeside.example>\nTo: {MASSUPPORT}\n"
        "Message-ID: <w@mx.example>\nSubject: Warning: message 1tXyZ delayed 24 hours\n"
        "Auto-Submitted: auto-replied\n\n"
        "A message that you sent has not yet been delivered to one or more of its\n"
        f"recipients after more than 24 hours on the queue.\n\n  {MARIA_AT}\n\nNo action is required on your part.\n"
    ).encode()
    store(house.context, raw, Envelope("", [sender_of(house, got)]), "smtp", authentication=list(PROVEN))
    house.fast_forward(1)
    assert house.outbox_states[-1] == ("reply", "sent")
    assert house.case.responded_at is not None
    assert len(house.events("mail.slow")) == 1


def test_a_report_on_what_we_have_not_sent_is_a_case_and_is_not_answered(house: MailHouse) -> None:
    nobody = Correspondent(house, "mailer-daemon@elsewhere.example")
    raw = report(STRANGER_AT, "<made-up@x.example>", "5.1.1", "failed")
    store(house.context, raw, Envelope("", [MASSUPPORT]), "smtp", authentication=list(PROVEN))
    house.fast_forward(1)
    assert len(house.cases) == 1
    assert house.outbox == []
    assert nobody.inbox == []


def test_a_report_to_the_bare_mailbox_is_known_by_what_it_quotes(
    house: MailHouse, maria: Correspondent
) -> None:
    maria.writes("The agent is down")
    answer(house)
    maria.cannot_be_reached(to=MASSUPPORT)
    assert house.outbox_states[-1] == ("reply", "bounced")


@pytest.mark.both_databases
def test_a_page_by_mail_that_came_back_is_on_its_case(
    house: MailHouse, maria: Correspondent, priya: Correspondent
) -> None:
    maria.writes("The agent is down")
    priya.cannot_be_reached(to=MASSUPPORT)
    assert len(house.cases) == 1
    assert len(house.events("mail.notification-returned")) == 1


def test_reports_without_end_are_not_shown_without_end(house: MailHouse, maria: Correspondent) -> None:
    maria.writes("The agent is down")
    answer(house)
    for number in range(30):
        maria.cannot_be_reached(f"5.1.{number}")
    assert len([each for each in messages(house, 1001) if each.author == "system" and not each.public]) == 20
    assert len(mails(house)) == 31, "and all are kept"
    assert len(house.events("mail.not-delivered")) == 1
    assert len(house.cases) == 1


def test_an_answer_that_comes_to_two_mailboxes_is_sent_once(
    house: MailHouse, maria: Correspondent, priya: Correspondent
) -> None:
    other = (
        "  operations: {name: Operations, address: ops@smatechnologies.com, service: managed-operations}\n"
    )
    house.apply(agreement(PRIYA_BY_MAIL, ("mailboxes:\n", f"mailboxes:\n{other}")))
    maria.writes("The agent is down")
    before = len(maria.inbox)
    raw = (
        f"From: {PRIYA_AT}\nTo: {priya.latest['Reply-To']}\nCc: ops@smatechnologies.com\nSubject: Re: it\n"
        "Message-ID: <two@nightbell.example>\n\nRestart it.\n"
    ).encode()
    to = [priya.latest["Reply-To"].addresses[0].addr_spec, "ops@smatechnologies.com"]
    store(house.context, raw, Envelope(PRIYA_AT, to), "smtp", authentication=list(PROVEN))
    house.fast_forward(1)
    assert len(maria.inbox) == before + 1
    assert [kind for kind, _ in house.outbox_states].count("reply") == 1


@pytest.mark.both_databases
def test_a_customers_vacation_notice_reopens_nothing_and_is_not_answered(
    house: MailHouse, maria: Correspondent
) -> None:
    maria.writes("The agent is down")
    answer(house)
    with house.context.database.writing() as session:
        handling.close(
            session, session.get_one(Case, 1001), session.get_one(Person, "priya"), house.scheduler.now()
        )
    before = len(maria.inbox)
    maria.answers_by_machine()
    assert house.case.status == "closed"
    assert len(house.cases) == 1
    assert len(maria.inbox) == before


# A mail host that knows no tags


@pytest.fixture
def without_tags(house: MailHouse) -> MailHouse:
    """Everything goes to the bare mailbox: Message-IDs alone say which case is meant."""
    address = "    address: MASsupport@smatechnologies.com\n"
    house.apply(agreement(PRIYA_BY_MAIL, (address, f"{address}    address_tags: false\n")))
    return house


def test_without_tags_message_ids_do_it_alone(
    without_tags: MailHouse, maria: Correspondent, priya: Correspondent
) -> None:
    house = without_tags
    maria.writes("The agent is down", "Since nine.")
    assert priya.latest["Reply-To"].addresses[0].addr_spec == MASSUPPORT.lower()
    priya.replies("Restart it.")
    assert text_of(maria.latest).startswith("Restart it.")
    assert house.case.responded_at is not None
    priya.replies("NOTE: again.")
    assert messages(house, 1001)[-1].public is False
    maria.replies("It runs.", subject="Thanks")
    assert (len(house.cases), messages(house, 1001)[-1].body) == (1, "It runs.")
    maria.cannot_be_reached()
    assert [state for kind, state in house.outbox_states if kind == "reply"] == ["bounced"]


def test_without_tags_an_engineer_must_be_proven(
    without_tags: MailHouse, maria: Correspondent, priya: Correspondent
) -> None:
    maria.writes("The agent is down", "Since nine.")
    before = len(maria.inbox)
    priya.replies("Send us your password.", verdicts=())
    assert len(maria.inbox) == before
    assert without_tags.case.responded_at is None
