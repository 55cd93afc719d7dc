"""The control API's part for mail: hands of people with mailboxes. JSON, for this machine only."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from email.utils import getaddresses
from typing import Any

from flask import Blueprint, Response, jsonify, request

from simulator.mail import composing, manners, page, reading, state
from simulator.mail.composing import Attachment, Draft
from simulator.mail.letters import Envelope, Letter
from simulator.mail.office import PostOffice
from simulator.refusals import Refused, given_json, guard, text_of

MAX_BYTES = 120_000_000


def create_mail_control(office: PostOffice, zone: str) -> Blueprint:
    control = Blueprint("mail", __name__, url_prefix="/control/mail")
    guard(control)
    hands = _Hands(office)

    def ask(fn: Callable[[], Any]) -> Response:
        return jsonify(office.scheduler.ask(fn))

    @control.get("/state")
    def whole_state() -> Response:
        return ask(lambda: state.of(office, zone))

    @control.post("/letters")
    def write() -> Response:
        """Send a mail: from, to, cc, subject, text, html, attachments, answers, headers, envelope_from."""
        given = given_json(MAX_BYTES)
        return ask(lambda: state.letter(hands.write(given)))

    @control.post("/raw")
    def write_raw() -> Response:
        """Send the request's body as it is; ``from`` and ``to`` in the query, else as its header says."""
        raw = composing.with_crlf(request.get_data())
        sender, to = request.args.get("from"), request.args.get("to")
        reading.read(raw)
        return ask(lambda: state.letter(hands.write_raw(raw, sender, to)))

    @control.get("/letters/<id_>")
    def letter(id_: str) -> Response:
        return ask(lambda: state.opened(hands.letter(id_)))

    @control.post("/letters/<id_>/<any(read, retry):what>")
    def handle(id_: str, what: str) -> Response:
        return ask(lambda: state.letter(hands.handle(id_, what)))

    @control.get("/letters/<id_>/raw")
    def raw(id_: str) -> Response:
        return page.source(office.scheduler.ask(lambda: hands.letter(id_)))

    @control.get("/letters/<id_>/html")
    def html(id_: str) -> Response:
        return page.html(office.scheduler.ask(lambda: hands.letter(id_)))

    @control.get("/letters/<id_>/parts/<int:index>")
    def part(id_: str, index: int) -> Response:
        parts = office.scheduler.ask(lambda: hands.letter(id_)).mail.parts
        if index >= len(parts):
            raise Refused(f"letter {id_} has no part {index}", 404)
        return page.part(parts[index])

    @control.post("/mailboxes/<address>")
    def behave(address: str) -> Response:
        given = given_json()
        return ask(lambda: hands.behave(address, given))

    @control.post("/lines")
    def line() -> Response:
        given = given_json()
        return ask(lambda: hands.line(given))

    return control


class _Hands:
    """What people do with their mailboxes; each runs on the engine's thread."""

    def __init__(self, office: PostOffice) -> None:
        self._office = office

    def letter(self, id_: str) -> Letter:
        found = self._office.letters.get(id_)
        if found is None:
            raise Refused(f"there is no letter {id_}", 404)
        return found

    def handle(self, id_: str, what: str) -> Letter:
        letter = self.letter(id_)
        if what == "read":
            self._office.read(letter)
        else:
            self._office.hurry(letter)
        return letter

    def write(self, given: dict[str, Any]) -> Letter:
        answered = self.letter(text_of(given, "answers")).mail if given.get("answers") else None
        draft = Draft(
            sender=_one_address(given),
            to=_addresses(given, "to") or (_writers(answered) if answered else []),
            cc=_addresses(given, "cc"),
            subject=given.get("subject") or _subject(answered),
            text=str(given.get("text") or ""),
            html=str(given.get("html") or ""),
            attachments=[_attachment(item) for item in given.get("attachments") or []],
            answers=answered,
            headers=[(str(name), str(value)) for name, value in (given.get("headers") or {}).items()],
        )
        envelope_from = given.get("envelope_from")
        if not isinstance(envelope_from, str | None):
            raise Refused("envelope_from must be an address, or an empty text for none")
        return self._office.send(draft, envelope_from=envelope_from)

    def write_raw(self, raw: bytes, sender: str | None, recipients: str | None) -> Letter:
        if not raw:
            raise Refused("an empty mail; give its source as the body of the request")
        mail = reading.read(raw)
        owner = (
            next((address for _, address in mail.addresses("from")), "") or sender or "nobody@nowhere.example"
        )
        to = _split(recipients) if recipients else mail.addresses("to", "cc")
        envelope = Envelope(owner if sender is None else sender, tuple(address for _, address in to), raw)
        return self._office.send_raw(envelope, owner)

    def behave(self, address: str, given: dict[str, Any]) -> state.Json:
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
            raise Refused(f"{address} is not a mail address")
        manner = manners.read(given["manner"]) if "manner" in given else None
        about = {name: given[name] for name in ("name", "role", "note") if isinstance(given.get(name), str)}
        mailbox = self._office.describe(address, **about)
        if manner is not None:
            self._office.behave(address, manner)
        return state.mailbox(mailbox)

    def line(self, given: dict[str, Any]) -> state.Json:
        self._office.line(text_of(given, "address"), str(given.get("name") or ""))
        return {"lines": [each.address for each in self._office.directory.lines.values()]}


def _one_address(given: dict[str, Any]) -> tuple[str, str]:
    found = _addresses(given, "from")
    if len(found) != 1:
        raise Refused("from must be one mail address")
    return found[0]


def _addresses(given: dict[str, Any], name: str) -> list[tuple[str, str]]:
    """A list of addresses, or a text with commas between; each may have a name: ``Grace <grace@...>``."""
    value = given.get(name) or []
    return _split(value if isinstance(value, str) else ", ".join(map(str, value)))


def _split(text: str) -> list[tuple[str, str]]:
    pairs = [pair for pair in getaddresses([text]) if pair != ("", "")]
    for _, address in pairs:
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
            raise Refused(f"{address or text} is not a mail address")
    return pairs


def _writers(answered: reading.Mail) -> list[tuple[str, str]]:
    return answered.addresses("reply-to") or answered.addresses("from")


def _subject(answered: reading.Mail | None) -> str:
    return composing.answered_subject(answered.header("Subject")) if answered else ""


def _attachment(item: Any) -> Attachment:
    try:
        content = base64.b64decode(item["content"], validate=True)
        return Attachment(str(item["name"]), str(item.get("type") or "application/octet-stream"), content)
    except (binascii.Error, KeyError, TypeError, ValueError) as error:
        raise Refused('an attachment is {"name": ..., "type": ..., "content": base64}') from error
