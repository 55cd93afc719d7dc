"""The telephone company: Twilio's REST API through its own client, at whatever address the settings name."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from core.errors import ChannelError
from core.settings import Settings

API_VERSION = "2010-04-01"
REQUEST_TIMEOUT_S = 10
# On every webhook address, outside its signature: two retries, on a refused connection, a time-out and a 5xx.
RETRY_RULE = "#rc=2&rp=ct,rt,5xx"
UNKNOWN_CALL = "unknown"  # our word: the telephone company does not know the call (any more)
FINAL_CALL_STATUSES = frozenset({"completed", "busy", "failed", "no-answer", "canceled", UNKNOWN_CALL})
_NOT_FOUND, _NOT_IN_PROGRESS = 20404, 21220
_PAGE_SIZE = 1000  # the most that the API gives at once
# Overload and maintenance pass; everything else that is the client's fault stays wrong.
_PASSING_STATUSES = frozenset({408, 409, 425, 429})

# It logs each request at INFO, with the numbers in it.
logging.getLogger("twilio.http_client").setLevel(logging.WARNING)


class TelephonyError(ChannelError):
    """A request to the telephone company failed; ``permanent`` says that trying again is useless.

    ``code`` is the telephone company's number for the error, where it gave one.
    """

    def __init__(self, message: str, *, permanent: bool, code: int | None = None) -> None:
        super().__init__(message, permanent=permanent)
        self.code = code


@dataclass(frozen=True)
class PlacedCall:
    """A call as the telephone company knows it. Times are UTC; ``from_`` and ``to`` are as it says them."""

    sid: str
    status: str
    direction: str
    from_: str
    to: str
    started_at: datetime | None
    created_at: datetime | None


@dataclass(frozen=True)
class ListedRecording:
    """A recording as the telephone company lists it."""

    sid: str
    call_sid: str
    status: str
    duration_s: int
    created_at: datetime | None


class _RebasedHttpClient(TwilioHttpClient):
    """Sends what is meant for Twilio's API to another address: the only difference to the simulator."""

    def __init__(self, base_url: str, session: requests.Session) -> None:
        super().__init__(timeout=REQUEST_TIMEOUT_S)
        self.session = session
        self._base = urlsplit(base_url)

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:  # type: ignore[override]
        rebased = urlunsplit((self._base.scheme, self._base.netloc, *urlsplit(url)[2:]))
        return super().request(method, rebased, *args, **kwargs)


