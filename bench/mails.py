"""What the benchmarks of mail have in common: an ordinary mail, and an installation that takes mails in."""

from __future__ import annotations

import base64
import email
import email.policy
import random
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from core import due
from core.models import Message
from core.schema import migrate
from core.settings import load_settings
from intake.mail.models import InboundMail
from intake.mail.parsing import Envelope
from intake.mail.receiving import TAKE_IN, Incoming, store, store_all
from routing.context import Context, build_context
from routing.policies import apply_policy
from worker import Worker

_WORDS = [
    "the",
    "line",
    "has",
    "been",
    "down",
    "since",
    "nine",
    "o'clock",
    "and",
    "the",
    "schedule",
    "of",
    "the",
    "batch",
    "did",
    "not",
    "start",
    "again",
]


def _sentence(chance: random.Random, length: int = 14) -> str:
    return " ".join(chance.choice(_WORDS) for _ in range(length)).capitalize() + "."


def ordinary_mail() -> bytes:
    """Text, HTML and one attachment, as a mail program of today writes them: about 20 kB."""
    chance = random.Random(7)
    paragraphs = [_sentence(chance, 40) for _ in range(9)]
    text = (
        "\r\n\r\n".join(paragraphs)
        + "\r\n\r\nOn Mon, 6 Jul 2026 at 09:12, Ann <ann@customer.example> wrote:\r\n> "
    )
    text += "\r\n> ".join(paragraphs[:3])
    style = 'style="font-family:Calibri,sans-serif;font-size:11pt;color:#1f1f1f;margin:0"'
    body = "".join(f"<p {style}>{each} <b>Regards</b></p>\r\n" for each in paragraphs)
    page = f'<html><head><meta charset="utf-8"><style>p {{margin:0}}</style></head><body>{body}<p><a href="https://'
    page += (
        'customer.example/ticket?id=7">the ticket</a> <img src="cid:logo@customer.example"></p></body></html>'
    )
    file = base64.encodebytes(chance.randbytes(9_300)).replace(b"\n", b"\r\n").decode()
    received = "".join(
        f"Received: from relay{n}.customer.example (relay{n}.customer.example [192.0.2.{n}])\r\n"
        f"\tby mx{n}.vendor.example with ESMTPS id 4Zk{n}x; Mon, 6 Jul 2026 12:0{n}:11 +0000\r\n"
        for n in range(1, 5)
    )
    return (
        f"{received}"
        "Authentication-Results: mx.vendor.example; spf=pass smtp.mailfrom=customer.example; dkim=pass\r\n"
        " header.d=customer.example\r\n"
        'From: "Ann of the Night Shift" <ann@customer.example>\r\nTo: Managed Services <mas@vendor.example>\r\n'
        "Cc: =?utf-8?q?J=C3=B6rg?= <joerg@customer.example>\r\n"
        "Subject: =?utf-8?q?The_line_is_down_=E2=80=93_again?=\r\n"
        "Date: Mon, 6 Jul 2026 12:00:01 +0000\r\nMessage-ID: <bench-1@customer.example>\r\n"
        "In-Reply-To: <case-7@vendor.example>\r\nReferences: <first@customer.example> <case-7@vendor.example>\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="outer"\r\n\r\n'
        '--outer\r\nContent-Type: multipart/alternative; boundary="inner"\r\n\r\n'
        "--inner\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        f"{text}\r\n--inner\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        f"{page}\r\n--inner--\r\n--outer\r\nContent-Type: application/pdf; name=report.pdf\r\n"
        "Content-Disposition: attachment; filename=report.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        f"{file}\r\n--outer--\r\n"
    ).encode()


