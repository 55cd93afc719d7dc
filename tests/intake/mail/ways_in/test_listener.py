"""The listener: what it says and when, over real connections."""

from __future__ import annotations

import errno
import smtplib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from intake.mail.ways_in import dialogue, listener
from intake.mail.ways_in.listener import CannotListen, Listener
from tests.intake.mail.ways_in.counter import Counter, Talk, counter, settings_of

MAIL = b"From: ann@customer.example\r\nSubject: down\r\n\r\nThe line is down.\r\n"
ANN, MAS = "ann@customer.example", "mas@vendor.example"


@pytest.fixture
def open_counter(tmp_path: Path) -> Iterator[Counter]:
    with counter(tmp_path) as found:
        yield found


@pytest.fixture
def talk(open_counter: Counter) -> Talk:
    return Talk(open_counter)


def _client(found: Counter) -> smtplib.SMTP:
    return smtplib.SMTP("127.0.0.1", found.port, timeout=10, local_hostname="there.example")


def test_it_keeps_a_mail_to_the_byte_with_its_envelope(open_counter: Counter) -> None:
    with _client(open_counter) as client:
        client.sendmail(ANN, [MAS, "mas+c1042.abc@vendor.example"], MAIL)
        client.sendmail("", [MAS], MAIL)
    first, second = open_counter.kept
    assert first.raw == MAIL
    assert (first.envelope.sender, list(first.envelope.recipients)) == (
        ANN, [MAS, "mas+c1042.abc@vendor.example"],
    )  # fmt: skip
    assert first.via == "smtp"
    assert second.envelope.sender == "", "the null path is known as such"


def test_it_greets_by_its_name_and_says_what_it_can(talk: Talk) -> None:
    assert talk.hello == ["220 mx.vendor.example ESMTP"]
    assert [line[4:] for line in talk.offers] == [
        "mx.vendor.example", "SIZE 40000000", "8BITMIME", "SMTPUTF8", "PIPELINING", "ENHANCEDSTATUSCODES",
    ]  # fmt: skip


def test_it_says_stored_only_when_it_is(open_counter: Counter, talk: Talk) -> None:
    may_go_on = threading.Event()
    open_counter.before_keeping = lambda: may_go_on.wait(10)
    talk.begins()
    talk.sends(MAIL + b".\r\n")
    talk.socket.settimeout(0.3)
    with pytest.raises(TimeoutError):
        talk.socket.recv(10)
    with _client(open_counter) as other:
        assert other.noop()[0] == 250, "others are served meanwhile"
    talk.socket.settimeout(10)
    may_go_on.set()
    assert talk.socket.recv(100) == b"250 2.6.0 stored\r\n"
    assert len(open_counter.kept) == 1


class _DiskFull(Exception):
    sqlstate = "53100"


@pytest.mark.parametrize(
    ("error", "reply"),
    [
        (sa.exc.OperationalError("", {}, Exception("gone")), "451 4.3.0"),
        (sa.exc.TimeoutError("pool"), "451 4.3.0"),
        (OSError(errno.ENOSPC, "no space"), "452 4.3.1"),
        (sa.exc.OperationalError("", {}, Exception("database or disk is full")), "452 4.3.1"),
        (sa.exc.OperationalError("", {}, _DiskFull()), "452 4.3.1"),
        (ValueError("whatever"), "451 4.3.0"),
        (RuntimeError("secret@customer.example"), "451 4.3.0"),
    ],
)
def test_it_says_try_again_when_we_fail(
    open_counter: Counter, talk: Talk, error: Exception, reply: str
) -> None:
    def fail() -> None:
        raise error

    open_counter.before_keeping = fail
    talk.begins()
    talk.sends(MAIL + b".\r\n")
    said = talk.hears()[0]
    assert said.startswith(reply)
    assert "secret" not in said
    open_counter.before_keeping = lambda: None
    talk.begins()
    talk.sends(MAIL + b".\r\n")
    assert talk.hears()[0].startswith("250"), "the same connection can go on"


