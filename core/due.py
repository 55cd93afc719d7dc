"""Durable work: everything that is due is a row, written in the transaction that caused it.

A claim is a lease with a random token. Finishing is fenced by token and state, so that a worker which lost its
lease changes nothing; a killed worker's rows are claimed again when the lease runs out. A row that keeps failing
becomes ``dead``, which raises an alarm. Cancelling works on ready and on leased rows alike.

The lease runs on one clock for all machines: the database's own on PostgreSQL, the machine's on SQLite.
"""

from __future__ import annotations

import contextlib
import enum
import functools
import secrets
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.database import Base, Database, Instant, Json, UtcDateTime, wake_after_commit
from core.prepared import Prepared, prepared_insert
from core.straight import straight, straight_rows

MAX_ATTEMPTS = 12
_FIRST_RETRY = timedelta(seconds=2)
_LONGEST_RETRY = timedelta(minutes=15)
_LONGEST_TIRELESS_RETRY = timedelta(minutes=1)


class DueState(enum.StrEnum):
    """A row's way: ready -> leased -> done, or cancelled, or dead."""

    READY = "ready"
    LEASED = "leased"
    DONE = "done"
    CANCELLED = "cancelled"
    DEAD = "dead"


class Due(Base):
    """A piece of work and the instant at which it is due."""

    __tablename__ = "due"
    __table_args__ = (
        # Partial, so that picking costs by what is waiting and not by what ever existed.
        sa.Index(
            "ix_due_ready",
            "due_at",
            postgresql_where=sa.text("state = 'ready'"),
            sqlite_where=sa.text("state = 'ready'"),
        ),
        sa.Index(
            "ix_due_leased",
            "lease_until",
            postgresql_where=sa.text("state = 'leased'"),
            sqlite_where=sa.text("state = 'leased'"),
        ),
        sa.Index(
            "ix_due_dead",
            "due_at",
            postgresql_where=sa.text("state = 'dead'"),
            sqlite_where=sa.text("state = 'dead'"),
        ),
        sa.Index("ix_due_subject", "subject"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(40))
    subject: Mapped[str] = mapped_column(sa.String(60))
    due_at: Mapped[Instant]
    payload: Mapped[Json]
    state: Mapped[str] = mapped_column(sa.String(10), default=DueState.READY)
    attempts: Mapped[int] = mapped_column(default=0)
    lease_token: Mapped[str | None] = mapped_column(sa.String(32))
    lease_until: Mapped[Instant | None]
    last_error: Mapped[str | None] = mapped_column(sa.String(500))


@dataclass(frozen=True)
class Claim:
    """A leased row, handed to the worker that may finish it."""

    id: int
    kind: str
    subject: str
    payload: dict[str, Any]
    attempts: int
    token: str


_ROWS: sa.Table = Due.__table__  # type: ignore[assignment]
_INSERT = prepared_insert(Due)


def enqueue(session: Session, kind: str, subject: str, due_at: datetime, **payload: Any) -> None:
    """Write a piece of work that is due at ``due_at``; ``subject`` (``page:12``) is what cancels it."""
    straight(session, _INSERT, kind=kind, subject=subject, due_at=due_at, payload=payload)
    wake_after_commit(session)


def enqueue_once(
    session: Session, kind: str, subject: str, due_at: datetime, *, turn: int, **payload: Any
) -> None:
    """See to it that exactly one piece of work for ``subject`` is waiting or under way.

    Workers that start at once take turns on PostgreSQL, by the advisory lock ``turn``; SQLite has one writer anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(turn)))
    states = (DueState.READY, DueState.LEASED)
    waiting = sa.select(Due.id).where(Due.subject == subject, Due.state.in_(states)).limit(1)
    if session.scalar(waiting) is None:
        enqueue(session, kind, subject, due_at, **payload)


def cancel(session: Session, subject: str, kinds: Sequence[str] = ()) -> int:
    """Cancel what is still to be done for ``subject`` (of ``kinds`` only, if given); how many rows."""
    session.flush()  # locks are taken in the order of the house, those of due work last
    return int(straight(session, _cancelling(tuple(kinds)), subject_=subject).rowcount)


@functools.cache
def _cancelling(kinds: tuple[str, ...]) -> Prepared:
    waiting = sa.or_(Due.state == DueState.READY, Due.state == DueState.LEASED)
    these = sa.or_(*(Due.kind == kind for kind in kinds)) if kinds else sa.true()
    return Prepared(
        sa.update(Due)
        .where(Due.subject == sa.bindparam("subject_"), waiting, these)
        .values(state=DueState.CANCELLED, lease_token=None)
    )


@dataclass(frozen=True)
class Outlook:
    """What a look at the table shows: whether there is something to claim, and when the next ready row is due."""

    anything: bool
    next_due_at: datetime | None


# Written out: a partial index is found by the words of a statement, not by its parameters.
_READY, _LEASED = (
    Due.state == sa.literal_column(f"'{state}'") for state in (DueState.READY, DueState.LEASED)
)
_NEXT = sa.select(Due.due_at).where(_READY).order_by(Due.due_at).limit(1).scalar_subquery()
_EXPIRED = {
    "sqlite": sa.exists().where(_LEASED, Due.lease_until < sa.bindparam("lease_now", type_=UtcDateTime)),
    "postgresql": sa.exists().where(_LEASED, Due.lease_until < sa.func.clock_timestamp()),
}
_OUTLOOK = {
    name: Prepared(sa.select(_NEXT.label("next"), expired.label("expired")))
    for name, expired in _EXPIRED.items()
}


def outlook(session: Session, now: datetime) -> Outlook:
    """Look without claiming, in one query: workers do so all the time, and most looks find nothing."""
    name = session.get_bind().dialect.name
    clock = {"lease_now": datetime.now(UTC)} if name == "sqlite" else {}
    (row,) = straight_rows(session, _OUTLOOK[name], **clock)
    return Outlook(row.expired or (row.next is not None and row.next <= now), row.next)


def claim(
    session: Session,
    now: datetime,
    lease: timedelta,
    limit: int = 1,
    *,
    patient: Collection[str] = (),
    most_patient: int = 1,
) -> list[Claim]:
    """Lease up to ``limit`` rows that are due at ``now``, or whose former lease has run out.

    Work of a ``patient`` kind comes after all other, however long it has waited, and ``most_patient`` of it at once:
    thousands of mails do not make a page wait.
    """
    lease_now = _lease_clock(session)
    _bury_killers(session, lease_now)
    kinds = tuple(patient)
    ids = _picked(session, _ready(kinds, wanted=False), limit, now_=now)
    if len(ids) < limit:
        ids += _picked(session, _expired(), limit - len(ids), now_=lease_now)
    left = min(limit - len(ids), most_patient)
    if kinds and left > 0:
        ids += _picked(session, _ready(kinds, wanted=True), left, now_=now)
    return [_lease(session, id, lease_now + lease) for id in ids]


_AS_OF = sa.bindparam("now_", type_=UtcDateTime)


@functools.cache
def _ready(kinds: tuple[str, ...], *, wanted: bool) -> Prepared:
    """Rows that are due, the longest first: of these kinds if they are ``wanted``, else of all others."""
    these = sa.or_(sa.false(), *(Due.kind == kind for kind in kinds))
    ready = sa.select(Due.id).where(_READY, Due.due_at <= _AS_OF)
    return _first(ready.where(these if wanted else sa.not_(these)).order_by(Due.due_at))


@functools.cache
def _expired() -> Prepared:
    """Rows whose worker has not been heard of for as long as it has leased them."""
    gone = sa.select(Due.id).where(_LEASED, Due.lease_until < _AS_OF)
    return _first(gone.order_by(Due.lease_until))


def _first(statement: sa.Select[int]) -> Prepared:
    limited = statement.limit(sa.bindparam("limit_", type_=sa.Integer))
    return Prepared(limited.with_for_update(skip_locked=True))  # SQLite has one writer, and no words for it


def _picked(session: Session, statement: Prepared, limit: int, **values: datetime) -> list[int]:
    return [row.id for row in straight_rows(session, statement, limit_=limit, **values)]


def claim_more(session: Session, kind: str, now: datetime, lease: timedelta, limit: int) -> list[Claim]:
    """Lease up to ``limit`` more rows of one ``kind`` that are due, for a worker that does many at once.

    The claims are not renewed for it: they are for work that is over well before their lease.
    """
    ids = _picked(session, _ready((kind,), wanted=True), limit, now_=now)
    if not ids:
        return []
    token = secrets.token_hex(16)  # one for all: nobody else has it
    until = _lease_clock(session) + lease
    rows = session.execute(
        sa.update(Due)
        .where(Due.id.in_(ids))
        .values(state=DueState.LEASED, lease_token=token, lease_until=until, attempts=Due.attempts + 1)
        .returning(Due.id, Due.kind, Due.subject, Due.payload, Due.attempts)
        .execution_options(synchronize_session=False)
    ).all()
    claims = {row.id: Claim(row.id, row.kind, row.subject, row.payload, row.attempts, token) for row in rows}
    return [claims[id] for id in ids]


def how_many(session: Session, kind: str, now: datetime, limit: int) -> int:
    """How many rows of one kind are due, counted up to ``limit``."""
    ready = sa.select(Due.id).where(Due.state == "ready", Due.due_at <= now, Due.kind == kind).limit(limit)
    return session.scalars(sa.select(sa.func.count()).select_from(ready.subquery())).one()


def how_many_dead(session: Session) -> int:
    """How many rows were given up for good."""
    dead = sa.select(sa.func.count()).select_from(Due).where(Due.state == sa.literal_column("'dead'"))
    return session.scalars(dead).one()


def unfinished(session: Session, limit: int) -> list[Due]:
    """What was given up, what is under way and what waits, each the earliest first; up to ``limit`` rows."""
    found: list[Due] = []
    for state in (DueState.DEAD, DueState.LEASED, DueState.READY):
        # One state after the other, written out: each has a partial index, and what is done is not gone through.
        of_state = (
            sa.select(Due).where(Due.state == sa.literal_column(f"'{state}'")).order_by(Due.due_at, Due.id)
        )
        found += session.scalars(of_state.limit(limit - len(found)))
    return found


_BURY_KILLERS = Prepared(
    sa.update(Due)
    .where(_LEASED, Due.lease_until < _AS_OF, Due.attempts >= MAX_ATTEMPTS)
    .values(state=DueState.DEAD, lease_token=None, last_error="its worker died each time")
)


def _bury_killers(session: Session, lease_now: datetime) -> None:
    """Work that has taken its worker with it each time is dead: it must not kill the next one as well."""
    straight(session, _BURY_KILLERS, now_=lease_now)


_LEASE = Prepared(
    sa.update(Due)
    .where(Due.id == sa.bindparam("id_", type_=sa.Integer))
    .values(
        state=DueState.LEASED,
        lease_token=sa.bindparam("token_"),
        lease_until=sa.bindparam("until_", type_=UtcDateTime),
        attempts=Due.attempts + 1,
    )
    .returning(Due.kind, Due.subject, Due.payload, Due.attempts)
)


def _lease(session: Session, id: int, until: datetime) -> Claim:
    # The rows were locked by _picked (PostgreSQL) or by the write transaction (SQLite).
    token = secrets.token_hex(16)
    (row,) = straight_rows(session, _LEASE, id_=id, token_=token, until_=until)
    return Claim(id, row.kind, row.subject, row.payload, row.attempts, token)


def finish(session: Session, claim: Claim) -> bool:
    """Mark the claimed row done; False if the lease was lost or the row cancelled meanwhile."""
    return _close(session, claim, state=DueState.DONE, lease_token=None, lease_until=None)


def finish_all(session: Session, claims: Sequence[Claim]) -> bool:
    """Mark all of them done; False if any was lost or cancelled: then the transaction must not be kept."""
    which = {"ids": [claim.id for claim in claims], "tokens": list({claim.token for claim in claims})}
    return session.connection().execute(_FINISH_ALL, which).rowcount == len(claims)


_FINISH_ALL = (
    _ROWS.update()
    .where(
        _ROWS.c.id.in_(sa.bindparam("ids", expanding=True)),
        _ROWS.c.lease_token.in_(sa.bindparam("tokens", expanding=True)),
        _ROWS.c.state == DueState.LEASED,
    )
    .values(state=DueState.DONE, lease_token=None, lease_until=None)
)


_OURS = (Due.id == sa.bindparam("id_", type_=sa.Integer), Due.lease_token == sa.bindparam("token_"))
_HOLDS = Prepared(sa.select(Due.id).where(*_OURS))


def holds(session: Session, claim: Claim) -> bool:
    """Whether the claim is still ours: neither cancelled nor taken over."""
    return bool(straight_rows(session, _HOLDS, id_=claim.id, token_=claim.token))


def renew(session: Session, claim: Claim, lease: timedelta) -> bool:
    """Lengthen the lease of long work; False if it was lost."""
    return _close(session, claim, lease_until=_lease_clock(session) + lease)


def retry(
    session: Session,
    claim: Claim,
    now: datetime,
    error: str,
    *,
    permanent: bool = False,
    tireless: bool = False,
) -> DueState | None:
    """Give the row back after a failure: ready again after a growing pause, or dead after too many.

    ``tireless`` work is never dead and never pauses for longer than a minute: somebody waits to be rung.
    None if the lease was lost: then the row is somebody else's, and nothing is changed.
    """
    dead = not tireless and (permanent or claim.attempts >= MAX_ATTEMPTS)
    longest = _LONGEST_TIRELESS_RETRY if tireless else _LONGEST_RETRY
    pause = min(_FIRST_RETRY * 2 ** min(claim.attempts - 1, MAX_ATTEMPTS), longest)
    state = DueState.DEAD if dead else DueState.READY
    ours = _close(
        session, claim, state=state, due_at=now + pause, lease_token=None, lease_until=None,
        last_error=error[:500],
    )  # fmt: skip
    return state if ours else None


def again(
    session: Session, claim: Claim, due_at: datetime, *, error: str | None = None, **payload: Any
) -> bool:
    """Put the claimed row back, to be done (again) at ``due_at`` with ``payload``; False if the lease was lost.

    For work that comes back by plan: it starts with a fresh count of tries, and no new row.
    """
    return _close(
        session, claim, state=DueState.READY, due_at=due_at, payload=payload, attempts=0, lease_token=None,
        lease_until=None, last_error=error[:500] if error else None,
    )  # fmt: skip


def _close(session: Session, claim: Claim, **values: Any) -> bool:
    session.flush()  # as in cancel
    given = {f"{name}_": value for name, value in values.items()}
    closing = _closing(tuple(values))
    return bool(straight(session, closing, id_=claim.id, token_=claim.token, **given).rowcount)


@functools.cache
def _closing(names: tuple[str, ...]) -> Prepared:
    given = {name: sa.bindparam(f"{name}_", type_=Due.__table__.c[name].type) for name in names}
    return Prepared(sa.update(Due).where(*_OURS, Due.state == DueState.LEASED).values(given))


_CLOCK = Prepared(sa.select(sa.cast(sa.func.clock_timestamp(), UtcDateTime).label("now")))


def _lease_clock(session: Session) -> datetime:
    if session.get_bind().dialect.name == "postgresql":
        (row,) = straight_rows(session, _CLOCK)
        now: datetime = row.now
        return now
    return datetime.now(UTC)


class LeaseLost(Exception):
    """The row was cancelled or taken over meanwhile; what this worker did for it is rolled back."""


@contextlib.contextmanager
def finishing(database: Database, claim: Claim) -> Iterator[Session]:
    """The last transaction of a piece of work: its effect and its end are committed together, or neither is."""
    with database.writing() as session:
        yield session
        if not finish(session, claim):
            raise LeaseLost(f"{claim.kind} for {claim.subject}")


class TryAgain(Exception):
    """The work cannot be done now, for the reason given; it is given back and done later."""
