"""Each key of a policy, changed by itself: it is told, in words, and a key that is new has to be added here."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from ruamel.yaml import YAML

from routing.policy import Policy
from routing.policy_changes import changes

GONE = object()
_NIGHTS = {
    "name": "nights",
    "rotation": "daily",
    "handover": "08:00",
    "start": "2026-01-12",
    "members": ["sam"],
}
_METHODS = {
    "mobile": {"voice": "+17135550111", "verified": True},
    "chat": {"apprise": "ntfy://hush-hush"},
    "hook": {"webhook": "https://hooks.example/hush-hush", "secret": "hush-hush"},
}
# What the sample does not have.
ADDED: dict[str, Any] = {
    "people.luis.methods": _METHODS,
    "people.luis.rules": [{"use": "mobile"}, {"use": "chat", "after_s": 60}],
    "webhooks": {
        "crm": {"url": "https://crm.example/hush-hush", "secret": "hush-hush", "events": ["case.opened"]}
    },
    "drills": {"support": {}},
    "calendars.spare": {"zone": "UTC", "hours": "24x7"},
    "calendars.business.holidays.add": [{"date": "2026-12-24", "name": "Eve", "hours": ["08:00-12:00"]}],
    "schedules.support.overrides": [{"from": "2026-03-02 08:00", "to": "2026-03-03 08:00", "person": "sam"}],
    "schedules.support.absences": [{"person": "dana", "from": "2026-04-06", "to": "2026-04-10"}],
    "schedules.support.swaps": [
        {"dana": {"from": "2026-05-01", "to": "2026-05-02"}, "luis": {"from": "2026-05-08", "to": "2026-05-09"}}
    ],
}  # fmt: skip
CHANGED: list[tuple[str, Any]] = [
    ("company", "X"),
    ("calendars.business.zone", "America/New_York"),
    ("calendars.business.hours.sat", ["09:00-12:00"]),
    ("calendars.business.holidays.country", "CA"),
    ("calendars.business.holidays.subdivision", "TX"),
    ("calendars.business.holidays.categories", ["public", "unofficial"]),
    ("calendars.business.holidays.observed", False),
    ("calendars.business.holidays.add.0.hours", ["08:00-13:00"]),
    ("calendars.business.holidays.add.0.date", "2026-12-23"),
    ("calendars.business.holidays.add.0.name", "Yule"),
    ("calendars.business.holidays.add.1", {"date": "12-31"}),
    ("calendars.business.holidays.remove", ["Columbus Day"]),
    ("calendars.new", {"zone": "UTC", "hours": {"mon": ["08:00-12:00"]}}),
    ("services.support.name", "Help"),
    ("services.support.calendar", "spare"),
    ("services.support.ordinary_priority", 4),
    ("services.support.escalation", "managed-services"),
    ("services.support.escalation_by_priority", {1: "managed-services"}),
    ("services.support.kind", "support"),
    ("services.support.consent", {"accepted_priority": 1, "refused_priority": 4}),
    ("services.managed-services.consent.accepted_priority", 4),
    ("services.managed-services.consent.refused_priority", 1),
    ("services.extra", {"name": "Extra", "calendar": "business"}),
    ("tiers.elite.name", "Gold"),
    ("tiers.elite.targets.1.respond", "2 hours"),
    ("tiers.elite.targets.2.cover", "business hours"),
    ("tiers.elite.targets.3", GONE),
    ("tiers.gold", {"name": "Gold", "service": "support", "targets": {1: {"respond": "1 hour", "cover": "24x7"}}}),
    ("lines.support.name", "help"),
    ("lines.support.number", "+18005550100"),
    ("lines.support.service", "managed-operations"),
    ("lines.support.language", "es-MX"),
    ("lines.support.voice", "Polly.Mia"),
    ("lines.support.team", ["+17135550103"]),
    ("lines.support.ring_s", 25),
    ("lines.support.unknown_callers", "page"),
    ("lines.support.unchosen_priority", 2),
    ("lines.support.min_voicemail_s", 3),
    ("lines.support.max_voicemail_s", 100),
    ("lines.support.transcribe", True),
    ("lines.support.caller_receipts", "off"),
    ("lines.support.prompts", {"goodbye": "Bye."}),
    ("lines.support.prompts", {"goodbye": {"audio": "https://files.example/bye.wav"}}),
    ("mailboxes.managed-services.name", "Consultants"),
    ("mailboxes.managed-services.address", "other@desk.example"),
    ("mailboxes.managed-services.aliases", ["other@desk.example"]),
    ("mailboxes.managed-services.service", "support"),
    ("mailboxes.managed-services.address_tags", False),
    ("mailboxes.managed-services.catch_all", True),
    ("mailboxes.managed-services.language", "es-MX"),
    ("mailboxes.managed-services.receipts", "off"),
    ("mailboxes.managed-services.urgent.subject", ["P1"]),
    ("mailboxes.managed-services.urgent.keywords", ["BURNING"]),
    ("mailboxes.managed-services.urgent.unproven", "refuse"),
    ("mailboxes.managed-services.unknown_senders", "hold"),
    ("mailboxes.managed-services.consent_words", ["AGREED"]),
    ("mailboxes.managed-services.private_marker", "PRIVATE:"),
    ("mailboxes.managed-services.join_h", 2),
    ("mailboxes.managed-services.reopens_per_day", 1),
    ("mailboxes.managed-services.prompts", {"mail_accepted": "{engineer} has it."}),
    ("people.dana.name", "Dana W."),
    ("people.dana.phone", "+17135550155"),
    ("people.dana.verified", False),
    ("people.dana.email", "dana@other.example"),
    ("people.dana.quiet", ["text"]),
    ("people.dana.methods", {"mobile": {"voice": "+17135550112"}}),
    ("people.luis.methods.mobile", {"voice": "+17135550112", "verified": True}),
    ("people.luis.methods.mobile", {"sms": "+17135550111", "verified": True}),
    ("people.luis.methods.mobile.verified", False),
    ("people.luis.methods.chat.apprise", "ntfy://hush-hush-2"),
    ("people.luis.methods.hook.secret", "hush-hush-2"),
    ("people.luis.methods.hook.webhook", "https://hooks.example/hush-hush-2"),
    ("people.luis.methods.hook", GONE),
    ("people.luis.rules.0.use", "chat"),
    ("people.luis.rules.0.after_s", 30),
    ("people.luis.rules.0.times", 3),
    ("people.luis.rules", [{"use": "mobile", "times": 2, "again_after_s": 60}]),
    ("people.eve", {"name": "Eve", "phone": "+17135550166"}),
    ("schedules.support.zone", "UTC"),
    ("schedules.support.layers.0.name", "first"),
    ("schedules.support.layers.0.rotation", "every 2 weeks"),
    ("schedules.support.layers.0.handover", "tue 09:00"),
    ("schedules.support.layers.0.start", "2026-01-12"),
    ("schedules.support.layers.0.members", ["dana", "sam"]),
    ("schedules.support.layers.0.hours", {"sat-sun": "00:00-24:00"}),
    ("schedules.support.layers.0.zone", "UTC"),
    ("schedules.support.layers.1", _NIGHTS),
    ("schedules.support.overrides.0.person", None),
    ("schedules.support.overrides.0.instead_of", "dana"),
    ("schedules.support.overrides.0.from", "2026-03-01 08:00"),
    ("schedules.support.overrides.0.to", "2026-03-04 08:00"),
    ("schedules.support.overrides", GONE),
    ("schedules.support.absences.0.person", "luis"),
    ("schedules.support.absences.0.to", "2026-04-12"),
    ("schedules.support.swaps.0.dana.to", "2026-05-03"),
    ("schedules.nights", {"zone": "UTC", "layers": [_NIGHTS]}),
    ("escalations.support.schedule", "consultants"),
    ("escalations.support.ring_s", 20),
    ("escalations.support.repeat_s", 60),
    ("escalations.support.bundle_s", 0),
    ("escalations.support.remind_at", [0.5]),
    ("escalations.support.steps.0.wait_s", 30),
    ("escalations.support.steps.0.ring", "sam"),
    ("escalations.support.steps.0.of", "consultants"),
    ("escalations.support.steps.0.everyone_must", True),
    ("escalations.support.steps.1.at", 0.25),
    ("escalations.new", {"schedule": "support", "steps": [{"ring": "everyone"}]}),
    ("customers.lakeside.name", "Lakeside"),
    ("customers.lakeside.support_id", "9999"),
    ("customers.lakeside.calendar", "spare"),
    ("customers.lakeside.domains", ["other.example"]),
    ("customers.lakeside.contracts.support.tier", "select"),
    ("customers.lakeside.contracts.support.starts", "2026-01-01"),
    ("customers.lakeside.contracts.support.ends", "2026-12-31"),
    ("customers.lakeside.contracts.support.calendar", "spare"),
    ("customers.lakeside.contracts.managed-services.monthly_hours", 22.5),
    ("customers.lakeside.contracts.managed-services.consent", "never"),
    ("customers.lakeside.contracts.managed-services", GONE),
    ("customers.prairie.contracts.managed-services", {"tier": "managed-services", "consent": "never"}),
    ("customers.greatbasin.contracts.managed-operations.checks.meter-import.name", "Readings"),
    ("customers.greatbasin.contracts.managed-operations.checks.meter-import.direction", "Do nothing."),
    ("customers.greatbasin.contracts.managed-operations.checks.meter-import.priority", 2),
    ("customers.greatbasin.contracts.managed-operations.checks.x", {"name": "X", "direction": "Do.", "priority": 1}),
    ("customers.bluebonnet.contracts.support.cloud_systems.production.name", "Production"),
    ("customers.bluebonnet.contracts.support.cloud_systems.production.annual_fee", "48000.01"),
    ("customers.bluebonnet.contracts.support.cloud_systems.production.currency", "EUR"),
    ("customers.lakeside.contacts.0.name", "Maria A."),
    ("customers.lakeside.contacts.0.phone", "+15125550143"),
    ("customers.lakeside.contacts.0.email", "m@lakeside.example"),
    ("customers.lakeside.contacts.0.may_request_priority_1", False),
    ("customers.lakeside.contacts.1", {"name": "Zed", "email": "z@lakeside.example"}),
    ("customers.acme", {"name": "Acme", "support_id": "9998", "contracts": {"support": {"tier": "elite"}}}),
    ("limits.calls_per_15_min", 8),
    ("limits.texts_per_15_min", 8),
    ("limits.automatic_mails", 8),
    ("limits.automatic_mails_alike", 8),
    ("limits.automatic_mails_min", 8),
    ("webhooks.crm.url", "https://crm.example/hush-hush-2"),
    ("webhooks.crm.url", "https://other.example/hush-hush"),
    ("webhooks.crm.secret", "hush-hush-2"),
    ("webhooks.crm.events", ["case.*"]),
    ("webhooks.crm", GONE),
    ("webhooks.new", {"url": "https://new.example/hush-hush", "secret": "hush-hush", "events": ["page.*"]}),
    ("drills.support.before_min", 45),
    ("drills.support.hours", "09:00-20:00"),
    ("drills.support.wait_min", 5),
    ("drills.support", GONE),
    ("drills.consultants", {}),
    ("prompts.goodbye", "Bye."),
    ("prompts.goodbye", {"audio": "https://files.example/bye.wav"}),
]  # fmt: skip


def changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of ``document`` with another value at ``path``, or without one."""
    document = copy.deepcopy(document)
    *parents, last = (int(part) if part.isdigit() else part for part in path.split("."))
    place: Any = document
    for part in parents:
        place = place.setdefault(part, {}) if isinstance(place, dict) else place[part]
    if value is GONE:
        del place[last]
    elif isinstance(place, list) and last == len(place):
        place.append(value)
    else:
        place[last] = value
    return document