def test_it_says_try_again_when_nobody_knows_whose_an_address_is(open_counter: Counter, talk: Talk) -> None:
    def fail() -> None:
        raise sa.exc.OperationalError("", {}, Exception("gone"))

    open_counter.before_knowing = fail
    talk.says("MAIL FROM:<ann@customer.example>")
    assert talk.says("RCPT TO:<mas@vendor.example>")[0].startswith("451 4.3.0")
    open_counter.before_knowing = lambda: None
    assert talk.says("RCPT TO:<mas@vendor.example>")[0].startswith("250")


def test_it_refuses_what_is_not_for_us_for_good(talk: Talk) -> None:
    talk.says("MAIL FROM:<ann@customer.example>")
    assert talk.says("RCPT TO:<nobody@vendor.example>")[0].startswith("550 5.1.1")
    for stranger in ("ann@elsewhere.example", "mas%elsewhere.example@other.example", "mas@[192.0.2.1]"):
        assert talk.says(f"RCPT TO:<{stranger}>")[0].startswith("550 5.7.1"), "no open relay"
    assert talk.says("DATA")[0].startswith("554 5.5.1")


@pytest.mark.parametrize(
    "address",
    ["<", ">", "<<>>", "<a@", "<@>", "<>", "", "<a b@c>", '<"@vendor.example>', "<a@b@c>", "<\x00@b>"],
)
def test_it_survives_addresses_that_are_none(talk: Talk, address: str) -> None:
    talk.says("MAIL FROM:<ann@customer.example>")
    assert talk.says(f"RCPT TO:{address}")[0][0] == "5"
    assert talk.says("NOOP")[0].startswith("250")


def test_it_sends_whoever_tries_many_addresses_away(talk: Talk, open_counter: Counter) -> None:
    talk.says("MAIL FROM:<ann@customer.example>")
    replies = [talk.says(f"RCPT TO:<a{n}@vendor.example>")[0] for n in range(21)]
    assert replies[-1].startswith("421 4.7.0")
    assert talk.hears() == []


def test_it_lets_a_sender_split_a_long_list(open_counter: Counter) -> None:
    wanted = [f"mas+{n}@vendor.example" for n in range(3_000)]
    left = list(wanted)
    with _client(open_counter) as client:
        while left:
            client.ehlo_or_helo_if_needed()
            client.mail(ANN)
            while left and client.rcpt(left[0])[0] == 250:
                left.pop(0)
            client.data(MAIL)
    assert len(open_counter.kept) == 30
    assert sorted(each for mail in open_counter.kept for each in mail.envelope.recipients) == sorted(wanted)


def test_it_says_that_the_list_is_too_long_for_one_mail(talk: Talk) -> None:
    talk.says("MAIL FROM:<ann@customer.example>")
    replies = [talk.says(f"RCPT TO:<mas+{n}@vendor.example>")[0] for n in range(101)]
    assert replies[99].startswith("250")
    assert replies[100].startswith("452 4.5.3")


def test_it_refuses_by_size_before_a_byte_is_sent(talk: Talk) -> None:
    for size in ("50000000", "40000001", "9" * 900):
        assert talk.says(f"MAIL FROM:<ann@customer.example> SIZE={size}")[0].startswith("552 5.3.4")
    assert talk.says("MAIL FROM:<ann@customer.example> SIZE=40000000 BODY=8BITMIME")[0].startswith("250")


def test_it_refuses_what_turns_out_too_big_and_goes_on(tmp_path: Path) -> None:
    with counter(tmp_path, mail_max_bytes=100_000) as found:
        talk = Talk(found)
        for size, reply in ((99_998, "250"), (100_001, "552 5.3.4"), (300_000, "552 5.3.4"), (10, "250")):
            talk.begins()
            talk.sends(b"x" * size + b"\r\n.\r\n")
            assert talk.hears()[0].startswith(reply), size
        assert [len(mail.raw) for mail in found.kept] == [100_000, 12]


