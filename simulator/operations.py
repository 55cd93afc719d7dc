"""What each operation of the REST API does. All of it runs on the engine's thread."""

from __future__ import annotations

from typing import TypeVar

from werkzeug.datastructures import MultiDict

from simulator import listing, resources
from simulator.calls import Call
from simulator.company import PhoneCompany
from simulator.interpreter import Source
from simulator.legs import Placing
from simulator.own_numbers import SETTABLE, OwnNumber, is_dialable, is_number
from simulator.parts import EVENTS, Callback
from simulator.record import StatusCallback
from simulator.recordings import Recording
from simulator.resources import Json

Form = MultiDict[str, str]
T = TypeVar("T")
Answer = tuple[int, Json]


class ApiError(Exception):
    """An error in Twilio's form: HTTP status, Twilio's code, a sentence."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class Missing(Exception):
    """There is no such resource."""


class Operations:
    """The operations; each runs on the engine's thread and may raise ApiError or Missing."""

    def __init__(self, company: PhoneCompany) -> None:
        self.company = company

    def account(self, query: dict[str, str], path: str) -> Answer:
        return 200, resources.account(self.company)

    # -- calls

    def create_call(self, form: Form, path: str) -> Answer:
        to, from_ = form.get("To", ""), form.get("From", "")
        if not to:
            raise ApiError(400, 21201, "No 'To' number is specified")
        if not is_dialable(to):
            raise ApiError(400, 21211, f"The 'To' number {to} is not a valid phone number.")
        if not is_number(from_):
            raise ApiError(400, 21212, f"The 'From' number {from_} is not a valid phone number.")
        if from_ not in self.company.numbers:
            raise ApiError(400, 21210, f"The source phone number provided, {from_}, is not yet verified.")
        fallback = (
            (form["FallbackUrl"], form.get("FallbackMethod", "POST")) if form.get("FallbackUrl") else None
        )
        call = self.company.place_call(from_, to, _placing(form), _callback(form), fallback)
        return 201, resources.call(call)

    def calls(self, query: dict[str, str], path: str) -> Answer:
        wanted = [call for call in reversed(self.company.calls.values()) if _call_matches(call, query)]
        return 200, listing.page(wanted, query, path, "calls", resources.call)

    def call(self, query: dict[str, str], path: str, sid: str) -> Answer:
        return 200, resources.call(self._call(sid))

    def update_call(self, form: Form, path: str, sid: str) -> Answer:
        call = self._call(sid)
        status, moves = form.get("Status"), form.get("Url") or form.get("Twiml")
        if call.ended or (moves and not status and not call.answered):
            raise ApiError(400, 21220, "Call is not in-progress. Cannot redirect.")
        if status == "completed" or (status == "canceled" and not call.answered):
            call.drop("canceled")
        elif status not in {None, "canceled"}:
            raise ApiError(400, 20001, f"Status {status} is not one of canceled, completed")
        elif moves:
            self.company.replace(call, _source(form))
        return 200, resources.call(call)

    def _call(self, sid: str) -> Call:
        return _found(self.company.calls, sid)

    # -- messages

    def create_message(self, form: Form, path: str) -> Answer:
        to, from_, body = form.get("To", ""), form.get("From", ""), form.get("Body", "")
        if not to:
            raise ApiError(400, 21604, "A 'To' phone number is required.")
        if not is_number(to):
            raise ApiError(400, 21211, f"The 'To' number {to} is not a valid phone number.")
        if not from_:
            raise ApiError(400, 21603, "A 'From' phone number is required.")
        if from_ not in self.company.numbers:
            raise ApiError(
                400, 21659, f"'{from_}' is not a Twilio phone number or Short Code country mismatch"
            )
        if not body:
            raise ApiError(400, 21602, "Message body is required.")
        if len(body) > 1600:
            raise ApiError(400, 21617, "The concatenated message body exceeds the 1600 character limit")
        refused = self.company.phone(to).sms_refused
        if refused is not None:
            raise ApiError(400, refused, f"No message can be sent to {to}")
        callback = (form["StatusCallback"], "POST") if form.get("StatusCallback") else None
        message = self.company.desk.send(from_, to, body, callback)
        return 201, resources.message(message, self.company)

    def messages(self, query: dict[str, str], path: str) -> Answer:
        wanted = [
            message
            for message in reversed(self.company.desk.messages.values())
            if query.get("To", message.to) == message.to
            and query.get("From", message.from_) == message.from_
            and listing.within(message.sent_at or message.created_at, query, "DateSent")
        ]
        shown = lambda item: resources.message(item, self.company)  # noqa: E731
        return 200, listing.page(wanted, query, path, "messages", shown)

    def message(self, query: dict[str, str], path: str, sid: str) -> Answer:
        return 200, resources.message(_found(self.company.desk.messages, sid), self.company)

    # -- recordings

    def recordings(self, query: dict[str, str], path: str, call_sid: str = "") -> Answer:
        of_call = call_sid or query.get("CallSid", "")
        deleted_too = query.get("IncludeSoftDeleted", "").lower() == "true"
        wanted = [
            recording
            for recording in reversed(self.company.recordings.values())
            if of_call in {"", recording.call.sid}
            and (deleted_too or recording.status != "deleted")
            and listing.within(recording.created_at, query, "DateCreated")
        ]
        return 200, listing.page(wanted, query, path, "recordings", resources.recording)

    def recording(self, query: dict[str, str], path: str, sid: str) -> Answer:
        return 200, resources.recording(self._recording(sid, query))

    def delete_recording(self, query: dict[str, str], path: str, sid: str) -> Answer:
        self._recording(sid, query).status = "deleted"
        return 204, {}

    def _recording(self, sid: str, query: dict[str, str]) -> Recording:
        found = _found(self.company.recordings, sid)
        if found.status == "deleted" and query.get("IncludeSoftDeleted", "").lower() != "true":
            raise Missing
        return found

    # -- our numbers

    def numbers(self, query: dict[str, str], path: str) -> Answer:
        wanted = [
            own
            for own in self.company.numbers.values()
            if query.get("PhoneNumber", "") in own.number
            and query.get("FriendlyName", own.friendly_name) == own.friendly_name
        ]
        shown = lambda item: resources.number(item, self.company)  # noqa: E731
        return 200, listing.page(wanted, query, path, "incoming_phone_numbers", shown)

    def number(self, query: dict[str, str], path: str, sid: str) -> Answer:
        own = self._number(sid)
        return 200, resources.number(own, self.company)

    def _number(self, sid: str) -> OwnNumber:
        return _found({own.sid: own for own in self.company.numbers.values()}, sid)

    def update_number(self, form: Form, path: str, sid: str) -> Answer:
        own = self._number(sid)
        for name in form:
            if name.endswith(("Url", "Callback")) and form[name] and not _is_url(form[name]):
                raise ApiError(400, 21402 if name == "VoiceUrl" else 21502, f"{name} is not a valid URL")
        changes = {SETTABLE[name]: value for name, value in form.items() if name in SETTABLE}
        self.company.own_number(own.number, **changes)
        return 200, resources.number(own, self.company)


