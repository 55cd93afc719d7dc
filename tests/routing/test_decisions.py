"""The decision record: what was known, what followed and why, kept so that it can be proved."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version

import sqlalchemy as sa

from core.database import Database
from core.models import Case
from routing.coverage import ContactFacts, decide
from routing.decisions import DecisionRecord, decision_of_case, keep_decision
from routing.policy import Policy

NIGHT = datetime(2026, 3, 4, 8, 10, tzinfo=UTC)


def _case() -> Case:
    return Case(
        origin="call:1", channel="phone", service="support", verified=True, title="t", priority=1,
        contact_at=NIGHT, opened_at=NIGHT, target="1 hour",
    )  # fmt: skip


def test_it_keeps_everything_that_the_decision_rests_on(database: Database, policy: Policy) -> None:
    facts = ContactFacts(
        at=NIGHT, channel="phone", service="support", line="support", customer="Lakeside",
        identified_by="number", tier="elite", priority=1, voicemail=True,
    )  # fmt: skip
    decision = decide(facts, policy)
    with database.writing() as session:
        case = _case()
        session.add(case)
        session.flush()
        keep_decision(session, decision, facts, 7, NIGHT, case_id=case.id, call_sid="CA1")
    with database.reading() as session:
        kept = decision_of_case(session, case.id)
    assert kept is not None
    assert (kept.outcome, kept.priority, kept.target, kept.due_at) == ("page", 1, "1 hour", decision.due_at)
    assert kept.facts == facts.as_json()
    assert kept.reasons == [{"code": r.code, "sentence": r.sentence} for r in decision.reasons]
    assert kept.policy_version == 7
    assert kept.calendar_fingerprint == policy.calendar_of("support").fingerprint
    assert kept.tz_version == version("tzdata")


def test_it_gives_the_decision_that_a_case_was_opened_with(database: Database, policy: Policy) -> None:
    facts = ContactFacts(at=NIGHT, channel="phone", service="support")
    with database.writing() as session:
        case = _case()
        session.add(case)
        session.flush()
        for policy_version in (1, 2):
            keep_decision(session, decide(facts, policy), facts, policy_version, NIGHT, case_id=case.id)
    with database.reading() as session:
        first = decision_of_case(session, case.id)
        assert first is not None
        assert first.policy_version == 1
        assert decision_of_case(session, 999_999) is None
        assert len(session.scalars(sa.select(DecisionRecord)).all()) == 2
