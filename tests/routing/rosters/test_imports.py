"""Absences from a file, and from an address that is looked at every hour."""

from __future__ import annotations

import gzip
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from routing.rosters.fetching import FetchError, fetch, web_address
from routing.rosters.look_ahead import untold
from tests.routing.rosters.rota import NOW, SAMPLE, Rota, Served, web_server

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
VACATION = "DTSTART;VALUE=DATE:20260309\nDTEND;VALUE=DATE:20260312\nSUMMARY:Vacation"
DENTIST = "DTSTART:20260304T150000Z\nDURATION:PT1H\nSUMMARY:Dentist"
IN_FORCE = ["dana 03-04 09:00 03-04 10:00", "dana 03-09 00:00 03-12 00:00"]


@pytest.fixture
def web() -> Iterator[Served]:
    with web_server() as served:
        yield served


def an_hour_later(rota: Rota, hours: int = 1) -> None:
    rota.clock.instant += hours * HOUR
    rota.worker.run_due()


def test_it_reads_a_file_and_the_same_file_again(rota: Rota, web: Served, tmp_path: Path) -> None:
    file = tmp_path / "dana.ics"

    def write(*events: str) -> None:
        web.calendar("/x", *events)
        file.write_bytes(web.answers["/x"][2])

    write(VACATION, DENTIST)
    assert "2 absences in the next 180 days; 2 new, 0 gone" in rota.does("import", "dana", str(file))
    assert rota.absences() == IN_FORCE
    write(VACATION)
    assert "0 new, 1 gone" in rota.does("import", "dana", str(file))
    assert rota.absences() == IN_FORCE[1:]
    file.write_text("<html>")
    code, said = rota.nightbell("import", "dana", str(file))
    assert (code, rota.absences()) == (1, IN_FORCE[1:])
    assert "the calendar is a web page" in said
    assert "Vacation" not in str([row.data for row in rota.rows()])


def test_it_looks_at_an_address_every_hour(rota: Rota, web: Served) -> None:
    url = web.calendar("/secret/dana.ics", VACATION, DENTIST)
    assert "ics:1 is read every hour" in rota.does("import", "dana", url).replace(
        rota.feeds[0].source, "ics:1"
    )
    assert rota.absences() == IN_FORCE
    web.calendar("/secret/dana.ics", VACATION)
    an_hour_later(rota)
    assert rota.absences() == IN_FORCE[1:]
    assert len(rota.due("oncall.import")) == 1
    an_hour_later(rota)
    assert len(web.asked) == 3
    assert len(rota.events("oncall.imported")) == 2


def test_it_keeps_the_old_absences_when_a_calendar_cannot_be_read(
    rota: Rota, web: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    rota.does("import", "dana", web.calendar("/secret/dana.ics", VACATION, DENTIST))
    good = web.answers["/secret/dana.ics"]
    for answer in [
        (500, {}, b""), (404, {}, b""), (200, {}, b"<html>sign in"), (200, {}, good[2][:-60]),
        (200, {}, b"x" * 11_000_000), (302, {"Location": "file:///etc/passwd"}, b""),
        (302, {"Location": "/secret/dana.ics"}, b""),
    ]:  # fmt: skip
        web.answers["/secret/dana.ics"] = answer
        an_hour_later(rota)
        assert rota.absences() == IN_FORCE
        assert len(rota.due("oncall.import")) == 1
    assert "since Sun 2026-03-01 07:00 CST: the calendar's server sends us on" in rota.does("changes")
    assert len(rota.events("oncall.import-failed")) == 1
    web.answers["/secret/dana.ics"] = good
    an_hour_later(rota)
    assert rota.feeds[0].failed_at is None
    assert "secret" not in caplog.text
    assert "secret" not in rota.does("changes")


def test_it_ends_a_subscription_and_its_absences(rota: Rota, web: Served) -> None:
    rota.does("absence", "dana", "--from", "2026-03-20", "--to", "2026-03-20")
    rota.does("import", "dana", web.calendar("/a", VACATION))
    rota.does("withdraw", rota.feeds[0].source)
    assert rota.absences() == ["dana 03-20 00:00 03-21 00:00"]
    an_hour_later(rota, 3)
    assert len(web.asked) == 1
    assert rota.nightbell("withdraw", rota.feeds[0].source)[0] == 1


def test_it_takes_the_same_address_with_another_pattern(rota: Rota, web: Served) -> None:
    url = web.calendar("/a", VACATION, DENTIST)
    rota.does("import", "dana", url)
    rota.does("import", "dana", url, "--matching", "vacation|out of office")
    assert len(rota.feeds) == 1
    assert rota.absences() == IN_FORCE[1:]
    assert len(rota.due("oncall.import")) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("bob", "{url}/a"), "no person is called 'bob'; known: dana, luis"),
        (("dana", "{url}/gone"), "does not know the calendar"),
        (("dana", "{url}/a", "--matching", "(" ), "is not a pattern"),
        (("dana", "ftp://127.0.0.1/a"), "expected http://"),
        (("dana", "file:///etc/passwd"), "expected http://"),
        (("dana", "http://127.0.0.1:1/secret"), "cannot be reached"),
        (("dana", "nowhere.ics"), "cannot be read: No such file"),
    ],
)  # fmt: skip
def test_it_keeps_nothing_of_what_cannot_be_read_at_once(
    rota: Rota, web: Served, arguments: tuple[str, ...], said: str
) -> None:
    web.calendar("/a", VACATION)
    code, output = rota.nightbell("import", *(each.format(url=web.url) for each in arguments))
    assert code == 1
    assert said in output
    assert "secret" not in output
    assert (rota.feeds, rota.rows(), rota.due("oncall.import")) == ([], [], [])


