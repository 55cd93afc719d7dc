"""Mail straight from the internet, by real SMTP and with a real name server: whom it is from, it must prove."""

from __future__ import annotations

import smtplib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from intake.mail.senders.checking import SenderCheck
from intake.mail.senders.names import Names
from intake.mail.ways_in.door import door_of
from intake.mail.ways_in.listener import Listener
from tests.house import House
from tests.intake.mail.senders.name_server import SILENT, NameServer, txt
from tests.intake.mail.ways_in.counter import free_port, settings_of
from tests.stories.mailbox import MARIA_AT, MASSUPPORT, cases, mails
from tests.stories.people import DAY

LAKESIDE, MALLORY = "192.0.2.10", "203.0.113.66"
Send = Callable[..., None]


@pytest.fixture
def server() -> Iterator[NameServer]:
    zone = {
        ("lakeside.example", "TXT"): txt("v=spf1 ip4:192.0.2.0/24 -all"),
        ("_dmarc.lakeside.example", "TXT"): txt("v=DMARC1; p=reject"),
        ("mallory.example", "TXT"): txt("v=spf1 ip4:203.0.113.0/24 -all"),
    }
    with NameServer(zone).open() as found:
        yield found


@pytest.fixture
def send(house: House, server: NameServer, tmp_path: Path) -> Iterator[Send]:
    """Send a mail from a host: the listener is told that it is not on this machine."""
    check = SenderCheck(house.settings, Names(server.address, patience_s=0.2, patience_for_all_s=0.5))
    hosts: list[str] = []
    port = free_port()
    listener = Listener(
        settings_of(f"smtp://127.0.0.1:{port}", tmp_path), door_of(house.context),
        lambda _peer, *rest: check(hosts[-1], *rest), "mx.vendor.example",
    )  # fmt: skip
    listener.start()

    def deliver(subject: str, *, host: str, sender: str = MARIA_AT, number: int = 1) -> None:
        hosts.append(host)
        raw = (
            f"Authentication-Results: mx.vendor.example; dmarc=pass header.from=lakeside.example\r\n"
            f"From: Maria Alvarez <{MARIA_AT}>\r\nTo: {MASSUPPORT}\r\nSubject: {subject}\r\n"
            f"Message-ID: <{number}@lakeside.example>\r\n\r\nThe agent is down.\r\n"
        ).encode()
        with smtplib.SMTP("127.0.0.1", port) as client:
            client.sendmail(sender, [MASSUPPORT], raw)
        house.fast_forward(0)

    yield deliver
    listener.stop()


def test_a_proven_sender_may_ask_for_priority_1(house: House, send: Send) -> None:
    house.it_becomes(DAY)
    send("URGENT: the agent is down", host=LAKESIDE)
    assert (house.case.priority, house.case.target) == (1, "1 hour")


def test_a_forged_sender_gets_nowhere(house: House, send: Send) -> None:
    house.it_becomes(DAY)
    send("The agent is slow", host=LAKESIDE)
    send("Re: [Case 1001] URGENT", host=MALLORY, number=2)
    send("URGENT", host=MALLORY, sender="mallory@mallory.example", number=3)
    first, *forged = cases(house)
    assert first.verified
    assert len(house.events("mail.forged")) == 2
    assert [(case.priority, case.verified, case.customer_id) for case in forged] == [(4, False, None)] * 2
    house.fast_forward(600)
    assert house.rung == {}


def test_a_silent_name_server_loses_nothing_and_proves_nothing(
    house: House, send: Send, server: NameServer
) -> None:
    house.it_becomes(DAY)
    for name in ("lakeside.example", "_dmarc.lakeside.example"):
        server.records[name, "TXT"] = SILENT
    send("URGENT: the agent is down", host=LAKESIDE)
    assert house.case.priority == 4
    (mail,) = mails(house)
    assert {method["name"]: method["result"] for method in mail.authentication or []} == {
        "spf": "temperror", "dmarc": "temperror",
    }  # fmt: skip
    assert house.events("mail.forged") == []