def test_it_does_not_read_what_never_ends(tmp_path: Path) -> None:
    with counter(tmp_path, mail_max_bytes=100_000) as found:
        talk = Talk(found)
        talk.begins()
        with pytest.raises(OSError):  # noqa: PT011  # whichever way the other end finds out
            talk.sends(b"x" * 50_000_000)
        assert found.kept == []


@pytest.mark.parametrize("piece", [1, 2, 3, 5, 7])
@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b"\r\n.\r\n", b"\r\n"),
        (b".\r\n", b""),
        (b"..\r\n.\r\n", b".\r\n"),
        (b"a\r\n..b\r\n...\r\n.\r\n", b"a\r\n.b\r\n..\r\n"),
        (b"a\r\n\r\n.\r\n", b"a\r\n\r\n"),
        (b"a\r\r\n.\r\n", b"a\r\r\n"),
    ],
)
def test_it_takes_the_added_dots_away(
    talk: Talk, open_counter: Counter, sent: bytes, kept: bytes, piece: int
) -> None:
    talk.begins()
    talk.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for start in range(0, len(sent), piece):
        talk.sends(sent[start : start + piece])
        time.sleep(0.001)
    assert talk.hears()[0].startswith("250")
    assert open_counter.kept[0].raw == kept


@pytest.mark.parametrize(
    "end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\n.\r", b"\r.\r\n"]
)
def test_it_cannot_be_made_to_see_two_mails_in_one(talk: Talk, open_counter: Counter, end: bytes) -> None:
    hidden = b"MAIL FROM:<boss@vendor.example>\r\nRCPT TO:<mas@vendor.example>\r\nDATA\r\nFrom: boss\r\n\r\npay\r\n"
    text = b"Subject: one\r\n\r\nfirst" + end + hidden
    talk.begins()
    talk.sends(text + b".\r\n")
    assert talk.hears()[0].startswith("250")
    whole = text.replace(b"\r\n.", b"\r\n")
    assert [mail.raw for mail in open_counter.kept] == [whole], "one mail, with all of its text"


def test_it_takes_long_lines_a_2_mb_header_and_nuls(talk: Talk, open_counter: Counter) -> None:
    text = b"X-Long: " + b"a" * 2_000_000 + b"\r\nSubject: nul \x00\r\n\r\n" + b"\x00" * 5_000 + b"\xff\r\n"
    talk.begins()
    talk.sends(text + b".\r\n")
    assert talk.hears()[0].startswith("250")
    assert open_counter.kept[0].raw == text


def test_it_takes_commands_that_come_all_at_once(talk: Talk, open_counter: Counter) -> None:
    envelope = b"MAIL FROM:<ann@customer.example>\r\nRCPT TO:<mas@vendor.example>\r\nDATA\r\n"
    talk.sends(envelope + MAIL + b".\r\n" + envelope + b"..x\r\n.\r\nNOOP\r\n")
    codes = [talk.hears()[0][:3] for _ in range(9)]
    assert codes == ["250", "250", "354", "250", "250", "250", "354", "250", "250"]
    assert [mail.raw for mail in open_counter.kept] == [MAIL, b".x\r\n"]


def test_it_takes_international_addresses(open_counter: Counter) -> None:
    with _client(open_counter) as client:
        client.ehlo()
        client.mail("jörg@kunde.example", ["SMTPUTF8"])
        assert client.rcpt("mas+ü@vendor.example")[0] == 250
        assert client.data(MAIL)[0] == 250
    assert open_counter.kept[0].envelope.sender == "jörg@kunde.example"


