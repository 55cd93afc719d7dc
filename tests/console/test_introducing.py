"""The simulated post office is told who is who in the policy."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import requests
from werkzeug.serving import make_server

from console.introducing import introduce
from routing.policies import parse_policy
from simulator.company import PhoneCompany
from simulator.mail.office import PostOffice
from simulator.scheduler import VirtualScheduler
from simulator.web import create_app
from tests.stories.people import agreement

OURS = "address: MASsupport@smatechnologies.com"
POLICY = parse_policy(agreement((OURS, "address: Help@vendor.example\n    aliases: [old@vendor.example]")))


@pytest.fixture
def office() -> PostOffice:
    return PostOffice(VirtualScheduler(datetime(2026, 3, 4, 8, 10, tzinfo=UTC)), lambda _envelope: {})


@pytest.fixture
def simulator(office: PostOffice) -> Iterator[str]:
    assert isinstance(office.scheduler, VirtualScheduler)
    company = PhoneCompany(
        "AC" + "5" * 32, "token", office.scheduler, lambda _request: pytest.fail("no call")
    )
    server = make_server("127.0.0.1", 0, create_app(company, office=office), threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_it_names_mailboxes_people_and_contacts(simulator: str, office: PostOffice) -> None:
    introduce(POLICY, simulator)
    lines = [(line.address, line.name) for line in office.directory.lines.values()]
    assert lines == [("help@vendor.example", "Managed Services"), ("old@vendor.example", "Managed Services")]
    priya, omar = office.mailbox("priya@nightbell.example"), office.mailbox("omar@bluebonnet.example")
    assert (priya.name, priya.role) == ("Priya Natarajan", "engineer")
    assert (omar.name, omar.role) == ("Omar Haddad", "customer")
    assert omar.note == "Bluebonnet Health, Customer Support, Managed Services (charges accepted beforehand)"


def test_it_says_that_nobody_is_there() -> None:
    with pytest.raises(requests.RequestException):
        introduce(POLICY, "http://127.0.0.1:9")
