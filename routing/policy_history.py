"""The versions of the policy: what was applied when, and going back to one of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from routing.policies import NoPolicy, PolicyVersion, apply_policy, one_at_a_time


class NothingToUndo(Exception):
    """There is no version to go back to; the text says why."""


def versions(session: Session, limit: int | None = None) -> Sequence[PolicyVersion]:
    """The versions, the latest first."""
    query = sa.select(PolicyVersion).order_by(PolicyVersion.version.desc())
    return session.scalars(query.limit(limit) if limit else query).all()


def version_before(session: Session, to: int | None = None) -> tuple[PolicyVersion, PolicyVersion]:
    """The current version, and the one to go back to: ``to``, or the latest that says something else.

    After an undo that is the version that was undone, so that a second undo takes the first one back.
    """
    current = next(iter(versions(session, 1)), None)
    if current is None:
        raise NoPolicy
    if to is not None:
        found = session.get(PolicyVersion, to)
        if found is None:
            raise NothingToUndo(f"there is no version {to}; see: nightbell policy history")
    else:
        found = session.scalar(
            sa.select(PolicyVersion)
            .where(PolicyVersion.version < current.version, PolicyVersion.fingerprint != current.fingerprint)
            .order_by(PolicyVersion.version.desc())
            .limit(1)
        )
        if found is None:
            raise NothingToUndo(f"version {current.version} is the first; there is nothing to go back to")
    if found.fingerprint == current.fingerprint:
        raise NothingToUndo(f"version {current.version} already says what version {found.version} says")
    return current, found


def undo(session: Session, now: datetime, to: int | None = None) -> tuple[int, int]:
    """Apply an earlier document as a new version; the new version and the one that it repeats.

    It was in force before, so it is not held against rules that are newer than it.
    """
    one_at_a_time(session)
    current, found = version_before(session, to)
    note = f"undo of version {current.version}: the document of version {found.version}"
    return apply_policy(session, found.document, now, note=note, stored=True), found.version