def test_it_keeps_addresses_storable(talk: Talk, open_counter: Counter) -> None:
    talk.says(b"MAIL FROM:<a\xff\x00n@customer.example>")
    talk.says(b"RCPT TO:<mas+\xff@vendor.example>")
    talk.says("DATA")
    talk.sends(b".\r\n")
    if talk.hears()[0].startswith("250"):
        kept = open_counter.kept[0].envelope
        for address in (kept.sender or "", *kept.recipients):
            address.encode()
            assert "\0" not in address


def test_it_lets_nobody_sign_in_and_tells_no_addresses(talk: Talk) -> None:
    assert talk.says("AUTH PLAIN AGEAYg==")[0].startswith("502")
    assert talk.says("VRFY mas")[0].startswith("252")
    assert talk.says("EXPN mas")[0].startswith("502")


@pytest.mark.parametrize("line", ["NOOP", "HELO there", "VRFY x", "HELP"])
def test_it_ends_a_flood_of_commands(talk: Talk, line: str) -> None:
    said = [talk.says(line) for _ in range(101)]
    assert said[-1][0].startswith("421 4.7.0")
    assert talk.hears() == []


def test_it_ends_a_flood_of_nonsense(talk: Talk) -> None:
    assert [talk.says("GET / HTTP/1.1")[0][:3] for _ in range(5)] == ["500"] * 4 + ["502"]
    assert talk.hears() == []


def test_it_refuses_a_long_command(talk: Talk) -> None:
    assert talk.says("MAIL FROM:<" + "a" * 3_000 + "@b>")[0].startswith("500")
    assert talk.says("NOOP " + "a" * 500_000)[0].startswith("500")
    assert talk.says("NOOP")[0].startswith("250")


def test_it_hangs_up_on_the_idle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(dialogue, "IDLE_S", 1.0)
    with counter(tmp_path) as found:
        talk = Talk(found)
        assert talk.hears() == []
        talk = Talk(found)
        talk.begins()
        talk.sends(b"half a mail")
        assert talk.hears() == []
        assert found.kept == []


