"""Proving a stored verdict again: the promise from policy and contact, the verdict from promise and answer. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from routing.clocks.promise import Promise, promise_for
from routing.clocks.states import CycleState, answered
from routing.policy import Policy


@dataclass(frozen=True)
class CycleRecord:
    """A cycle as it is stored, without the database. Instants are UTC."""

    state: CycleState
    service: str
    tier: str | None
    customer: str | None
    priority: int
    started_at: datetime
    target: str
    cover: str | None
    due_at: datetime | None
    responded_at: datetime | None
    breached_at: datetime | None
    calendar_fingerprint: str
    tz_version: str


def prove(cycle: CycleRecord, policy: Policy, tz_version: str, now: datetime) -> list[str]:
    """What of the stored cycle differs from what its policy version and its instants give today; empty: proved.

    ``tz_version`` is that of the time zones in use now: a promise that moved with them is named as such.
    """
    promise = promise_for(policy, cycle.service, cycle.tier, cycle.priority, cycle.started_at, cycle.customer)
    return [*_promise_differences(cycle, promise, tz_version), *_verdict_differences(cycle, now)]


def _promise_differences(cycle: CycleRecord, promise: Promise, tz_version: str) -> Iterator[str]:
    if promise.target != cycle.target:
        yield f"the target is stored as {cycle.target or 'none'}, the policy has {promise.target or 'none'}"
    if cycle.cover is not None and promise.cover != cycle.cover:
        yield f"the cover is stored as {cycle.cover}, the policy has {promise.cover or 'none'}"
    if promise.calendar_fingerprint != cycle.calendar_fingerprint:
        yield (
            f"the calendar is stored as {cycle.calendar_fingerprint},"
            f" the policy has {promise.calendar_fingerprint}"
        )
    if promise.due_at != cycle.due_at:
        stored, computed = _written(cycle.due_at), _written(promise.due_at)
        yield f"due is stored as {stored}, computed as {computed}{_why(cycle, promise, tz_version)}"


def _why(cycle: CycleRecord, promise: Promise, tz_version: str) -> str:
    if promise.target != cycle.target or promise.calendar_fingerprint != cycle.calendar_fingerprint:
        return ""
    if cycle.tz_version != tz_version:
        return f": the time zone database has changed since, from {cycle.tz_version} to {tz_version}"
    return (
        ": policy and time zones are the same; the public holidays of this release, or the row, have changed"
    )


def _verdict_differences(cycle: CycleRecord, now: datetime) -> Iterator[str]:
    expected = verdict_state(cycle, now)
    if cycle.state is not expected:
        yield f"the state is stored as {cycle.state}, its instants give {expected}"
    if cycle.state in (CycleState.OVERDUE, CycleState.LATE) and cycle.breached_at != cycle.due_at:
        yield f"breached is stored as {_written(cycle.breached_at)}, due as {_written(cycle.due_at)}"


def verdict_state(cycle: CycleRecord, now: datetime) -> CycleState:
    """The state that the stored instants give at ``now``. An excuse is somebody's word, not a computation."""
    if cycle.state is CycleState.EXCUSED:
        return CycleState.EXCUSED
    if cycle.responded_at is not None:
        in_time = answered(cycle.due_at, cycle.responded_at)
        return {
            "answered-without-promise": CycleState.ANSWERED,
            "answered-in-time": CycleState.KEPT,
            "answered-too-late": CycleState.LATE,
        }[in_time]
    if cycle.due_at is None:
        return CycleState.UNPROMISED
    return CycleState.OVERDUE if cycle.due_at <= now else CycleState.RUNNING


def _written(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC" if instant else "none"