def test_it_follows_a_few_redirections(web: Served) -> None:
    web.calendar("/3", VACATION)
    for number in (0, 1, 2):
        web.answers[f"/{number}"] = (302, {"Location": f"/{number + 1}"}, b"")
    assert fetch(web.url + "/0").startswith(b"BEGIN:VCALENDAR")
    web.answers["/3"] = (302, {"Location": "/4"}, b"")
    web.calendar("/4", VACATION)
    with pytest.raises(FetchError, match="more than 3 times"):
        fetch(web.url + "/0")


def test_it_is_not_filled_up_by_a_small_packet(web: Served) -> None:
    bomb = gzip.compress(b"\0" * 100_000_000)
    web.answers["/bomb"] = (200, {"Content-Encoding": "gzip"}, bomb)
    with pytest.raises(FetchError, match="larger than 5 MB"):
        fetch(web.url + "/bomb")


def test_it_knows_addresses_of_calendars() -> None:
    assert web_address(" webcal://example.com/a ") == "https://example.com/a"
    assert web_address("https://example.com/a") == "https://example.com/a"
    for wrong in ("", "dana", "file:///a", "ftp://example.com", "https://", "https://[::1", "http://h:0/"):
        with pytest.raises(ValueError, match="is not the address"):
            web_address(wrong)


# Looking ahead


def test_it_looks_ahead_once_a_day_and_says_a_gap_once(rota: Rota) -> None:
    rota.worker.start()
    rota.worker.start()
    assert len(rota.due("oncall.look-ahead")) == 1
    hand = ("override", "support", "--person", "nobody")
    rota.does(*hand, "--from", "2026-03-20 02:00", "--to", "2026-03-20 03:00")
    with rota.writing():
        pass
    for _ in range(3):
        _look(rota)
        rota.clock.instant += DAY
    (event,) = rota.events("oncall.gap")
    assert (event.data["schedule"], event.data["count"]) == ("support", 1)
    assert event.data["start"] == "2026-03-20T07:00:00+00:00"
    rota.does(*hand, "--from", "2026-03-22 02:00", "--to", "2026-03-22 03:00")
    _look(rota)
    assert [each.data["count"] for each in rota.events("oncall.gap")] == [1, 1]


def _look(rota: Rota) -> None:
    """Do what is due of it, and nothing that would ask the telephone company."""
    from core import due
    from routing.rosters import look_ahead

    with rota.writing() as session:
        claims = due.claim(session, rota.clock.now(), timedelta(seconds=30), 10)
    for claim in claims:
        if claim.kind == look_ahead.LOOK_AHEAD:
            look_ahead.look_ahead(rota.context, claim)


def test_it_tells_what_was_not_told() -> None:
    at = [NOW + day * DAY for day in range(8)]
    assert untold([(at[0], at[1]), (at[4], at[5])], [(at[1], at[2])]) == [(at[4], at[5])]
    assert untold([(at[0], at[3])], [(at[1], at[2])]) == []
    assert untold([(at[0], at[1])], []) == [(at[0], at[1])]


# The other commands


def test_it_says_who_is_on_call_and_who_is_next(rota: Rota) -> None:
    assert rota.does("now").splitlines()[0] == (
        "support: Sam Keller until Mon 2026-03-02 08:00 CST, then Dana Whitfield"
    )
    at = rota.does("now", "--at", "2026-03-08 03:30")
    assert "support: Dana Whitfield until Mon 2026-03-09 08:00 CDT, then Luis Ortega" in at


def test_it_lists_a_week_with_its_gaps_on_a_night_when_clocks_change(rota: Rota) -> None:
    rota.does(
        "override", "support", "--person", "nobody", "--from", "2026-03-08 01:30", "--to", "2026-03-08 03:30"
    )
    assert rota.does("week", "--schedule", "support", "--from", "2026-03-07", "--days", "3").splitlines() == [
        "support (America/Chicago)",
        "  Sat 2026-03-07 00:00 CST  to  Sun 2026-03-08 01:30 CST  Dana Whitfield",
        "  Sun 2026-03-08 01:30 CST  to  Sun 2026-03-08 03:30 CDT  NOBODY on call",
        "  Sun 2026-03-08 03:30 CDT  to  Mon 2026-03-09 08:00 CDT  Dana Whitfield",
        "  Mon 2026-03-09 08:00 CDT  to  Tue 2026-03-10 01:00 CDT  Luis Ortega",
    ]