def test_it_lets_so_many_in_and_no_more(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(listener, "CONNECTIONS_OF_ONE", 3)
    with counter(tmp_path) as found:
        inside = [Talk(found) for _ in range(3)]
        outside = Talk(found, greeting="")
        assert outside.hello[0].startswith("421 4.3.2")
        assert outside.hears() == []
        inside[0].says("QUIT")
        inside[0].close()
        deadline = time.monotonic() + 5
        while not Talk(found, greeting="").hello[0].startswith("220"):
            assert time.monotonic() < deadline


def test_it_has_only_so_much_room_for_mails_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(listener, "_MAILS_AT_ONCE", 1)
    with counter(tmp_path, mail_max_bytes=100_000) as found:
        first, second = Talk(found), Talk(found)
        first.begins()
        first.sends(b"x" * 90_000)
        _until(lambda: found.held() > 60_000)
        second.begins()
        second.sends(b"y" * 90_000 + b"\r\n.\r\n")
        assert second.hears()[0].startswith("452 4.3.1")
        first.sends(b"\r\n.\r\n")
        assert first.hears()[0].startswith("250")
        second.begins()
        second.sends(b"y" * 90_000 + b"\r\n.\r\n")
        assert second.hears()[0].startswith("250")


def test_it_counts_an_ipv6_network_as_one() -> None:
    assert listener._owner("192.0.2.1") != listener._owner("192.0.2.2")
    assert (
        listener._owner("2001:db8::1")
        == listener._owner("2001:db8::ffff:2")
        != listener._owner("2001:db8:0:1::1")
    )
    assert listener._owner("fe80::1%eth0") == listener._owner("fe80::2%eth0")
    assert listener._owner("::ffff:192.0.2.1") == listener._owner("192.0.2.1")
    assert listener._owner("") == ""


def test_it_forgets_a_mail_whose_sender_hangs_up_in_the_middle(talk: Talk, open_counter: Counter) -> None:
    talk.begins()
    talk.sends(MAIL)
    talk.close()
    with _client(open_counter) as client:
        client.noop()
    assert open_counter.kept == []


def test_it_finishes_what_is_being_stored_when_it_is_stopped(tmp_path: Path) -> None:
    with counter(tmp_path) as found:
        begun = threading.Event()
        found.before_keeping = lambda: (begun.set(), time.sleep(0.5))
        talk = Talk(found)
        talk.begins()
        talk.sends(MAIL + b".\r\n")
        assert begun.wait(10)
        found.stop()
        assert talk.hears() == ["250 2.6.0 stored"]
        assert talk.hears()[0].startswith("421 4.3.2")
    assert len(found.kept) == 1


@pytest.mark.parametrize("greet", ["EHLO there.example", "HELO there.example"])
def test_it_has_the_sender_checked_and_hands_the_verdicts_on(open_counter: Counter, greet: str) -> None:
    from intake.mail.parsing.authentication import Method

    open_counter.verdicts = [Method("spf", "pass")]
    talk = Talk(open_counter, greet)
    talk.begins()
    talk.sends(MAIL + b".\r\n")
    talk.hears()
    assert open_counter.checked == [("127.0.0.1", "there.example", ANN)]
    assert open_counter.kept[0].authentication == [Method("spf", "pass")]


def test_it_answers_each_recipient_by_lmtp(tmp_path: Path) -> None:
    with counter(tmp_path, "lmtp") as found:
        talk = Talk(found, "LHLO here.example")
        assert "PIPELINING" in [line[4:] for line in talk.offers]
        talk.says("MAIL FROM:<ann@customer.example>")
        assert talk.says("RCPT TO:<mas@vendor.example>")[0].startswith("250")
        assert talk.says("RCPT TO:<nobody@vendor.example>")[0].startswith("550")
        assert talk.says("RCPT TO:<mas+x@vendor.example>")[0].startswith("250")
        talk.says("DATA")
        talk.sends(MAIL + b".\r\n")
        assert [talk.hears()[0][:3] for _ in range(2)] == ["250", "250"]
        assert talk.says("NOOP")[0].startswith("250")
        assert talk.says("EHLO x")[0].startswith("500")
        assert found.kept[0].via == "lmtp"
        assert found.checked == [], "our own relay has looked"


def test_it_speaks_lmtp_on_a_socket_file_left_by_a_killed_process(tmp_path: Path) -> None:
    place = tmp_path / "lmtp.socket"
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(place))
    left.close()
    with counter(tmp_path, place=f"lmtp+unix://{place}") as found:
        with smtplib.LMTP(str(place)) as client:
            client.sendmail(ANN, [MAS], MAIL)
        assert len(found.kept) == 1
        assert place.stat().st_mode & 0o777 == 0o660


def test_it_says_what_to_do_when_its_place_is_taken(open_counter: Counter, tmp_path: Path) -> None:
    from intake.mail.ways_in.door import Door

    door = Door(open_counter.knows, open_counter.serves, open_counter.store)
    second = Listener(
        settings_of(open_counter.place, tmp_path), door, open_counter.check, "mx.vendor.example"
    )
    with pytest.raises(CannotListen) as caught:
        second.start()
    said = str(caught.value)
    assert f"127.0.0.1:{open_counter.port}" in said
    assert "NIGHTBELL_SMTP_LISTEN" in said
    assert "\n" not in said


@pytest.mark.parametrize("count", [200])
def test_it_takes_many_at_once_from_two_senders(open_counter: Counter, count: int) -> None:
    def send(who: int) -> None:
        with _client(open_counter) as client:
            for number in range(count):
                client.sendmail(ANN, [MAS], b"Subject: %d-%d\r\n\r\n" % (who, number))

    _at_once(send, 2)
    assert len({mail.raw for mail in open_counter.kept}) == len(open_counter.kept) == 2 * count


def _until(done: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _at_once(act: Callable[[int], None], count: int) -> None:
    threads = [threading.Thread(target=act, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