def _found(items: dict[str, T], sid: str) -> T:
    if sid not in items:
        raise Missing
    return items[sid]


def _is_url(text: str) -> bool:
    return text.startswith(("http://", "https://"))


def _source(form: Form) -> Source:
    if form.get("Twiml"):
        return Source(text=form["Twiml"])
    if not _is_url(form.get("Url", "")):
        raise ApiError(
            400, 21205, "Url parameter is required." if not form.get("Url") else "Url is not valid."
        )
    return Source(form["Url"], form.get("Method", "POST"))


def _placing(form: Form) -> Placing:
    record = form.get("Record", "").lower() == "true"
    callback = None
    if form.get("RecordingStatusCallback"):
        events = form.getlist("RecordingStatusCallbackEvent") or ["completed"]
        method = form.get("RecordingStatusCallbackMethod", "POST")
        callback = StatusCallback(form["RecordingStatusCallback"], method, frozenset(events))
    return Placing(
        source=_source(form),
        timeout=min(_seconds(form, "Timeout") or 60, 600),
        send_digits=form.get("SendDigits", ""),
        detection=form.get("MachineDetection", ""),
        record=record,
        recording_callback=callback,
        time_limit=_seconds(form, "TimeLimit"),
    )


def _seconds(form: Form, name: str) -> float | None:
    text = form.get(name, "")
    if text and not text.isdigit():
        raise ApiError(400, 20001, f"{name} must be a whole number")
    return float(text) if text else None


def _callback(form: Form) -> Callback | None:
    url = form.get("StatusCallback")
    if not url:
        return None
    given = " ".join(form.getlist("StatusCallbackEvent")).split()
    events = frozenset(given) & frozenset(EVENTS) if given else frozenset({"completed"})
    return Callback(url, form.get("StatusCallbackMethod", "POST"), events)


def _call_matches(call: Call, query: dict[str, str]) -> bool:
    parent = call.parent.sid if call.parent else ""
    return (
        query.get("To", call.to) == call.to
        and query.get("From", call.from_) == call.from_
        and query.get("Status", call.status) == call.status
        and query.get("ParentCallSid", parent) == parent
        and listing.within(call.started_at or call.created_at, query, "StartTime")
        and listing.within(call.ended_at, query, "EndTime")
    )