def library_alone(raw: bytes) -> int:
    """What the standard library does with a mail: parse it, take every part's content."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    return sum(len(part.get_content()) for part in message.walk() if not part.is_multipart())


SAMPLE = Path(__file__).parent.parent / "routing" / "samples" / "agreement.yaml"
BOX = "MASsupport@smatechnologies.com"
SENDERS = 8
_LEASE = timedelta(seconds=60)
_THREAD = re.compile(rb"(?:In-Reply-To|References): [^\r]*\r\n")


def installed(folder: Path, **settings: object) -> Context:
    """An installation of its own, with the sample's policy."""
    url = f"sqlite:///{folder / 'nightbell.db'}"
    migrate(url)
    given = {"database_url": url, "data_dir": folder, "secret_key": "a key for a bench alone", **settings}
    context = build_context(
        load_settings(twilio_account_sid="AC" + "0" * 32, twilio_auth_token="token", **given)
    )
    with context.database.writing() as session:
        apply_policy(session, SAMPLE.read_text(), datetime.now(UTC))
    return context


class Door:
    """An installation that takes in the mail of a customer: answers to one case, or each a case of its own.

    ``opening`` mails come from as many people as there are mails, and each is answered by a receipt, which is written
    into the outbox, and by a message to the engineer on call; both are due work, and not sent here.
    """

    def __init__(
        self, folder: Path, raw: bytes, *, opening: bool = False, smtp_url: str = "smtp://127.0.0.1:9"
    ) -> None:
        self.context = installed(folder, smtp_url=smtp_url)
        self.worker = Worker(self.context)
        self._raw, self._opening, self._number = raw, opening, 0
        self._threads = ThreadPoolExecutor(SENDERS)
        self._keep_in_turn(self.mails(1))
        self.take_in()  # opens the case that is answered

    def mails(self, count: int) -> list[Incoming]:
        """The next mails."""
        numbers = range(self._number + 1, self._number + count + 1)
        self._number += count
        return [self._mail(number) for number in numbers]

    def _mail(self, number: int) -> Incoming:
        raw = self._raw.replace(b"mas@vendor.example", BOX.encode())
        raw = raw.replace(b"customer.example", b"lakeside.example").replace(
            b"<bench-1@", b"<bench-%d@" % number
        )
        sender = f"ann{number if self._opening else ''}@lakeside.example"
        raw = raw.replace(b"ann@lakeside.example", sender.encode())
        if self._opening or number == 1:
            raw = _THREAD.sub(b"", raw)
        raw = raw.replace(b"<case-7@vendor.example>", b"<bench-1@lakeside.example>")
        return Incoming(raw, Envelope(sender, [BOX]), "smtp")

    def together(self, mails: Sequence[Incoming]) -> None:
        """Kept by one commit, as by an import; and taken in."""
        store_all(self.context, mails)
        self.take_in()

    def in_turn(self, mails: Sequence[Incoming]) -> None:
        """Each kept by a commit of its own, by one sender who waits for each; and taken in."""
        self._keep_in_turn(mails)
        self.take_in()

    def at_once(self, mails: Sequence[Incoming]) -> None:
        """Kept for eight senders at once, of whom each waits for its own; and taken in."""
        for _ in self._threads.map(self._keep, mails):
            pass
        self.take_in()

    def keep(self, raw: bytes) -> None:
        """Keep any mail, of somebody of the customer's."""
        store(self.context, raw, Envelope("ann@lakeside.example", [BOX]), "smtp")

    def _keep_in_turn(self, mails: Sequence[Incoming]) -> None:
        for mail in mails:
            self._keep(mail)

    def _keep(self, mail: Incoming) -> None:
        store(self.context, mail.raw, mail.envelope, mail.via)

    def take_in(self) -> None:
        """What was kept becomes cases, or goes onto one."""
        database = self.context.database
        while True:
            with database.writing() as session:
                claims = due.claim_more(session, TAKE_IN, self.context.clock.now(), _LEASE, 1)
            if not claims:
                return
            self.worker.do(claims[0])

    def close(self) -> None:
        """Everything has come to where it belongs, or nothing was measured."""
        with self.context.database.reading() as session:
            states = set(session.scalars(sa.select(InboundMail.state)))
            of_customers = sa.select(Message.case_id).where(Message.author == "customer")
            cases = list(session.scalars(of_customers))
        assert states == {"taken"}, states
        assert len(cases) == self._number, "a mail is missing, or came twice"
        assert len(set(cases)) == (self._number if self._opening else 1)
        self._threads.shutdown()
        self.context.close()
