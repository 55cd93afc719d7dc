"""A house with a mail server beside it, and a case that Maria opened by mail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.models import Case, Contact, Message, Person
from routing.clocks import cycles
from routing.correspondence import replies
from routing.correspondence.models import OutboundMail
from routing.correspondence.replies import Answer, Sent
from tests.house import House
from tests.post_office import PostOffice, post_office
from tests.sample_database import _nothing_is_made_twice, reused_postgres, sample_template, sample_url

__all__ = ["_nothing_is_made_twice", "reused_postgres", "sample_template", "sample_url"]

MARIA = "maria@lakeside.example"
FIRST_MAIL = "<first@lakeside.example>"


@pytest.fixture
def office() -> Iterator[PostOffice]:
    with post_office() as office:
        yield office


class MailHouse(House):
    """The house, with what these tests ask it."""

    office: PostOffice

    @property
    def mails(self) -> list[OutboundMail]:
        """The outbox, the earliest first."""
        return list(self.sql(sa.select(OutboundMail).order_by(OutboundMail.id)))

    @property
    def mail(self) -> OutboundMail:
        """The only mail of the outbox."""
        (mail,) = self.mails
        return mail

    def reply(self, text: str = "It runs again.", person: str = "dana", **details: object) -> Sent:
        """An engineer answers the only case."""
        with self.context.database.writing() as session:
            case = session.scalars(sa.select(Case)).one()
            writer = session.get_one(Person, person)
            answer = Answer(text, **details)  # type: ignore[arg-type]
            return replies.reply(session, self.context, case, writer, answer, self.scheduler.now())


@pytest.fixture
def house(sample_url: str, tmp_path: Path, office: PostOffice) -> Iterator[MailHouse]:
    house = MailHouse(sample_url, tmp_path / "data", smtp_url=office.url)
    house.office = office
    with house.context.database.writing() as session:
        open_by_mail(house, session)
    yield house
    house.context.close()


def open_by_mail(house: House, session: sa.orm.Session) -> Case:
    """What taking in Maria's mail leaves behind."""
    now = house.scheduler.now()
    contact = session.scalars(sa.select(Contact).where(Contact.email == MARIA)).one()
    case = Case(
        origin="mail:1", channel="mail", service="managed-services", mailbox="managed-services",
        customer_id=contact.customer_id, contact_id=contact.id, verified=True, tier="managed-services",
        title="Scheduler down", priority=4, from_address=MARIA, contact_at=now, opened_at=now, target="",
    )  # fmt: skip
    session.add(case)
    session.flush()
    cycles.begin(session, case, house.context.policies.current(), now)
    session.add(
        Message(
            case_id=case.id, at=now, channel="mail", author="customer", body="The scheduler is down.\nPlease help.",
            mail_message_id=FIRST_MAIL,
            details={
                "subject": "Scheduler down", "from": {"name": "Maria Alvarez", "address": MARIA},
                "to": [{"name": "", "address": "MASsupport@smatechnologies.com"}],
                "cc": [{"name": "Ann", "address": "ann@lakeside.example"}], "references": ["<root@lakeside.example>"],
                "verdict": {"kind": "person", "reason": "", "may_answer": True}, "forged": False,
            },
        )
    )  # fmt: skip
    return case
