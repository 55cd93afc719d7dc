"""``nightbell explain``: what would happen to a call, by the rules that would decide it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Nightbell = Callable[..., Result]
MARIA, TOM, OMAR, LENA = "+15125550142", "+13125550177", "+12145550163", "+17755550190"
CHRISTMAS = "2026-12-25T03:12"


@pytest.fixture
def bell(nightbell: Nightbell, tmp_path: Path, sample: str) -> Nightbell:
    """The shipped policy is in force."""
    file = tmp_path / "policy.yaml"
    file.write_text(sample)
    assert nightbell("policy", "apply", str(file)).exit_code == 0
    return nightbell


def told(bell: Nightbell, *words: str) -> dict[str, Any]:
    result = bell("explain", "--json", *words)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def codes(said: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in said["reasons"]]


def test_it_tells_the_night_of_christmas(bell: Nightbell) -> None:
    said = told(bell, "--from", MARIA, "--line", "support", "--at", CHRISTMAS, "--priority", "1")
    assert (said["outcome"], said["priority"], said["target"]) == ("page", 1, "1 hour")
    assert said["at"] == "2026-12-25T09:12:00+00:00"
    assert said["due_at"] == "2026-12-25T10:12:00+00:00"
    assert codes(said) == [
        "holiday", "known-by-number", "priority-chosen", "voicemail-left", "tier-covers", "target",
    ]  # fmt: skip
    assert all(reason["sentence"].endswith(".") for reason in said["reasons"])
    assert said["facts"]["customer"] == "Lakeside Credit Union"
    assert [(step["local"][11:19], step["people"][0]["key"]) for step in said["steps"]] == [
        ("03:12:00", "priya"), ("03:13:30", "sam"), ("03:15:00", "priya"),
    ]  # fmt: skip
    assert len(said["steps"][-1]["people"]) == 4
    assert said["repeat_s"] == 120
    assert said["policy_version"] == 1


def test_it_says_it_in_words_too(bell: Nightbell) -> None:
    said = bell(
        "explain", "--from", "(512) 555-0142", "--line", "+18773632305", "--at", CHRISTMAS, "--priority", "2"
    )
    assert said.exit_code == 0
    for words in (
        "Line:      support, (877) 363-2305 (Customer Support)",
        "Call:      Fri 25 Dec 2026, 03:12 CST",
        "Lakeside Credit Union, (512) 555-0142, known by number",
        "Agreement: Elite",
        "Decision:  page: the on-call engineer is rung until somebody accepts",
        "a response within 2 hours, by Fri 25 Dec 2026, 05:12 CST",
        "holiday: The contact came outside of business hours, on a holiday: Christmas Day.",
        "Fri 03:13:30 CST  step 2: Sam Keller (713) 555-0104; waits 90 s",
        "every 120 s, until somebody accepts",
    ):
        assert words in said.output


@pytest.mark.parametrize(
    ("words", "outcome", "code"),
    [
        (("--from", TOM, "--at", CHRISTMAS, "--priority", "1"), "wait", "tier-does-not-cover"),
        (("--from", MARIA, "--at", CHRISTMAS, "--priority", "3"), "wait", "tier-does-not-cover"),
        (("--from", MARIA, "--at", CHRISTMAS), "page", "priority-assumed"),
        (("--from", MARIA, "--at", CHRISTMAS, "--no-voicemail"), "near-miss", "no-voicemail"),
        (("--from", MARIA, "--at", "2026-12-22T10:00"), "notify", "team-busy"),
        (("--at", CHRISTMAS), "notify", "unknown-caller-notify"),
        (("--from", "anonymous", "--at", CHRISTMAS), "notify", "caller-unknown"),
        (("--from", "withheld", "--at", CHRISTMAS, "--support-id", "4471"), "page", "known-by-support-id"),
        (("--from", "+4930123456", "--at", CHRISTMAS), "notify", "caller-unknown"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_it_decides_as_the_telephone_would(
    bell: Nightbell, words: tuple[str, ...], outcome: str, code: str
) -> None:
    said = told(bell, "--line", "support", *words)
    assert said["outcome"] == outcome
    assert code in codes(said)
    assert bool(said["steps"]) == (outcome == "page")
    assert (said["due_at"] is None) == (outcome == "near-miss" or said["facts"].get("tier") is None)


@pytest.mark.parametrize(
    ("words", "outcome", "priority", "note"),
    [
        (("--from", MARIA, "--consent", "accepted"), "page", 1, ""),
        (("--from", MARIA, "--consent", "refused"), "wait", 4, ""),
        (("--from", MARIA), "wait", 4, "counts as refusing"),
        (("--from", OMAR), "page", 1, ""),
        (("--from", OMAR, "--consent", "refused"), "page", 1, "The contract settles the charges"),
        (("--from", LENA, "--consent", "accepted"), "wait", 4, "The contract settles the charges"),
        (("--from", TOM, "--consent", "accepted"), "notify", 4, "Nobody would be asked to accept charges"),
        (("--from", MARIA, "--priority", "1"), "wait", 4, "and not for a priority"),
    ],
)
def test_it_asks_for_consent_as_the_contract_says(
    bell: Nightbell, words: tuple[str, ...], outcome: str, priority: int, note: str
) -> None:
    said = told(bell, "--line", "managed-services", "--at", CHRISTMAS, *words)
    assert (said["outcome"], said["priority"]) == (outcome, priority)
    assert note in " ".join(said["notes"])


def test_it_rings_the_team_first_in_business_hours(bell: Nightbell) -> None:
    said = told(bell, "--from", MARIA, "--line", "support", "--at", "2026-12-22T10:00", "--priority", "1")
    assert said["team"] == ["+17135550103", "+17135550104"]
    assert [person["key"] for person in said["texted"]] == ["priya"]
    assert "not asked for a priority" in said["notes"][0]
    text = bell("explain", "--from", MARIA, "--line", "support", "--at", "2026-12-22T10:00").output
    assert "the team is rung for 20 s each: Priya Natarajan, then Sam Keller" in text
    assert "Texted: Priya Natarajan" in text


def test_it_tells_who_has_the_duty_when_the_step_comes(bell: Nightbell) -> None:
    """The handover of Monday 08:00 lies between the first and the second step."""
    said = told(bell, "--from", MARIA, "--line", "support", "--at", "2026-11-30T07:59", "--priority", "1")
    assert [step["people"][0]["key"] for step in said["steps"]] == ["priya", "dana", "sam"]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (
            ("--line", "suport"),
            "no line is called 'suport'; did you mean 'support'?; known: support (+18773632305)",
        ),
        (("--line", "+12125550100"), "no line is called '+12125550100'"),
        (("--line", "support", "--from", "nobody"), "'nobody' is not a telephone number"),
        (("--line", "support", "--from", "+1555"), "'+1555' is not a telephone number"),
        (("--line", "support", "--at", "2026-03-08T02:30"), "jump over it, to Sun 08 Mar 2026, 03:00 CDT"),
        (
            ("--line", "support", "--at", "2026-11-01T01:30"),
            "happens twice in America/Chicago; say which: 2026-11-01T01:30:00-05:00 or 2026-11-01T01:30:00-06:00",
        ),
        (("--line", "support", "--at", "2026-02-30T01:30"), "is no time that exists"),
        (("--line", "support", "--at", "soon"), "is no time that exists"),
        (("--line", "support", "--at", "0001-01-01T00:00"), "outside of the years"),
        (("--line", "support", "--priority", "5"), "--priority"),
        ((), "--line"),
    ],
)
def test_it_says_what_it_does_not_understand(bell: Nightbell, words: tuple[str, ...], error: str) -> None:
    result = bell("explain", *words)
    assert result.exit_code == 2
    assert error in result.output


@pytest.mark.parametrize(
    ("at", "instant"),
    [
        ("2026-11-01T01:30-05:00", "2026-11-01T06:30:00+00:00"),
        ("2026-11-01T01:30-06:00", "2026-11-01T07:30:00+00:00"),
        ("2026-03-08T03:00", "2026-03-08T08:00:00+00:00"),
        ("2026-12-25 03:12", "2026-12-25T09:12:00+00:00"),
        ("2026-12-25T09:12Z", "2026-12-25T09:12:00+00:00"),
    ],
)
def test_it_reads_times_in_the_line_s_zone_or_with_their_offset(
    bell: Nightbell, at: str, instant: str
) -> None:
    assert told(bell, "--line", "support", "--at", at)["at"] == instant


def test_it_says_that_a_support_id_is_unknown_and_goes_on(bell: Nightbell) -> None:
    result = bell("explain", "--line", "support", "--at", CHRISTMAS, "--support-id", "9999")
    assert result.exit_code == 0
    assert "no customer has the support ID '9999': the caller stays unknown" in result.output
    assert "unknown-caller-notify" in result.output