@pytest.fixture(scope="module")
def full(sample: str) -> dict[str, Any]:
    """The sample, with all that it does not use."""
    document: dict[str, Any] = YAML(typ="safe").load(sample)
    for path, value in ADDED.items():
        document = changed(document, path, value)
    return document


@pytest.mark.parametrize(
    ("path", "value"), CHANGED, ids=lambda value: value if isinstance(value, str) else ""
)
def test_it_is_told_in_words(full: dict[str, Any], path: str, value: Any) -> None:
    before, after = (Policy.model_validate(d) for d in (full, changed(full, path, value)))
    said = changes(before, after)
    assert said, "nothing is said of it"
    for sentence in said:
        assert "hush" not in sentence, "a secret is shown"
        assert not any(raw in sentence for raw in ("{'", "['", "[{", "=", "object at")), "it is raw data"
        old, arrow, new = sentence.partition(" -> ")
        assert not arrow or old.rpartition(": ")[2] != new, "it shows no difference"


def fields_of(annotation: Any) -> Iterator[str]:
    """The names of all fields that a model, and the models within it, can have."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            yield name
            yield from fields_of(field.annotation)
    for inner in get_args(annotation):
        yield from fields_of(inner)


def test_no_key_is_missing_here() -> None:
    tried = {part for path, _ in CHANGED for part in path.split(".")}
    tried |= {key for _, value in CHANGED if isinstance(value, dict) for key in value}
    written_otherwise = {"channel", "address", "text", "audio", "again_after_s"}
    assert set(fields_of(Policy)) - tried - written_otherwise == set()