def test_it_ends_with_1_when_there_are_gaps(rota: Rota) -> None:
    assert rota.nightbell("gaps") == (0, "somebody is on call at all times of the next 90 days\n")
    rota.does("override", "support", "--person", "nobody", "--from", "2026-03-20", "--to", "2026-03-20")
    assert rota.nightbell("gaps") == (
        1, "support: NOBODY from Fri 2026-03-20 00:00 CDT to Sat 2026-03-21 00:00 CDT\n"
    )  # fmt: skip
    assert rota.nightbell("gaps", "--days", "7")[0] == 0


def test_it_says_what_a_change_does(rota: Rota) -> None:
    said = rota.does(
        "override", "support", "--person", "luis", "--to", "2026-03-02 10:00", "--instead-of", "sam"
    )
    assert "Sun 2026-03-01 06:00 CST to Mon 2026-03-02 08:00 CST: Luis Ortega instead of Sam Keller" in said
    swapped = rota.does(
        "swap", "support", "dana", "luis", "--from", "2026-03-03", "--to", "2026-03-03",
        "--other-from", "2026-03-10", "--other-to", "2026-03-10",
    )  # fmt: skip
    assert "Tue 2026-03-03 00:00 CST to Wed 2026-03-04 00:00 CST: Luis Ortega instead of Dana" in swapped
    assert "Tue 2026-03-10 00:00 CDT to Wed 2026-03-11 00:00 CDT: Dana Whitfield instead of Luis" in swapped
    away = rota.does("absence", "sam", "--from", "2026-03-03", "--to", "2026-03-04")
    assert "consultants: Tue 2026-03-03 00:00" not in away
    listed = rota.does("changes")
    for words in (
        "override",
        "swap",
        "absence",
        "Luis Ortega instead of Sam Keller",
        "all schedules: Sam Keller",
    ):
        assert words in listed
    number = listed.split()[0]
    rota.does("withdraw", number)
    assert not rota.does("changes").startswith(f"{number:>5} ")
    assert "withdrawn" in rota.does("changes", "--all")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("override", "support", "--person", "sam", "--from", "2026-03-08 02:30", "--to", "2026-03-09"),
         "2026-03-08 02:30 does not exist in America/Chicago"),
        (("override", "support", "--person", "sam", "--to", "2026-02-30"), "is not a date that exists"),
        (("override", "night", "--person", "sam", "--to", "2026-03-30"), "known: consultants, support"),
        (("absence", "bob", "--to", "2026-03-30"), "known: dana, luis, priya, sam"),
        (("absence", "dana", "--from", "2026-01-01", "--to", "2026-01-03"), "lies in the past"),
        (("absence", "dana", "--from", "2026-04-02", "--to", "2026-04-01 08:00"), "expected a later instant"),
        (("swap", "support", "dana", "dana", "--from", "2026-03-03", "--to", "2026-03-03", "--other-from",
          "2026-03-10", "--other-to", "2026-03-10"), "cannot swap alone"),
        (("feed", "bob"), "no person or schedule is called 'bob'; known: consultants, dana"),
        (("withdraw", "99"), "99 is not in force"),
        (("withdraw", "a"), "is no change"),
        (("week", "--schedule", "night"), "known: consultants, support"),
        (("now", "--at", "2026-03-08 02:30"), "does not exist"),
    ],
)  # fmt: skip
def test_it_names_what_is_wrong_and_changes_nothing(
    rota: Rota, arguments: tuple[str, ...], said: str
) -> None:
    code, output = rota.nightbell(*arguments)
    assert code == 1
    assert said in output
    assert rota.rows() == []


def test_it_takes_an_exact_time_on_the_night_that_has_one_twice(rota: Rota) -> None:
    rota.clock.instant = datetime(2026, 10, 30, tzinfo=UTC)
    rota.does("absence", "dana", "--from", "2026-11-01 01:30", "--to", "2026-11-01T01:30-06:00")
    (row,) = rota.rows()
    assert row.to_at - row.from_at == HOUR


def test_it_reads_the_calendar_of_somebody_in_another_zone(rota: Rota, web: Served) -> None:
    rota.apply(
        SAMPLE.read_text().replace(
            "      - name: primary\n", "      - name: primary\n        zone: Asia/Kolkata\n"
        )
    )
    rota.does("import", "dana", web.calendar("/a", VACATION))
    assert rota.rows()[0].from_at == datetime(2026, 3, 8, 18, 30, tzinfo=UTC)
