"""A fake mailbox: somebody who writes mail to the vendor, as ``phone`` is somebody with a telephone."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from core.mail_addresses import SignedAddresses
from core.models import Case, Message
from intake.mail.models import InboundMail
from intake.mail.parsing import Envelope
from intake.mail.parsing.authentication import Method
from intake.mail.receiving import store

if TYPE_CHECKING:
    from tests.house import House

MASSUPPORT = "MASsupport@smatechnologies.com"
MARIA_AT, TOM_AT, GRACE_AT = "maria@lakeside.example", "tom@prairie.example", "grace@harbor.example"
OMAR_AT, LENA_AT = "omar@bluebonnet.example", "lena@greatbasin.example"
STRANGER_AT = "somebody@elsewhere.example"
PROVEN = (Method("dmarc", "pass"),)
FORGED = (Method("dmarc", "fail"),)


class Mailbox:
    """The mail program of one person. What they write is taken in within the second."""

    def __init__(self, house: House, address: str, name: str = "") -> None:
        self.house = house
        self.address = address
        self.name = name or address.partition("@")[0].title()

    def writes(
        self,
        subject: str,
        text: str = "Please have a look.",
        *,
        to: str = MASSUPPORT,
        verdicts: Iterable[Method] | None = PROVEN,
        attach: tuple[str, str, bytes] | None = None,
        html: str = "",
        **fields: str,
    ) -> str:
        """Send a mail; its Message-ID. ``fields`` are header fields, ``auto_submitted="auto-replied"``."""
        message = EmailMessage()
        id = f"<{secrets.token_hex(6)}@{self.address.partition('@')[2]}>"
        given = {"From": f"{self.name} <{self.address}>", "To": to, "Subject": subject, "Message-ID": id}
        given |= {
            name.replace("_", "-").title().replace("-Id", "-ID"): value for name, value in fields.items()
        }
        for name, value in given.items():
            message[name] = value
        message.set_content(text)
        if html:
            message.add_alternative(html, subtype="html")
        if attach:
            name, kind, data = attach
            main, _, sub = kind.partition("/")
            message.add_attachment(data, main, sub, filename=name)
        self.sends(message.as_bytes(), to=to, verdicts=verdicts)
        return str(message["Message-ID"])

    def sends(
        self, raw: bytes, *, to: str = MASSUPPORT, verdicts: Iterable[Method] | None = None, via: str = "smtp"
    ) -> None:
        """Send bytes."""
        own = None if verdicts is None else list(verdicts)
        store(self.house.context, raw, Envelope(self.address, [to]), via, authentication=own)
        self.house.fast_forward(0)

    def answers(self, case: int, text: str, subject: str = "", **options: Any) -> str:
        """Answer a mail about a case, to the address that such mails ask answers to."""
        to = signed(self.house).case_address(MASSUPPORT, case)
        return self.writes(subject or f"Re: [Case {case}] it", text, to=to, **options)


def signed(house: House) -> SignedAddresses:
    """The signed addresses of a house."""
    return SignedAddresses(house.settings.secret_key.get_secret_value())


def cases(house: House) -> list[Case]:
    """All cases, the first one first."""
    return list(house.sql(sa.select(Case).order_by(Case.id)))


def messages(house: House, case: int) -> list[Message]:
    """The messages of a case."""
    return list(house.sql(sa.select(Message).where(Message.case_id == case).order_by(Message.id)))


def mails(house: House) -> list[InboundMail]:
    """Every mail that came in."""
    return list(house.sql(sa.select(InboundMail).order_by(InboundMail.id)))
