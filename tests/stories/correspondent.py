"""People with real mail programs: they get what the house sends over SMTP, and answer as their programs do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from intake.mail.parsing import Envelope
from intake.mail.receiving import store
from routing.correspondence.models import OutboundMail
from tests.house import House
from tests.post_office import PostOffice, post_office
from tests.stories.mailbox import MASSUPPORT, PROVEN, Mailbox


class MailHouse(House):
    """The house with a mail host beside it that everybody outside has their mailbox at."""

    office: PostOffice

    @property
    def outbox(self) -> list[OutboundMail]:
        """The mails that went out, or were to, the earliest first."""
        return list(self.sql(sa.select(OutboundMail).order_by(OutboundMail.id)))

    @property
    def outbox_states(self) -> list[tuple[str, str]]:
        """Kind and state of each."""
        return [(mail.kind, mail.state) for mail in self.outbox]


class Correspondent(Mailbox):
    """Somebody whose mail arrives, and who answers it."""

    house: MailHouse

    @property
    def inbox(self) -> list[EmailMessage]:
        """What arrived, the earliest first."""
        self.house.fast_forward(1)
        return self.house.office.mail_to(self.address)

    @property
    def latest(self) -> EmailMessage:
        """What arrived last."""
        return self.inbox[-1]

    def replies(self, text: str, *, to_all: bool = False, quote: bool = True, **fields: Any) -> str:
        """Answer the latest mail as a mail program does: to its Reply-To, with its identifiers, quoting below."""
        got = self.latest
        subject = str(got["Subject"])
        subject = subject if subject.startswith("Re: ") else f"Re: {subject}"
        references = " ".join(part for part in (got["References"], got["Message-ID"]) if part)
        if quote:
            quoted = "\n".join(f"> {line}" for line in text_of(got).rstrip("\n").split("\n"))
            text = f"{text}\n\nOn Wed, 4 Mar 2026 at 02:12, SMA Technologies wrote:\n{quoted}\n"
        if to_all and got["Cc"]:
            fields["cc"] = str(got["Cc"])
        bare = got["Reply-To"].addresses[0].addr_spec if got["Reply-To"] else MASSUPPORT
        return self.writes(
            fields.pop("subject", subject),
            text,
            to=bare,
            **{"in_reply_to": got["Message-ID"], "references": references, **fields},
        )

    def answers_by_machine(self, **fields: Any) -> str:
        """A vacation notice, to where RFC 3834 wants it."""
        got = self.latest
        return self.writes(
            f"Out of office: {got['Subject']}", "I am away until Monday.", to=sender_of(self.house, got),
            in_reply_to=got["Message-ID"], auto_submitted="auto-replied", **fields,
        )  # fmt: skip

    def cannot_be_reached(
        self, status: str = "5.1.1", action: str = "failed", *, to: str = "", original_id: str = ""
    ) -> None:
        """The mail host of this person reports that the latest mail could not be delivered.

        It reports to the envelope's sender, or ``to``; it quotes the mail's Message-ID, or ``original_id``.
        """
        got = self.latest
        raw = report(self.address, original_id or got["Message-ID"], status, action)
        envelope = Envelope("", [to or sender_of(self.house, got)])
        store(self.house.context, raw, envelope, "smtp", authentication=list(PROVEN))
        self.house.fast_forward(0)


def sender_of(house: MailHouse, got: EmailMessage) -> str:
    """The envelope's sender of a mail; of one with the null path its author, as careless programs have it."""
    letter = next(
        each for each in house.office.letters if got["Message-ID"].encode() in bytes(each.content or b"")
    )
    given = str(letter.mail_from or "").strip("<>")
    return given or got["From"].addresses[0].addr_spec


def text_of(got: EmailMessage) -> str:
    """The text of a mail, with plain line ends."""
    body = got.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def report(address: str, original_id: str, status: str, action: str) -> bytes:
    """A delivery report (RFC 3464)."""
    return (
        f"From: MAILER-DAEMON@{address.partition('@')[2]}\nTo: x@y.example\n"
        "Subject: Undelivered Mail Returned to Sender\n"
        f"Message-ID: <report.{abs(hash((address, status, original_id)))}@mx.example>\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nThe mail could not be delivered.\n"
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n"
        f"Final-Recipient: rfc822; {address}\nAction: {action}\nStatus: {status}\n"
        f"Diagnostic-Code: smtp; 550 {status} <{address}>: no such user\n\n"
        f"--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: {original_id}\nSubject: x\n\n--b--\n"
    ).encode()


@contextmanager
def mail_house(database_url: str, folder: Path, **settings: Any) -> Iterator[MailHouse]:
    """A house that can send mail."""
    with post_office() as office:
        house = MailHouse(database_url, folder / "data", smtp_url=office.url, **settings)
        house.office = office
        yield house
        house.check()
        house.context.close()
