"""The numbers of our own account, and what a telephone number may look like."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

_E164 = re.compile(r"\+[1-9]\d{6,14}")


def is_number(text: str) -> bool:
    """Whether ``text`` is a number in E.164."""
    return _E164.fullmatch(text) is not None


def is_dialable(text: str) -> bool:
    """Whether a call can be placed to ``text``: a number, a SIP address or a client."""
    return is_number(text) or text.startswith(("sip:", "client:"))


@dataclass(eq=False)
class OwnNumber:
    """A number that the account owns, and its webhooks. Method names are GET or POST."""

    sid: str
    number: str
    created_at: datetime
    friendly_name: str = ""
    voice_url: str = ""
    voice_method: str = "POST"
    voice_fallback_url: str = ""
    voice_fallback_method: str = "POST"
    status_callback: str = ""
    status_callback_method: str = "POST"
    sms_url: str = ""
    sms_method: str = "POST"
    sms_fallback_url: str = ""
    sms_fallback_method: str = "POST"
    voice_caller_id_lookup: bool = False


# The attributes of OwnNumber that Twilio's API may change, by the names of its form fields.
SETTABLE = {
    "FriendlyName": "friendly_name",
    "VoiceUrl": "voice_url",
    "VoiceMethod": "voice_method",
    "VoiceFallbackUrl": "voice_fallback_url",
    "VoiceFallbackMethod": "voice_fallback_method",
    "StatusCallback": "status_callback",
    "StatusCallbackMethod": "status_callback_method",
    "SmsUrl": "sms_url",
    "SmsMethod": "sms_method",
    "SmsFallbackUrl": "sms_fallback_url",
    "SmsFallbackMethod": "sms_fallback_method",
}
