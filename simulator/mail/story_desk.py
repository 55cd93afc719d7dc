"""The hands of the mail's story: the simulator's control API over HTTP, and when it is played."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from simulator.night_desk import Desk, Json, NightError

OPENS, TOO_LATE, PLAYED_AT = time(8, 15), time(15, 30), time(10, 0)
# Days on which most offices are closed, whatever the policy says of the others: (month, day).
_HOLIDAYS = {(1, 1), (6, 19), (7, 4), (11, 11), (12, 24), (12, 25), (12, 31)}


class PostDesk(Desk):
    """A running simulator with a post office. Every method raises NightError when it does not answer or refuses."""

    def mail(self) -> Json:
        return self._ask("GET", "/mail/state")

    def letter(self, id_: str) -> Json:
        """A whole letter."""
        return self._ask("GET", f"/mail/letters/{id_}")

    def write(self, sender: str, **given: object) -> Json:
        """Write a mail from ``sender``; the other words are those of POST /control/mail/letters."""
        return self.do("/mail/letters", **{"from": sender, **given})


def person(mail: Json, address: str) -> Json:
    """The mailbox with that address. Raises NightError."""
    found = next((box for box in mail["mailboxes"] if box["address"] == address), None)
    if found is None:
        known = ", ".join(box["address"] for box in mail["mailboxes"])
        raise NightError(f"there is no mailbox {address}; there are {known}")
    return dict(found)


def at_work(now: datetime, zone: str) -> datetime:
    """``now`` if an office is open for some hours more, else the next ten o'clock when one is."""
    local = now.astimezone(ZoneInfo(zone))
    if _is_working_day(local) and OPENS <= local.time() <= TOO_LATE:
        return now
    day = local if local.time() < OPENS else local + timedelta(days=1)
    while not _is_working_day(day):
        day += timedelta(days=1)
    return datetime.combine(day.date(), PLAYED_AT, ZoneInfo(zone))


def _is_working_day(day: datetime) -> bool:
    if day.month == 11 and day.weekday() in {3, 4} and 22 <= day.day - (day.weekday() - 3) <= 28:
        return False  # Thanksgiving, and the day after it
    return day.weekday() < 5 and (day.month, day.day) not in _HOLIDAYS
