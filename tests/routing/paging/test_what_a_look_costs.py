"""The look for pages that nobody rings costs by what rings and waits, not by what ever rang."""

from __future__ import annotations

from datetime import UTC, datetime

from core.database import Database
from routing.paging import bundles, steps
from tests.plans import plans_of

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def test_it_goes_through_what_waits_with_a_lead_and_not_through_what_once_did(database: Database) -> None:
    plans = plans_of(database, bundles.left_alone)
    assert "ix_pages_joined" in plans
    assert "ix_pages_lead_id" not in plans, "past storms are in it"


def test_it_goes_through_what_rings(database: Database) -> None:
    assert "ix_pages_ringing" in plans_of(database, lambda session: steps.revive(session, NOON))
