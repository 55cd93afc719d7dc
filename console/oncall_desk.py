"""What every ``nightbell oncall`` command begins with."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import click

from core.settings import SettingsError, load_settings
from routing.context import Context, build_context
from routing.oncall import Schedule
from routing.policies import NoPolicy
from routing.policy import Policy
from routing.rosters import changes
from routing.rosters.fetching import FetchError
from routing.rosters.sieve import NotACalendar


@dataclass(frozen=True)
class Desk:
    """What every command needs: the plumbing, the policy in force, and the time."""

    context: Context
    policy: Policy
    now: datetime

    @property
    def names(self) -> dict[str, str]:
        """Key -> name of everybody in the policy."""
        return {key: entry.name for key, entry in self.policy.people.items()}

    def zone(self, schedule: str | None, person: str | None = None) -> ZoneInfo:
        """The zone that times without an offset are in."""
        return changes.zone_of(self.policy, schedule, person)

    def schedules(self, wanted: str | None, since: datetime) -> dict[str, Schedule]:
        """One schedule, or all, with the changes that end after ``since``."""
        if wanted is not None:
            changes.known_or_refused("schedule", wanted, self.policy.schedules)
        with self.context.database.reading() as session:
            keys = [wanted] if wanted is not None else list(self.policy.schedules)
            return changes.schedules_of(session, self.policy, keys, since)


@contextmanager
def desk_of_today() -> Iterator[Desk]:
    """A desk; whatever is wrong with what was typed ends the command with its sentence."""
    try:
        context = build_context(load_settings())
        yield Desk(context, context.policies.current().policy, context.clock.now())
    except NotACalendar as error:
        raise click.ClickException(f"the calendar {error}") from None
    except (SettingsError, NoPolicy, FetchError, ValueError) as error:
        raise click.ClickException(str(error)) from None


def who_types() -> str:
    """The name of whoever uses the command."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may have a user without a name
        return "unknown"
