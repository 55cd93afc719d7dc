"""What the phones page shows, as JSON. Every function here runs on the engine's thread."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

from simulator import behaviours
from simulator.calls import Call
from simulator.company import PhoneCompany
from simulator.parts import Heard, Waiting
from simulator.phones import Phone
from simulator.scene import Scene

Json = dict[str, Any]
SHOWN_CALLS, SHOWN_WEBHOOKS, SHOWN_ALERTS = 100, 200, 100


def of(company: PhoneCompany, scene: Scene) -> Json:
    """Everything: now, the zone to show it in, numbers, callers, phones, calls, alerts, the webhook log.

    Lists that grow are newest first.
    """
    return {
        "now": company.now().isoformat(),
        "zone": scene.zone,
        "last_event": company.events.last,
        "numbers": [
            {
                "number": own.number,
                "name": own.friendly_name,
                "voice_url": own.voice_url,
                "sms_url": own.sms_url,
            }
            for own in company.numbers.values()
        ],
        "callers": scene.callers,
        "phones": [phone(item) for item in company.phones.values()],
        "calls": [call(item) for item in _newest_calls(company)],
        "alerts": [
            {
                "time": alert.time.isoformat(),
                "code": alert.code,
                "message": alert.message,
                "url": alert.url,
                "call_sid": alert.call_sid,
            }
            for alert in _last(company.alerts, SHOWN_ALERTS)
        ],
        "webhooks": [
            {
                "time": entry.time.isoformat(),
                "kind": entry.kind,
                "method": entry.method,
                "url": entry.url,
                "status": entry.status,
                "ms": entry.ms,
                "error": entry.error,
            }
            for entry in _last(company.webhook_log, SHOWN_WEBHOOKS)
        ],
    }


def _last(items: Iterable[Any], count: int) -> list[Any]:
    """The last ``count`` items, newest first."""
    return list(itertools.islice(reversed(list(items)), count))


def _newest_calls(company: PhoneCompany) -> list[Call]:
    newest = _last(company.calls.values(), SHOWN_CALLS)
    older = list(company.calls.values())[: -len(newest)] if newest else []
    return newest + [item for item in older if not item.ended]


def phone(item: Phone) -> Json:
    return {
        "number": item.number,
        "name": item.name,
        "behaviour": behaviours.show(item),
        "ringing": item.ringing.sid if item.ringing else None,
        "active": item.active.sid if item.active else None,
        "sms": [
            {
                "time": text.time.isoformat(),
                "direction": text.direction,
                "other": text.other,
                "body": text.body,
            }
            for text in item.sms
        ],
    }


def call(item: Call) -> Json:
    until = item.speaking_until
    return {
        "sid": item.sid,
        "from": item.from_,
        "to": item.to,
        "phone": item.phone.number,
        "direction": item.direction,
        "status": item.status,
        "parent": item.parent.sid if item.parent else None,
        "connected_to": item.peer.sid if item.peer else None,
        "started": item.created_at.isoformat(),
        "ended": item.ended_at.isoformat() if item.ended_at else None,
        "speaking_until": until.isoformat() if until else None,
        "waiting": waiting(item.waiting) if item.waiting else None,
        "heard": [_heard(heard) for heard in item.heard],
        "did": [_heard(done) for done in item.did],
    }


def _heard(item: Heard) -> Json:
    return {
        "time": item.time.isoformat(),
        "kind": item.kind,
        "text": item.text,
        "seconds": round(item.seconds, 1),
    }


def waiting(item: Waiting) -> Json:
    common = {"kind": item.kind, "timeout": item.timeout, "finishOnKey": item.finish_on_key}
    if item.kind == "gather":
        return {**common, "numDigits": item.num_digits, "prompting": item.prompting}
    return {**common, "maxLength": item.max_length}
