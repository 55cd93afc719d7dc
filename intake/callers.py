"""Who is calling: by the number they call from, or by the support ID they enter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from core.models import Case, CaseStatus, Contact, Contract, Customer
from core.prepared import Prepared, Read


@dataclass(frozen=True)
class Caller:
    """What is known of a caller. ``tier`` and ``consent_terms`` are of the contract for the line's service."""

    customer_id: int | None = None
    customer: str | None = None
    contact_id: int | None = None
    identified_by: str | None = None
    tier: str | None = None
    consent_terms: str = "ask"
    open_case_id: int | None = None


_PHONE: sa.BindParameter[str] = sa.bindparam("phone")
_SERVICE: sa.BindParameter[str] = sa.bindparam("service")
_open_case = (
    sa.select(sa.func.max(Case.id))
    .where(Case.status == CaseStatus.OPEN, Case.from_number == _PHONE, Case.service == _SERVICE)
    .scalar_subquery()
)
_contract_columns = (Contract.tier, Contract.consent, Contract.starts_on, Contract.ends_on)
# One statement for everything, because it stands between a ringing phone and its answer. The row is there even
# for a number that nobody has: its caller may have an open case.
_one = sa.select(sa.literal(1).label("one")).subquery()
_BY_NUMBER = Prepared(
    sa.select(
        _open_case.label("open_case_id"), Contact.id.label("contact_id"), Customer.id, Customer.name,
        *_contract_columns,
    )
    .select_from(_one)
    .outerjoin(Contact, sa.and_(Contact.phone == _PHONE, Contact.active.is_(True)))
    .outerjoin(Customer, sa.and_(Customer.id == Contact.customer_id, Customer.active.is_(True)))
    .outerjoin(Contract, sa.and_(Contract.customer_id == Customer.id, Contract.service == _SERVICE))
)  # fmt: skip
_BY_SUPPORT_ID = Prepared(
    sa.select(Customer.id, Customer.name, *_contract_columns)
    .outerjoin(Contract, sa.and_(Contract.customer_id == Customer.id, Contract.service == _SERVICE))
    .where(Customer.support_id == sa.bindparam("support_id"), Customer.active.is_(True))
)


def by_number(read: Read, number: str | None, service: str, day: date) -> Caller:
    """The caller with an E.164 number. A number that two customers share identifies neither of them."""
    if number is None:
        return Caller()
    rows = read(_BY_NUMBER, phone=number, service=service)
    known = [row for row in rows if row.id is not None]
    if not known or len({row.id for row in known}) > 1:
        return Caller(open_case_id=rows[0].open_case_id)
    row = known[0]
    tier, consent = _terms(row, day)
    return Caller(row.id, row.name, row.contact_id, "number", tier, consent, row.open_case_id)


def by_support_id(read: Read, support_id: str, service: str, day: date) -> Caller | None:
    """The customer with a support ID, or None."""
    rows = read(_BY_SUPPORT_ID, support_id=support_id, service=service)
    if not rows:
        return None
    row = rows[0]
    tier, consent = _terms(row, day)
    return Caller(row.id, row.name, None, "support-id", tier, consent)


def _terms(row: Any, day: date) -> tuple[str | None, str]:
    """Tier and consent terms of a contract that is in force on ``day``."""
    begun = row.starts_on is None or row.starts_on <= day
    if row.tier is None or not begun or (row.ends_on is not None and row.ends_on < day):
        return None, "ask"
    return row.tier, row.consent
