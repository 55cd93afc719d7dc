"""What is remembered of mail addresses: that mail to them comes back. As ``notices.no_texts`` does of numbers."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.database import insert_into
from core.mail_addresses import address_key
from core.prepared import Prepared
from core.straight import straight, straight_rows
from routing.correspondence.models import AddressFact


def remember_no_mail(session: Session, address: str, reason: str, now: datetime) -> None:
    """From now on ``address`` gets no automatic mail of ours."""
    values = {"no_mail_reason": reason[:80], "at": now}
    session.execute(
        insert_into(AddressFact, session.get_bind().dialect.name)
        .values(address=address_key(address), **values)
        .on_conflict_do_update(index_elements=["address"], set_=values)
    )


def no_mail_reason(session: Session, address: str) -> str | None:
    """Why ``address`` gets no automatic mail; None if nothing is known against it."""
    return next(
        (row.no_mail_reason for row in straight_rows(session, _REASON, key=address_key(address))), None
    )


def heard_from(session: Session, address: str) -> bool:
    """A mail came from ``address``: it takes mail again. Whether something had been known against it."""
    return bool(straight(session, _FORGET, key=address_key(address)).rowcount)


_REASON = Prepared(sa.select(AddressFact.no_mail_reason).where(AddressFact.address == sa.bindparam("key")))
_FORGET = Prepared(sa.delete(AddressFact).where(AddressFact.address == sa.bindparam("key")))
