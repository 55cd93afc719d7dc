"""Policies at rest: read from a document, applied as a new version, current for everybody within a second."""

from __future__ import annotations

import hashlib
import io
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import models
from core.database import Base, Database, Instant
from routing.directory import Directory, load_directory
from routing.policy import NOT_JOINED_UP, STORED, CustomerEntry, Policy

_FRESH_S = 1.0


class PolicyError(Exception):
    """A policy document cannot be used; ``mistakes`` has a line for each, with its place and its key."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


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


@dataclass(frozen=True, eq=False)
class CurrentPolicy:
    """A policy and the version that it has. Hashed by identity: what is decided under it may be cached."""

    version: int
    policy: Policy


@lru_cache(maxsize=8)
def parse_policy(text: str, *, stored: bool = False) -> Policy:
    """The policy in a YAML document; :class:`PolicyError` names line and key of each mistake.

    A ``stored`` one was applied by an earlier release perhaps; it is not held against the rules of this one.
    """
    try:
        document = YAML(typ="safe").load(io.StringIO(text))
    except YAMLError as error:
        raise PolicyError([" ".join(str(error).split())]) from None
    if not isinstance(document, dict):
        raise PolicyError(["line 1: expected a mapping with company, calendars, services, ..."])
    try:
        return Policy.model_validate(document, context=STORED if stored else None)
    except ValidationError as error:
        # Only the round-trip loader, many times slower, knows on which line a key stands.
        places = YAML(typ="rt").load(text)
        raise PolicyError([line for e in error.errors() for line in _mistakes(places, e)]) from None


def _mistakes(document: Any, error: ErrorDetails) -> list[str]:
    if error["type"] == NOT_JOINED_UP:
        return [_mistake(document, m.place, m.message) for m in error["ctx"]["mistakes"]]
    return [_mistake(document, error["loc"], error["msg"])]


def _mistake(document: Any, place: tuple[int | str, ...], message: str) -> str:
    line = 1
    for part in place:
        try:
            line = document.lc.data[part][0] + 1
            document = document[part]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return f"line {line}, {'.'.join(str(part) for part in place) or 'policy'}: {message}"


def apply_policy(session: Session, text: str, now: datetime) -> int:
    """Make the document the current policy and bring people and customers in line; the new version."""
    policy = parse_policy(text)
    _free_support_ids(session, policy)
    fingerprint = hashlib.sha256(text.encode()).hexdigest()
    row = PolicyVersion(applied_at=now, document=text, fingerprint=fingerprint)
    session.add(row)
    _write_people(session, policy)
    for key, entry in policy.customers.items():
        _write_customer(session, key, entry)
    _retire(session, models.Customer, models.Customer.key, set(policy.customers))
    session.flush()
    models.record(session, "policy.applied", now, version=row.version, fingerprint=fingerprint)
    return row.version


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
        session.add(
            models.Contract(
                customer_id=customer.id,
                service=service,
                tier=contract.tier,
                consent=contract.consent,
                starts_on=contract.starts,
                ends_on=contract.ends,
            )
        )
    _write_contacts(session, customer.id, entry)


def _write_contacts(session: Session, customer_id: int, entry: CustomerEntry) -> None:
    known = session.scalars(sa.select(models.Contact).where(models.Contact.customer_id == customer_id))
    by_name = {contact.name: contact for contact in known}
    for wanted in entry.contacts:
        contact = by_name.pop(wanted.name, None) or models.Contact(customer_id=customer_id, name=wanted.name)
        contact.phone, contact.email, contact.active = wanted.phone, wanted.email, True
        session.add(contact)
    for gone in by_name.values():
        gone.active = False


class Policies:
    """The current policy, read again at most once a second; safe to use from many threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._current: CurrentPolicy | None = None
        self._checked = -_FRESH_S
        self._by_version: dict[int, Policy] = {}
        self._directory = Directory({}, {})

    def current(self) -> CurrentPolicy:
        """The current policy; :class:`NoPolicy` when none has been applied."""
        if self._current is not None and time.monotonic() - self._checked < _FRESH_S:
            return self._current
        # Whoever has a policy does not wait for another one's look at a database that may hang.
        if self._lock.acquire(blocking=self._current is None):
            try:
                self._refresh()
            finally:
                self._lock.release()
        if self._current is None:
            raise NoPolicy
        return self._current

    def version(self, version: int) -> Policy:
        """The policy that was applied as ``version``; what has begun under it goes on under it."""
        if version not in self._by_version:
            with self._database.reading() as session:
                self._by_version[version] = policy_of_version(session, version)
        return self._by_version[version]

    def directory(self) -> Directory:
        """The customers of the current policy; :class:`NoPolicy` when none has been applied."""
        self.current()
        return self._directory

    def forget(self) -> None:
        """Look again at the next question."""
        self._checked = -_FRESH_S

    def _refresh(self) -> None:
        try:
            with self._database.reading() as session:
                version = session.scalar(sa.select(sa.func.max(PolicyVersion.version)))
            if version is not None and (self._current is None or self._current.version != version):
                policy = self.version(version)
                with self._database.reading() as session:
                    self._directory = load_directory(session)
                self._current = CurrentPolicy(version, policy)
        except sa.exc.SQLAlchemyError:
            # The database is down: a caller is still answered, by the policy that was known last.
            if self._current is None:
                raise
        self._checked = time.monotonic()


def policy_of_version(session: Session, version: int) -> Policy:
    """The policy that was applied as ``version``."""
    return parse_policy(session.get_one(PolicyVersion, version).document, stored=True)
