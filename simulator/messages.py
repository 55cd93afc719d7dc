"""SMS: what we send, what outside phones send to us, and the replies that TwiML asks for."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from simulator.parts import geography
from simulator.phones import Text
from simulator.transport import WebhookResponse

if TYPE_CHECKING:
    from simulator.company import PhoneCompany

_ERRORS = {"undelivered": (30003, "Unreachable destination handset"), "failed": (30008, "Unknown error")}
_MAX_REDIRECTS = 10


@dataclass(eq=False)
class Message:
    """One message. ``direction``: inbound, outbound-api, outbound-reply."""

    sid: str
    from_: str
    to: str
    body: str
    direction: str
    created_at: datetime
    status: str
    callback: tuple[str, str] | None = None
    sent_at: datetime | None = None
    updated_at: datetime | None = None
    error_code: int | None = None
    media: tuple[str, ...] = ()

    @property
    def segments(self) -> int:
        """How many SMS it takes: 160 characters in one, else 153 each; 70 and 67 beyond ASCII."""
        one, many = (160, 153) if self.body.isascii() else (70, 67)
        return 1 if len(self.body) <= one else math.ceil(len(self.body) / many)


class MessageDesk:
    """The messaging side of the company."""

    def __init__(self, company: PhoneCompany) -> None:
        self._company = company
        self.messages: dict[str, Message] = {}

    def send(
        self,
        from_: str,
        to: str,
        body: str,
        callback: tuple[str, str] | None = None,
        direction: str = "outbound-api",
    ) -> Message:
        """Send to an outside phone: queued now, then sent, then what the phone's ``sms_status`` says."""
        company = self._company
        message = Message(
            company.new_sid("SM"), from_, to, body, direction, company.now(), "queued", callback
        )
        self._add(message)
        company.scheduler.after(company.message_step, lambda: self._sent(message))
        return message

    def _sent(self, message: Message) -> None:
        message.sent_at = self._company.now()
        self._move(message, "sent")
        self._company.scheduler.after(self._company.message_step, lambda: self._arrived(message))

    def _arrived(self, message: Message) -> None:
        phone = self._company.phone(message.to)
        if phone.sms_status in _ERRORS:
            message.error_code = phone.sms_error or _ERRORS[phone.sms_status][0]
        else:
            now = self._company.now()
            phone.sms.append(Text(now, "received", message.from_, message.body, message.sid))
        self._move(message, phone.sms_status)

    def _move(self, message: Message, status: str) -> None:
        company = self._company
        message.status, message.updated_at = status, company.now()
        company.emit("message", sid=message.sid)
        if message.callback is None:
            return
        url, method = message.callback
        params = {
            "MessageSid": message.sid,
            "SmsSid": message.sid,
            "MessageStatus": status,
            "SmsStatus": status,
            "AccountSid": company.account_sid,
            "ApiVersion": "2010-04-01",
            "From": message.from_,
            "To": message.to,
        }
        if message.error_code is not None:
            params["ErrorCode"] = str(message.error_code)
        company.post("sms-status", url, method, params)

    def receive(self, from_: str, to: str, body: str, media: tuple[str, ...] = ()) -> Message:
        """An outside phone sends to one of our numbers: the SMS webhook, and the replies it answers with."""
        company = self._company
        own = company.numbers.get(to)
        if own is None:
            raise ValueError(f"{to} is not one of our numbers")
        now = company.now()
        sid = company.new_sid("MM" if media else "SM")
        message = Message(sid, from_, to, body, "inbound", now, "received", None, now, now, media=media)
        self._add(message)
        company.phone(from_).sms.append(Text(now, "sent", to, body, message.sid))
        if own.sms_url:
            self._ask(message, own.sms_url, own.sms_method, 0)
        return message

    def _ask(self, message: Message, url: str, method: str, redirects: int) -> None:
        own = self._company.numbers[message.to]

        def done(answer: WebhookResponse | None, why: str) -> None:
            if answer is not None:
                self._replies(message, answer, url, redirects)
                return
            self._company.alert(11200, f"HTTP retrieval failure: {why}", url)
            if own.sms_fallback_url and url != own.sms_fallback_url:
                self._ask(message, own.sms_fallback_url, own.sms_fallback_method, redirects)

        self._company.webhooks.send("sms", url, method, self._params(message), done)

    def _params(self, message: Message) -> dict[str, str]:
        media = {f"MediaUrl{index}": url for index, url in enumerate(message.media)}
        media |= {f"MediaContentType{index}": "image/jpeg" for index in range(len(message.media))}
        return {
            "MessageSid": message.sid,
            "SmsSid": message.sid,
            "SmsMessageSid": message.sid,
            "AccountSid": self._company.account_sid,
            "ApiVersion": "2010-04-01",
            "From": message.from_,
            "To": message.to,
            "Body": message.body,
            "NumMedia": str(len(message.media)),
            "NumSegments": str(message.segments),
            "SmsStatus": "received",
            **geography(From=message.from_, To=message.to),
            **media,
        }

    def _replies(self, message: Message, answer: WebhookResponse, url: str, redirects: int) -> None:
        if not answer.body.strip():
            return
        base = url.partition("#")[0]
        if answer.header("Content-Type").startswith("text/plain"):
            self.send(message.to, message.from_, answer.body, direction="outbound-reply")
            return
        try:
            root = ET.fromstring(answer.body)  # noqa: S314 - from the application on this desk
        except ET.ParseError as error:
            self._company.alert(12100, f"Document parse failure: {error}", url)
            return
        for element in root:
            if element.tag == "Message":
                self._reply(message, element, base)
            elif element.tag == "Redirect" and redirects < _MAX_REDIRECTS:
                target = urljoin(base, (element.text or "").strip())
                self._ask(message, target, element.get("method", "POST"), redirects + 1)
                return
            else:
                self._company.alert(12200, f"Schema validation: <{element.tag}> is not allowed", url)

    def _reply(self, message: Message, element: ET.Element, base: str) -> None:
        body = element.find("Body")
        words = "".join((element if body is None else body).itertext()).strip()
        reference = element.get("statusCallback") or element.get("action")
        callback = (urljoin(base, reference), element.get("method", "POST")) if reference else None
        self.send(
            element.get("from", message.to),
            element.get("to", message.from_),
            words,
            callback,
            "outbound-reply",
        )

    def _add(self, message: Message) -> None:
        self.messages[message.sid] = message
        self._company.emit("message", sid=message.sid)
