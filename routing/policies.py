"""Policies at rest: read from a document, applied as a new version, current for everybody within a second."""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import models
from core.database import Base, Database, Instant
from core.prepared import Prepared
from core.straight import straight_rows
from routing import hooks
from routing.business_hours.errors import CalendarError
from routing.directory import Directory, load_directory
from routing.oncall import ScheduleError
from routing.policy import NOT_JOINED_UP, STORED, Policy
from routing.policy_document import Document, PolicyError, read_document
from routing.policy_more_mistakes import all_mistakes
from routing.policy_parts import ContractEntry, CustomerEntry
from routing.policy_words import in_words, place_within

__all__ = [
    "CurrentPolicy",
    "NoPolicy",
    "Policies",
    "PolicyError",
    "PolicyVersion",
    "apply_policy",
    "parse_policy",
]

_FRESH_S = 1.0


class NoPolicy(Exception):
    """No policy has been applied yet."""

    def __str__(self) -> str:
        return "no policy has been applied; do: nightbell policy apply FILE"


class PolicyVersion(Base):
    """One applied policy document, kept for ever."""

    __tablename__ = "policy_versions"

    version: Mapped[int] = mapped_column(primary_key=True)
    applied_at: Mapped[Instant]
    document: Mapped[str] = mapped_column(sa.Text)
    fingerprint: Mapped[str] = mapped_column(sa.String(64))
    note: Mapped[str | None] = mapped_column(sa.String(200))


@dataclass(frozen=True, eq=False)
class CurrentPolicy:
    """A policy, the version that it has, and the customers that it knows: read together, they fit together.

    Hashed by identity, so that what is decided under it may be cached.
    """

    version: int
    policy: Policy
    directory: Directory = field(default=Directory({}, {}), repr=False)


@lru_cache(maxsize=8)
def parse_policy(text: str, *, stored: bool = False) -> Policy:
    """The policy in a YAML document; :class:`PolicyError` names line and key of each mistake.

    A ``stored`` one was applied by an earlier release perhaps; it is not held against the rules of this one.
    """
    document = read_document(text)
    try:
        return Policy.model_validate(document.values, context=STORED if stored else None)
    except ValidationError as error:
        found = [line for e in error.errors() for line in _mistakes(document, e)]
        raise PolicyError(found) from None


def _mistakes(document: Document, error: ErrorDetails) -> list[str]:
    if error["type"] == NOT_JOINED_UP:
        return [document.said(m.place, m.message) for m in error["ctx"]["mistakes"]]
    place, message = in_words(Policy, error)
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, CalendarError | ScheduleError):
        part = place[: len(place) - len(place_within(cause.key))]
        return [document.said((*part, *inner), words) for inner, words in all_mistakes(cause, error["input"])]
    return [document.said(place, message)]


def fingerprint_of(text: str) -> str:
    """SHA-256 of a document, in hexadecimal digits: the same for the same document."""
    return hashlib.sha256(text.encode()).hexdigest()


def apply_policy(
    session: Session, text: str, now: datetime, *, note: str | None = None, stored: bool = False
) -> int:
    """Make the document the current policy and bring people and customers in line; the new version.

    ``stored``: the document has been in force before, and is not held against rules that are newer than it.
    """
    policy = parse_policy(text, stored=stored)
    one_at_a_time(session)
    _free_support_ids(session, policy)
    fingerprint = fingerprint_of(text)
    row = PolicyVersion(applied_at=now, document=text, fingerprint=fingerprint, note=note)
    session.add(row)
    _write_people(session, policy)
    for key, entry in policy.customers.items():
        _write_customer(session, key, entry)
    _retire(session, models.Customer, models.Customer.key, set(policy.customers))
    session.flush()
    _write_domains(session, policy)
    models.record(session, "policy.applied", now, version=row.version, fingerprint=fingerprint, note=note)
    hooks.schedule(session, bool(policy.webhooks), now)
    return row.version


def one_at_a_time(session: Session) -> None:
    """Of two policies applied at once, the tables must have the people and customers of the later version."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text("LOCK TABLE policy_versions IN SHARE ROW EXCLUSIVE MODE"))


def _write_people(session: Session, policy: Policy) -> None:
    for key, entry in policy.people.items():
        person = session.get(models.Person, key) or models.Person(key=key)
        person.name, person.phone, person.email = entry.name, entry.phone, entry.email
        person.phone_verified, person.active = entry.verified, True
        session.add(person)
    _retire(session, models.Person, models.Person.key, set(policy.people))


def _retire(session: Session, model: Any, key: Any, kept: set[str]) -> None:
    # Nobody is deleted: cases and events still name them.
    session.execute(sa.update(model).where(key.not_in(kept)).values(active=False))


def _free_support_ids(session: Session, policy: Policy) -> None:
    """Let go of every support ID that changes hands: two customers may swap theirs, or take a retired one's."""
    for customer in session.scalars(sa.select(models.Customer)):
        entry = policy.customers.get(customer.key)
        if entry is None or entry.support_id != customer.support_id:
            customer.support_id = f"-{customer.id}"  # no keypad can enter that
    session.flush()


