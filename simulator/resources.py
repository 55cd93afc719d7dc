"""Twilio's API resources as JSON: every field of the published OpenAPI (twilio_api_v2010), in its type."""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime
from typing import Any

from simulator.calls import Call
from simulator.company import PhoneCompany
from simulator.messages import Message
from simulator.own_numbers import OwnNumber
from simulator.recordings import Recording

API = "/2010-04-01"
Json = dict[str, Any]
_CALL_PARTS = {
    "events": "Events",
    "notifications": "Notifications",
    "payments": "Payments",
    "recordings": "Recordings",
    "siprec": "Siprec",
    "streams": "Streams",
    "transcriptions": "Transcriptions",
    "user_defined_message_subscriptions": "UserDefinedMessageSubscriptions",
    "user_defined_messages": "UserDefinedMessages",
}
_ACCOUNT_PARTS = ("Calls", "IncomingPhoneNumbers", "Messages", "Recordings")
_MESSAGE_ERRORS = {30003: "Unreachable destination handset", 30008: "Unknown error"}


def _date(when: datetime | None) -> str | None:
    return None if when is None else format_datetime(when.replace(microsecond=0))


def _shown(number: str) -> str:
    """A number of North America as (512) 555-0142, any other as it is."""
    if len(number) == 12 and number.startswith("+1"):
        return f"({number[2:5]}) {number[5:8]}-{number[8:]}"
    return number


def account(company: PhoneCompany) -> Json:
    base = f"{API}/Accounts/{company.account_sid}"
    return {
        "auth_token": company.auth_token,
        "date_created": _date(company.created_at),
        "date_updated": _date(company.created_at),
        "friendly_name": "Simulated account",
        "owner_account_sid": company.account_sid,
        "sid": company.account_sid,
        "status": "active",
        "subresource_uris": {_snake(part): f"{base}/{part}.json" for part in _ACCOUNT_PARTS},
        "type": "Full",
        "uri": f"{base}.json",
    }


def _snake(name: str) -> str:
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in name).lstrip("_")


def call(item: Call) -> Json:
    base = f"{API}/Accounts/{item.company.account_sid}/Calls/{item.sid}"
    return {
        "sid": item.sid,
        "date_created": _date(item.created_at),
        "date_updated": _date(item.updated_at),
        "parent_call_sid": item.parent.sid if item.parent else None,
        "account_sid": item.company.account_sid,
        "to": item.to,
        "to_formatted": _shown(item.to),
        "from": item.from_,
        "from_formatted": _shown(item.from_),
        "phone_number_sid": item.own.sid if item.own else None,
        "status": item.status,
        "start_time": _date(item.started_at),
        "end_time": _date(item.ended_at),
        "duration": str(item.duration or 0) if item.ended else None,
        "price": None,
        "price_unit": "USD",
        "direction": item.direction,
        "answered_by": item.answered_by,
        "api_version": "2010-04-01",
        "forwarded_from": item.extra.get("ForwardedFrom"),
        "group_sid": None,
        "caller_name": None,
        "queue_time": str(item.queue_ms),
        "trunk_sid": None,
        "uri": f"{base}.json",
        "subresource_uris": {name: f"{base}/{part}.json" for name, part in _CALL_PARTS.items()},
    }


def message(item: Message, company: PhoneCompany) -> Json:
    base = f"{API}/Accounts/{company.account_sid}/Messages/{item.sid}"
    return {
        "body": item.body,
        "num_segments": str(item.segments),
        "direction": item.direction,
        "from": item.from_,
        "to": item.to,
        "date_updated": _date(item.updated_at or item.created_at),
        "price": None,
        "error_message": _MESSAGE_ERRORS.get(item.error_code) if item.error_code else None,
        "uri": f"{base}.json",
        "account_sid": company.account_sid,
        "num_media": str(len(item.media)),
        "status": item.status,
        "messaging_service_sid": None,
        "sid": item.sid,
        "date_sent": _date(item.sent_at),
        "date_created": _date(item.created_at),
        "error_code": item.error_code,
        "price_unit": "USD",
        "api_version": "2010-04-01",
        "subresource_uris": {"media": f"{base}/Media.json", "feedback": f"{base}/Feedback.json"},
    }


def recording(item: Recording) -> Json:
    company = item.call.company
    base = f"{API}/Accounts/{company.account_sid}/Recordings/{item.sid}"
    over = item.status not in {"in-progress", "processing"}
    return {
        "account_sid": company.account_sid,
        "api_version": "2010-04-01",
        "call_sid": item.call.sid,
        "conference_sid": None,
        "date_created": _date(item.created_at),
        "date_updated": _date(max(item.created_at, item.media_at)),
        "start_time": _date(item.started_at),
        "duration": ("0" if item.error_code else str(item.seconds)) if over else None,
        "sid": item.sid,
        "price": None,
        "price_unit": "USD",
        "status": item.status,
        "channels": 1,
        "source": item.source,
        "error_code": item.error_code,
        "uri": f"{base}.json",
        "encryption_details": None,
        "subresource_uris": {
            "add_on_results": f"{base}/AddOnResults.json",
            "transcriptions": f"{base}/Transcriptions.json",
        },
        "media_url": item.url(),
    }


def number(item: OwnNumber, company: PhoneCompany) -> Json:
    return {
        "account_sid": company.account_sid,
        "address_sid": None,
        "address_requirements": "none",
        "api_version": "2010-04-01",
        "beta": False,
        "capabilities": {"voice": True, "sms": True, "mms": True, "fax": False},
        "date_created": _date(item.created_at),
        "date_updated": _date(item.created_at),
        "friendly_name": item.friendly_name,
        "identity_sid": None,
        "phone_number": item.number,
        "origin": "twilio",
        "sid": item.sid,
        "sms_application_sid": None,
        "sms_fallback_method": item.sms_fallback_method,
        "sms_fallback_url": item.sms_fallback_url or None,
        "sms_method": item.sms_method,
        "sms_url": item.sms_url or None,
        "status_callback": item.status_callback or None,
        "status_callback_method": item.status_callback_method,
        "trunk_sid": None,
        "uri": f"{API}/Accounts/{company.account_sid}/IncomingPhoneNumbers/{item.sid}.json",
        "voice_receive_mode": "voice",
        "voice_application_sid": None,
        "voice_caller_id_lookup": item.voice_caller_id_lookup,
        "voice_fallback_method": item.voice_fallback_method,
        "voice_fallback_url": item.voice_fallback_url or None,
        "voice_method": item.voice_method,
        "voice_url": item.voice_url or None,
        "emergency_status": "Inactive",
        "emergency_address_sid": None,
        "emergency_address_status": "unregistered",
        "bundle_sid": None,
        "status": "in-use",
    }
