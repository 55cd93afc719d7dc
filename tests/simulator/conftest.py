"""A phone company in virtual time, and an application that it talks to."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from simulated_app import ACCOUNT, BASE, LINE, TOKEN, App

from simulator.company import PhoneCompany
from simulator.scheduler import VirtualScheduler


@pytest.fixture
def scheduler() -> VirtualScheduler:
    return VirtualScheduler(datetime(2026, 3, 4, 8, 10, tzinfo=UTC))


@pytest.fixture
def app(scheduler: VirtualScheduler) -> App:
    return App(scheduler)


@pytest.fixture
def company(scheduler: VirtualScheduler, app: App) -> PhoneCompany:
    company = PhoneCompany(ACCOUNT, TOKEN, scheduler, app)
    company.own_number(LINE, voice_url=f"{BASE}/voice", status_callback=f"{BASE}/over")
    return company
