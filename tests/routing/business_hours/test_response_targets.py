"""Response targets: the agreement's words, and the instants they mean."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from routing.business_hours import BusinessCalendar, NeverOpens
from routing.targets import ResponseTarget, TargetError

BUSINESS = BusinessCalendar.from_dict(
    {
        "zone": "America/Chicago",
        "hours": {day: ["08:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")},
        "holidays": {"country": "US"},
    }
)
HOUR = timedelta(hours=1)


def central(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BUSINESS.zone)


@pytest.mark.parametrize(
    ("text", "amount", "unit", "written"),
    [
        ("1 Hour", 1, "hours", "1 Hour"),
        ("1 hour", 1, "hours", "1 Hour"),
        ("2 hours", 2, "hours", "2 Hours"),
        ("4 Business Hours", 4, "business hours", "4 Business Hours"),
        ("1 business hour", 1, "business hours", "1 Business Hour"),
        ("2 Business Days", 2, "business days", "2 Business Days"),
        ("1 Business Day", 1, "business days", "1 Business Day"),
        ("  10  BUSINESS  days ", 10, "business days", "10 Business Days"),
        ("1.50 hours", Decimal("1.5"), "hours", "1.5 Hours"),
        ("100 hours", 100, "hours", "100 Hours"),
    ],
)
def test_it_reads_and_writes_the_agreements_words(text, amount, unit, written):
    target = ResponseTarget.parse(text)
    assert target == ResponseTarget(amount, unit, "business hours")
    assert str(target) == written
    assert ResponseTarget.parse(written) == target


@pytest.mark.parametrize(
    "text", ["", "soon", "one hour", "-1 hours", "2", "hours", "2 days", "2 weeks", "0 hours", "1e3 hours"]
)
def test_it_refuses_other_words(text):
    with pytest.raises(TargetError, match="expected"):
        ResponseTarget.parse(text)


@pytest.mark.parametrize(
    ("amount", "unit", "cover"),
    [
        (0, "hours", "24x7"),
        (-1, "hours", "24x7"),
        (1.5, "hours", "24x7"),
        (True, "hours", "24x7"),
        (Decimal("NaN"), "hours", "24x7"),
        (Decimal("Infinity"), "hours", "24x7"),
        (100_001, "hours", "24x7"),
        (1, "days", "24x7"),
        (1, "hours", "always"),
    ],
)
def test_it_refuses_what_is_no_target(amount, unit, cover):
    with pytest.raises(TargetError, match="expected"):
        ResponseTarget(amount, unit, cover)


def test_it_is_a_value():
    assert len({ResponseTarget(1, "hours", "24x7"), ResponseTarget(Decimal("1.0"), "hours", "24x7")}) == 1
    assert ResponseTarget(1, "hours", "24x7") != ResponseTarget(1, "hours", "business hours")
    with pytest.raises(AttributeError):
        ResponseTarget(1, "hours").amount = 2


@pytest.mark.parametrize(
    ("text", "cover", "contact", "due"),
    [
        ("2 business days", "business hours", "2026-11-17T18:00", "2026-11-19T17:00"),
        ("2 business days", "24x7", "2026-11-17T18:00", "2026-11-19T17:00"),
        ("2 business days", "business hours", "2026-11-17T10:00", "2026-11-19T10:00"),
        ("1 business day", "business hours", "2026-11-25T16:00", "2026-11-27T16:00"),
        ("4 business hours", "24x7", "2026-11-20T16:00", "2026-11-23T11:00"),
        ("1 hour", "24x7", "2026-12-25T03:12", "2026-12-25T04:12"),
        ("1 hour", "business hours", "2026-12-25T03:12", "2026-12-28T09:00"),
        ("1 hour", "business hours", "2026-11-20T16:00", "2026-11-20T17:00"),
        ("2 hours", "24x7", "2026-03-08T01:30", "2026-03-08T04:30"),
        ("2 hours", "24x7", "2026-11-01T00:30", "2026-11-01T01:30:00-06:00"),
        ("0.5 business days", "business hours", "2026-11-23T08:00", "2026-11-23T12:30"),
    ],
)
def test_it_is_due_by_the_rules(text, cover, contact, due):
    expected = datetime.fromisoformat(due)
    expected = expected if expected.tzinfo else expected.replace(tzinfo=BUSINESS.zone)
    answer = ResponseTarget.parse(text, cover).due_at(central(contact), BUSINESS)
    assert answer == expected.astimezone(UTC)
    assert answer.tzinfo is UTC


@pytest.mark.parametrize("cover", ["24x7", "business hours"])
def test_it_refuses_a_naive_contact(cover):
    with pytest.raises(ValueError, match="no time zone"):
        ResponseTarget(1, "hours", cover).due_at(datetime(2026, 1, 1), BUSINESS)  # noqa: DTZ001


def test_it_tells_what_is_left_and_what_is_used_on_its_clock():
    target, contact = ResponseTarget.parse("4 business hours"), central("2026-11-20T16:00")
    assert target.remaining(contact, contact, BUSINESS) == 4 * HOUR
    saturday = central("2026-11-21T12:00")
    assert target.remaining(saturday, contact, BUSINESS) == 3 * HOUR
    assert target.used(saturday, contact, BUSINESS) == HOUR
    assert target.remaining(central("2026-11-23T12:30"), contact, BUSINESS) == -1.5 * HOUR


def test_it_counts_nights_only_around_the_clock():
    contact, later = central("2026-11-20T23:00"), central("2026-11-20T23:20")
    assert ResponseTarget(1, "hours", "24x7").remaining(later, contact, BUSINESS) == timedelta(minutes=40)
    assert ResponseTarget(1, "hours", "business hours").remaining(later, contact, BUSINESS) == HOUR
    assert ResponseTarget(1, "hours", "24x7").runs_around_the_clock
    assert not ResponseTarget(1, "business hours", "24x7").runs_around_the_clock


def test_it_has_the_length_of_the_calendars_day():
    assert ResponseTarget(2, "business days").length(BUSINESS) == 18 * HOUR
    assert ResponseTarget(2, "business days").length(BusinessCalendar.around_the_clock("UTC")) == 48 * HOUR
    never = BusinessCalendar.from_dict({"zone": "UTC", "hours": {}})
    assert ResponseTarget(1, "hours", "24x7").length(never) == HOUR
    with pytest.raises(NeverOpens):
        ResponseTarget(1, "business hours").due_at(central("2026-11-20T23:00"), never)
    with pytest.raises(NeverOpens):
        ResponseTarget(1, "business days").length(never)
