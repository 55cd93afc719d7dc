"""One contract for all channels: delivered, tried again, given up, and never an address in a log.

What they speak to is real, on this machine: the simulated telephone company, an SMTP server, a web server.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from routing.paging.channels import CHANNELS
from routing.paging.models import Attempt
from tests.house import House
from tests.post_office import PostOffice, post_office
from tests.receiver import Receiver, receiver
from tests.stories.people import DANA, MARIA, SUPPORT, agreement

# Apprise loads what a later Python will not have; it is a warning of its own, not of ours.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

MAIL = "dana.whitfield@nightbell.example"
TOPIC = "topic-that-nobody-may-know"


class World:
    """The house, and everything outside of it that a channel speaks to."""

    def __init__(self, house: House, office: PostOffice, other: Receiver) -> None:
        self.house, self.office, self.other = house, office, other

    @property
    def port(self) -> str:
        return self.other.url.rpartition(":")[2]


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        office, other = stack.enter_context(post_office()), stack.enter_context(receiver())
        house = House(database_url, tmp_path / "data", smtp_url=office.url)
        yield World(house, office, other)
        house.check()
        house.context.close()


class Outside:
    """What one channel's outside does: its address, what it got, and how it fails."""

    method: Callable[[World], str]

    def __init__(
        self,
        method: Callable[[World], str],
        secret: str,
        got: Callable[[World], int],
        fails: Callable[[World], object],
        works: Callable[[World], object],
        refuses: Callable[[World], object],
    ) -> None:
        self.method, self.secret, self.got = method, secret, got
        self.fails, self.works, self.refuses = fails, works, refuses


def _set(target: Callable[[World], Any], name: str, value: Any) -> Callable[[World], object]:
    return lambda world: setattr(target(world), name, value)


_house, _other = (lambda w: w.house), (lambda w: w.other)

OUTSIDE: dict[str, Outside] = {
    "voice": Outside(
        lambda w: f'voice: "{DANA}", verified: true',
        DANA,
        lambda w: w.house.rings(DANA),
        _set(_house, "api_is_down", True),
        _set(_house, "api_is_down", False),
        lambda w: w.house.company.numbers.pop(SUPPORT),
    ),
    "sms": Outside(
        lambda w: f'sms: "{DANA}", verified: true',
        DANA,
        lambda w: len(w.house.texts(DANA)),
        _set(_house, "api_is_down", True),
        _set(_house, "api_is_down", False),
        lambda w: w.house.company.numbers.pop(SUPPORT),
    ),
    "mail": Outside(
        lambda w: f"mail: {MAIL}",
        MAIL,
        lambda w: len(w.office.mail_to(MAIL)),
        lambda w: w.office.refusals.update({MAIL: f"451 <{MAIL}> come back later"}),
        lambda w: w.office.refusals.clear(),
        lambda w: w.office.refusals.update({MAIL: f"550 <{MAIL}> no such user"}),
    ),
    "apprise": Outside(
        lambda w: f"apprise: json://127.0.0.1:{w.port}/{TOPIC}",
        TOPIC,
        lambda w: sum(w.other.status == 200 for _ in w.other.posted),
        _set(_other, "status", 503),
        lambda w: (w.other.posted.clear(), setattr(w.other, "status", 200)),
        lambda w: w.house.apply(_policy(f"apprise: nonsense://127.0.0.1:{w.port}/{TOPIC}")),
    ),
    "webhook": Outside(
        lambda w: f"webhook: {w.other.url}/{TOPIC}, secret: {TOPIC}-secret",
        TOPIC,
        lambda w: sum(w.other.status == 200 for _ in w.other.posted),
        _set(_other, "status", 503),
        lambda w: (w.other.posted.clear(), setattr(w.other, "status", 200)),
        _set(_other, "status", 410),
    ),
}


def _policy(method: str) -> str:
    """The sample policy, with one method for Dana, and nobody's phone verified but hers, if that is the method."""
    old = f'{{name: Dana Whitfield, phone: "{DANA}", verified: true, email: dana@nightbell.example}}'
    return agreement((old, f'{{name: Dana Whitfield, phone: "{DANA}", methods: {{it: {{{method}}}}}}}'))


@pytest.fixture(params=OUTSIDE)
def outside(
    request: pytest.FixtureRequest, world: World, caplog: pytest.LogCaptureFixture
) -> Iterator[Outside]:
    """The outside of each channel; nothing that is logged meanwhile names its address."""
    outside = OUTSIDE[request.param]
    world.house.apply(_policy(outside.method(world)))
    caplog.set_level(logging.INFO)
    yield outside
    logged = [record.getMessage() + (record.exc_text or "") for record in caplog.records]
    assert not any(outside.secret in line for line in logged), logged
    # Nor do the events that explain what happened, nor the list of due work.
    assert outside.secret not in str([event.data for event in world.house.all_events])
    assert outside.secret not in str(world.house.errors_of_due_work)


@pytest.fixture
def channel(request: pytest.FixtureRequest) -> str:
    return str(request.node.callspec.params["outside"])


def _attempt(world: World, channel: str) -> Attempt:
    attempt = world.house.attempts(channel)[0]
    assert (attempt.person_key, attempt.method) == ("dana", "it")
    return attempt


def test_the_contract_is_held_by_every_channel() -> None:
    assert set(OUTSIDE) == set(CHANNELS)


def test_it_delivers(world: World, outside: Outside, channel: str) -> None:
    world.house.voicemail_from(MARIA)
    world.house.fast_forward(5)
    assert outside.got(world) == 1
    wanted = {"voice": "sent"}.get(channel, "delivered")
    assert _attempt(world, channel).state == wanted
    assert world.house.events("page.not-sent") == []


def test_it_tries_again_what_failed(world: World, outside: Outside, channel: str) -> None:
    outside.fails(world)
    world.house.voicemail_from(MARIA)
    world.house.fast_forward(5)
    assert outside.got(world) == 0
    assert _attempt(world, channel).state == "sending"
    outside.works(world)
    world.house.fast_forward(20)
    assert outside.got(world) == 1
    assert _attempt(world, channel).state in ("sent", "delivered")


def test_it_gives_up_what_can_never_be_sent(world: World, outside: Outside, channel: str) -> None:
    caller = world.house.call(MARIA).presses("1").says()
    outside.refuses(world)
    caller.hangs_up()
    world.house.fast_forward(5)
    assert outside.got(world) == 0
    attempt = _attempt(world, channel)
    assert attempt.state == "failed"
    assert attempt.error
    event = next(e for e in world.house.events("page.not-sent") if e.person == "dana")
    assert event.data["channel"] == channel
    assert [row for row in world.house.due("dead") if row == "page.send"] == []


def test_it_sends_nothing_any_more_once_somebody_has_accepted(
    world: World, outside: Outside, channel: str
) -> None:
    outside.fails(world)
    world.house.voicemail_from(MARIA)
    world.house.fast_forward(1)
    world.house.api_is_down = False
    world.house.text("+17135550102", "ACK 1001")
    outside.works(world)
    world.house.fast_forward(120)
    assert outside.got(world) == 0
    assert _attempt(world, channel).state == "cancelled"
