"""Who is calling or writing: by number, by the support ID they enter, by mail address or its domain."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import sqlalchemy as sa

from core.models import Case
from core.prepared import Prepared, Read
from routing.directory import Directory, Entry


class Caller(NamedTuple):
    """What is known of a caller. ``tier`` and ``consent_terms`` are of the contract for the service asked for."""

    customer_id: int | None = None
    customer: str | None = None
    contact_id: int | None = None
    identified_by: str | None = None
    tier: str | None = None
    consent_terms: str = "ask"
    open_case_id: int | None = None
    customer_key: str | None = None
    contact: str | None = None
    may_request_priority_1: bool = False


_OPEN_CASE = Prepared(
    sa.select(Case.id)
    .where(
        Case.status == sa.literal_column("'open'"),  # as in the partial index
        Case.from_number == sa.bindparam("phone"),
        Case.service == sa.bindparam("service"),
    )
    .order_by(Case.id.desc())
    .limit(1)
)


def by_number(read: Read, directory: Directory, number: str | None, service: str, day: date) -> Caller:
    """The caller with an E.164 number. A number that two customers share identifies neither of them."""
    if number is None:
        return Caller()
    open_case = next((case.id for case in read(_OPEN_CASE, phone=number, service=service)), None)
    known = directory.by_phone.get(number, ())
    if len({entry.customer_id for entry in known}) != 1:
        return Caller(open_case_id=open_case)
    return _caller(known[0], "number", service, day, open_case)


def by_support_id(directory: Directory, support_id: str, service: str, day: date) -> Caller | None:
    """The customer with a support ID, or None."""
    entry = directory.by_support_id.get(support_id)
    return _caller(entry, "support-id", service, day, None) if entry else None


def by_address(directory: Directory, address: str, service: str, day: date) -> Caller:
    """The sender with a mail address, in the form in which they are compared: a contact, or somebody of a customer's.

    An address that two customers share identifies neither; its domain still may.
    """
    known = directory.by_email.get(address, ())
    if len({entry.customer_id for entry in known}) == 1:
        return _caller(known[0], "mail-address", service, day, None)
    entry = directory.by_domain.get(address.rpartition("@")[2])
    return _caller(entry, "mail-domain", service, day, None) if entry else Caller()


def _caller(entry: Entry, how: str, service: str, day: date, open_case: int | None) -> Caller:
    terms = entry.terms(service, day)
    return Caller(
        entry.customer_id,
        entry.customer,
        entry.contact_id,
        how,
        terms.tier if terms else None,
        terms.consent if terms else "ask",
        open_case,
        entry.key,
        entry.contact,
        entry.may_request_priority_1,
    )