class Telephony:
    """Calls, messages, recordings and numbers. Every method raises :class:`TelephonyError` on failure."""

    def __init__(self, settings: Settings, session: requests.Session | None = None) -> None:
        self._sid = settings.twilio_account_sid
        self._token = settings.twilio_auth_token.get_secret_value()
        self._api_url = settings.twilio_api_url
        self._session = session or requests.Session()
        http_client = _RebasedHttpClient(settings.twilio_api_url, self._session)
        self._client = Client(self._sid, self._token, http_client=http_client)

    def place_call(self, *, to: str, from_: str, url: str, status_callback: str, ring_s: int) -> str:
        """Ring ``to``; ``url`` gives the TwiML once it is answered. Returns the CallSid."""
        with _Explained("place a call"):
            call = self._client.calls.create(
                to=to,
                from_=from_,
                url=url,
                method="POST",
                timeout=ring_s,
                status_callback=status_callback,
                status_callback_method="POST",
                status_callback_event=["initiated", "ringing", "answered", "completed"],
            )
        return str(call.sid)

    def fetch_call(self, sid: str) -> PlacedCall:
        """What the telephone company says of a call."""
        with _Explained("look up a call"):
            return _placed(self._client.calls(sid).fetch())

    def call_status(self, sid: str) -> str:
        """How a call stands; ``UNKNOWN_CALL`` if there is no such call."""
        with _Explained("look up a call"):
            try:
                return str(self._client.calls(sid).fetch().status)
            except TwilioRestException as error:
                if error.code != _NOT_FOUND:
                    raise
                return UNKNOWN_CALL

    def calls_to(self, to: str, since: datetime) -> list[PlacedCall]:
        """Outbound calls to a number that began at ``since`` or later; at most 50."""
        with _Explained("list calls"):
            calls = self._client.calls.list(to=to, start_time_after=since, limit=50)
        return [_placed(call) for call in calls]

    def end_call(self, sid: str) -> None:
        """Hang up a call, ringing or answered; one that has ended already is left as it is."""
        with _Explained("end a call"):
            try:
                self._client.calls(sid).update(status="completed")
            except TwilioRestException as error:
                if error.code not in (_NOT_IN_PROGRESS, _NOT_FOUND):  # else it ended by itself
                    raise

    def send_sms(self, *, to: str, from_: str, body: str, status_callback: str) -> str:
        """Send a text. Returns the MessageSid."""
        with _Explained("send a text"):
            message = self._client.messages.create(
                to=to, from_=from_, body=body, status_callback=status_callback
            )
        return str(message.sid)

    def messages_to(self, to: str, since: datetime) -> list[tuple[str, str]]:
        """(MessageSid, body) of texts sent to a number at ``since`` or later; at most 50. Answers to its own texts,
        which go out as the answer to a webhook, are not among them."""
        with _Explained("list texts"):
            messages = self._client.messages.list(to=to, date_sent_after=since, limit=50)
        return [(str(m.sid), str(m.body)) for m in messages if str(m.direction) == "outbound-api"]

    def recordings_since(self, since: datetime) -> list[ListedRecording]:
        """All recordings made at ``since`` or later, page by page."""
        with _Explained("list recordings"):
            recordings = self._client.recordings.list(date_created_after=since, page_size=_PAGE_SIZE)
        return [
            ListedRecording(
                str(recording.sid),
                str(recording.call_sid),
                str(recording.status),
                int(recording.duration or 0),
                recording.date_created,
            )
            for recording in recordings
        ]

    def recording_media(self, sid: str) -> bytes:
        """The audio of a recording, as WAV. The credentials go to the configured API host only."""
        url = f"{self._api_url}/{API_VERSION}/Accounts/{self._sid}/Recordings/{sid}.wav"
        try:
            answer = self._session.get(
                url, auth=(self._sid, self._token), timeout=REQUEST_TIMEOUT_S, allow_redirects=False
            )
        except requests.RequestException as error:
            raise TelephonyError(
                f"cannot fetch a recording: {type(error).__name__}", permanent=False
            ) from error
        if answer.status_code != 200:
            # A 404 is no final word: the audio may not exist yet when its recording is announced.
            raise TelephonyError(f"cannot fetch a recording: HTTP {answer.status_code}", permanent=False)
        return answer.content

    def is_our_api(self, url: str) -> bool:
        """Whether ``url`` is on the configured API host."""
        return urlsplit(url)[:2] == urlsplit(self._api_url)[:2]

    def numbers(self) -> dict[str, str]:
        """E.164 number -> SID of the numbers that the account owns."""
        with _Explained("list the account's numbers"):
            owned = self._client.incoming_phone_numbers.list(limit=1000)
        return {str(number.phone_number): str(number.sid) for number in owned}

    def point_number(
        self, sid: str, *, voice_url: str, fallback_url: str, status_callback: str, sms_url: str
    ) -> None:
        """Let a number's calls and texts come to these addresses; an empty ``fallback_url`` leaves its own."""
        fallback = (
            {"voice_fallback_url": fallback_url, "voice_fallback_method": "GET"} if fallback_url else {}
        )
        with _Explained("configure a number"):
            self._client.incoming_phone_numbers(sid).update(
                voice_url=voice_url,
                voice_method="POST",
                **fallback,
                status_callback=status_callback,
                status_callback_method="POST",
                sms_url=sms_url,
                sms_method="POST",
            )


class _Explained:
    """Turns what the client raises into a :class:`TelephonyError`."""

    def __init__(self, doing: str) -> None:
        self._doing = doing

    def __enter__(self) -> None:
        return None

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, TwilioRestException):
            permanent = 400 <= error.status < 500 and error.status not in _PASSING_STATUSES
            raise TelephonyError(
                f"cannot {self._doing}: HTTP {error.status}, error {error.code}",
                permanent=permanent,
                code=error.code,
            ) from error
        if isinstance(error, requests.RequestException | TwilioException | OSError):
            raise TelephonyError(f"cannot {self._doing}: {type(error).__name__}", permanent=False) from error


def _placed(call: Any) -> PlacedCall:
    return PlacedCall(
        str(call.sid),
        str(call.status),
        str(call.direction),
        str(call._from),  # the client's own name for From
        str(call.to),
        call.start_time,
        call.date_created,
    )
