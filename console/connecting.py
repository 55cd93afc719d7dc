"""Pointing the account's numbers at this service."""

from __future__ import annotations

from collections.abc import Iterator

from core.telephony import RETRY_RULE
from routing.context import Context


def point_numbers(context: Context, fallback_url: str) -> Iterator[str]:
    """Point the number of each line here; a sentence about each. Raises TelephonyError, NoPolicy."""
    owned = context.telephony.numbers()
    for key, line in context.policies.current().policy.lines.items():
        sid = owned.get(line.number)
        if sid is None:
            yield f"{key}: the account does not own {line.number}; buy or port it, or change the policy"
            continue
        context.telephony.point_number(
            sid,
            voice_url=context.address(f"/twilio/voice{RETRY_RULE}"),
            fallback_url=fallback_url,
            status_callback=context.address(f"/twilio/voice/status{RETRY_RULE}"),
            sms_url=context.address(f"/twilio/sms{RETRY_RULE}"),
        )
        fallback = (
            f"with {fallback_url} to fall back on" if fallback_url else "its fallback URL is left as it was"
        )
        yield f"{key}: {line.number} now comes to {context.settings.public_url}; {fallback}"
