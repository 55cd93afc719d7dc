"""Reports about a policy as lines of text: its mistakes, its findings, and a week before and after a change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from routing.policies import PolicyError, parse_policy
from routing.policy import Policy
from routing.policy_contacts import Contact
from routing.policy_document import read_document
from routing.policy_findings import findings
from routing.policy_week import Stretch
from routing.wording import priorities_in_words

_Week = Sequence[tuple[Contact, list[Stretch]]]


def mistake_lines(file: str, error: PolicyError) -> Iterator[str]:
    """``file: line 12, lines.support.ring_s: ...``, and how many there are."""
    for mistake in error.mistakes:
        yield f"{file}: {mistake}"
    number = len(error.mistakes)
    yield f"{file}: {number} mistake{'' if number == 1 else 's'}; nothing was changed"


def findings_of(text: str, at: datetime) -> list[str]:
    """What is legal but foolish in a document, each with line and key."""
    policy, document = parse_policy(text), read_document(text)
    return [document.said(finding.place, finding.message) for finding in findings(policy, at)]


def week_lines(before: Policy, after: Policy, found: _Week, start: datetime, end: datetime) -> Iterator[str]:
    """Who would be rung first, before and after, where that differs; times of the service's calendar."""
    zone = next(iter(after.calendars.values())).zone
    period = f"from {_clock(start, zone)} to {_clock(end, zone)}"
    if not found:
        yield f"Who is rung first: the same people at every minute {period}."
        return
    yield f"Who is rung first, {period}, where it differs:"
    for title, stretches in _grouped(before, after, found):
        yield f"  {title}"
        for stretch in stretches:
            yield f"    {stretch}"


def _grouped(before: Policy, after: Policy, found: _Week) -> Iterator[tuple[str, list[str]]]:
    """Contacts with the same stretches together: priorities of one kind of caller, then kinds of callers."""
    kinds: dict[tuple[str, str, tuple[Stretch, ...]], list[Contact]] = {}
    for contact, stretches in found:
        way = _way(before, after, contact)
        kinds.setdefault((way, contact.who, tuple(stretches)), []).append(contact)
    callers: dict[tuple[str, str, tuple[Stretch, ...]], list[str]] = {}
    zones: dict[str, ZoneInfo] = {}
    for (way, who, same), alike in kinds.items():
        callers.setdefault((way, _asked(alike), same), []).append(who)
        zones[way] = _zone(before, after, alike[0])
    for (way, asked, same), whose in callers.items():
        said = [f"{_span(s, zones[way])}: {s.before} -> {s.after}" for s in same]
        yield f"{way}, {asked}: {'; '.join(whose)}", said


def _way(before: Policy, after: Policy, contact: Contact) -> str:
    if contact.line is not None:
        line = after.lines.get(contact.line) or before.lines[contact.line]
        return f"Line {line.name}"
    service = after.services.get(contact.service) or before.services[contact.service]
    return f"{service.name} (no line)"


def _zone(before: Policy, after: Policy, contact: Contact) -> ZoneInfo:
    policy = after if contact.service in after.services else before
    return policy.calendar_of(contact.service).zone


def _asked(contacts: Sequence[Contact]) -> str:
    priorities = [contact.priority for contact in contacts if contact.priority is not None]
    charges = {contact.accepted for contact in contacts} - {None}
    said = [priorities_in_words(priorities)] if priorities else []
    if charges == {True, False}:
        said.append("charges accepted or not")
    elif charges:
        said.append("charges accepted" if True in charges else "charges not accepted")
    return ", ".join(said)


def _span(stretch: Stretch, zone: ZoneInfo) -> str:
    return f"{_clock(stretch.start, zone)} - {_clock(stretch.end, zone)}"


def _clock(instant: datetime, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone):%a %d %b %Y %H:%M %Z}"