def _write_customer(session: Session, key: str, entry: CustomerEntry) -> None:
    customer = session.scalar(sa.select(models.Customer).where(models.Customer.key == key))
    customer = customer or models.Customer(key=key)
    customer.name, customer.support_id, customer.active = entry.name, entry.support_id, True
    session.add(customer)
    session.flush()
    session.execute(sa.delete(models.Contract).where(models.Contract.customer_id == customer.id))
    for service, contract in entry.contracts.items():
        session.add(_contract(customer.id, service, contract, entry.calendar))
    _write_contacts(session, customer.id, entry)


def _contract(customer_id: int, service: str, entry: ContractEntry, calendar: str | None) -> models.Contract:
    return models.Contract(
        customer_id=customer_id,
        service=service,
        tier=entry.tier,
        consent=entry.consent,
        starts_on=entry.starts,
        ends_on=entry.ends,
        calendar=entry.calendar or calendar,
        monthly_hours=entry.monthly_hours,
        checks={key: check.model_dump() for key, check in entry.checks.items()},
        cloud_systems={key: system.model_dump(mode="json") for key, system in entry.cloud_systems.items()},
    )


def _write_contacts(session: Session, customer_id: int, entry: CustomerEntry) -> None:
    known = session.scalars(sa.select(models.Contact).where(models.Contact.customer_id == customer_id))
    by_name = {contact.name: contact for contact in known}
    for wanted in entry.contacts:
        contact = by_name.pop(wanted.name, None) or models.Contact(customer_id=customer_id, name=wanted.name)
        contact.phone, contact.email, contact.active = wanted.phone, wanted.email, True
        contact.may_request_priority_1 = wanted.may_request_priority_1
        session.add(contact)
    for gone in by_name.values():
        gone.active = False


def _write_domains(session: Session, policy: Policy) -> None:
    session.execute(sa.delete(models.CustomerDomain))
    rows = session.execute(sa.select(models.Customer.key, models.Customer.id))
    ids = {row.key: row.id for row in rows}
    session.add_all(
        models.CustomerDomain(domain=domain, customer_id=ids[key])
        for key, entry in policy.customers.items()
        for domain in entry.domains
    )


_LATEST = Prepared(sa.select(sa.func.max(PolicyVersion.version).label("version")))


class Policies:
    """The current policy, read again at most once a second; safe to use from many threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._current: CurrentPolicy | None = None
        self._checked = -_FRESH_S
        self._by_version: dict[int, Policy] = {}

    def current(self) -> CurrentPolicy:
        """The current policy with its customers; :class:`NoPolicy` when none has been applied."""
        current = self._current
        if current is not None and time.monotonic() - self._checked < _FRESH_S:
            return current
        # Whoever has a policy does not wait for another one's look at a database that may hang.
        if self._lock.acquire(blocking=current is None):
            try:
                self._refresh()
            finally:
                self._lock.release()
        current = self._current
        if current is None:
            raise NoPolicy
        return current

    def version(self, version: int) -> Policy:
        """The policy that was applied as ``version``; what has begun under it goes on under it."""
        if version not in self._by_version:
            with self._database.reading() as session:
                self._by_version[version] = policy_of_version(session, version)
        return self._by_version[version]

    def forget(self) -> None:
        """Look again at the next question."""
        self._checked = -_FRESH_S

    def _refresh(self) -> None:
        try:
            version = self._latest()
            while version is not None and (self._current is None or self._current.version != version):
                policy = self.version(version)
                with self._database.reading() as session:
                    directory = load_directory(session)
                # Were another policy applied meanwhile, these would be its customers.
                latest = self._latest()
                if latest == version:
                    self._current = CurrentPolicy(version, policy, directory)
                version = latest
        except sa.exc.SQLAlchemyError:
            # The database is down: a caller is still answered, by the policy that was known last.
            if self._current is None:
                raise
        self._checked = time.monotonic()

    def _latest(self) -> int | None:
        with self._database.reading() as session:
            (row,) = straight_rows(session, _LATEST)
            latest: int | None = row.version
            return latest


def policy_of_version(session: Session, version: int) -> Policy:
    """The policy that was applied as ``version``."""
    return parse_policy(session.get_one(PolicyVersion, version).document, stored=True)
