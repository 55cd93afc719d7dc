"""The ways to reach a person. A new one is a module here, a line in ``CHANNELS`` and a test."""

from __future__ import annotations

from routing.paging.channels import chat, letter, sms, voice, webhook
from routing.paging.channels.base import Channel, Outgoing

__all__ = ["CHANNELS", "Channel", "Outgoing"]

CHANNELS: dict[str, Channel] = {
    "voice": voice.VoiceChannel(),
    "sms": sms.SmsChannel(),
    "mail": letter.MailChannel(),
    "apprise": chat.AppriseChannel(),
    "webhook": webhook.WebhookChannel(),
}
