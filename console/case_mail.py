"""The mails of a case behind its signed link: what they say, their HTML by itself, their files, their bytes.

HTML was cleaned when the mail was read. It is shown all the same in a frame that may run nothing, fetch nothing from
elsewhere and reach nothing of ours. Files are read out of the mail's own bytes, and are for keeping, not for showing:
but for the images that a mail has in its text.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from flask import Blueprint, Response, abort, request

from console.case_page import case_number, house_context
from console.private_answers import kept_private
from core.models import Message
from intake.mail.models import InboundMail
from intake.mail.parsing import Attachment
from intake.mail.raw_bytes import raw_bytes
from intake.mail.timely import Unread, read_in_time
from routing.correspondence.models import FOR_THE_CUSTOMER_ALONE, OutboundMail

case_mail = Blueprint("case_mail", __name__)

_READING_MAY_TAKE_S = 20.0
_SHOWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_CID = re.compile(r"""(\ssrc=["'])cid:([^"']{1,1000})(["'])""", re.IGNORECASE)
_PLAIN_NAME = re.compile(r"[^A-Za-z0-9._ -]+")
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Mail</title><base target="_blank">
<style>body {{ font: 15px/1.5 system-ui, sans-serif; margin: 12px; overflow-wrap: anywhere }}
img {{ max-width: 100% }} blockquote {{ margin: 0 0 0 8px; padding-left: 8px; border-left: 3px solid #ccc }}
</style></head><body>
{body}
</body></html>"""


@case_mail.get("/case/<token>/mail/<int:message>.html")
def formatted(token: str, message: int) -> Response:
    """The HTML of a mail, for the frame on the case's page."""
    said = _message(token, message)
    if said.html is None:
        abort(404)
    return _page(token, message, said)


@case_mail.get("/case/<token>/mail/<int:message>.eml")
def raw(token: str, message: int) -> Response:
    """A mail as it came, to the byte."""
    _message(token, message)
    return _file(_raw(message), "message/rfc822", f"mail-{message}.eml")


@case_mail.get("/case/<token>/mail/<int:message>/<int:index>")
def attachment(token: str, message: int, index: int) -> Response:
    """A file of a mail."""
    told = _told_of(_message(token, message), index)
    found = _attachment(_raw(message), told)
    if found is None:
        abort(404)
    wants_image = "show" in request.args and found.content_type in _SHOWN
    return _file(found.data, found.content_type if wants_image else "application/octet-stream", found.name,
                 "inline" if wants_image else "attachment")  # fmt: skip


def _message(token: str, id: int) -> Message:
    number = case_number(token)
    with house_context().database.reading() as session:
        found = session.get(Message, id)
    if found is None or found.case_id != number:
        abort(404)
    return found


def _raw(message: int) -> bytes:
    with house_context().database.reading() as session:
        came = session.scalar(sa.select(InboundMail).where(InboundMail.message_row == message).limit(1))
        found = raw_bytes(session, came) if came is not None else None
        found = found or session.scalar(
            sa.select(OutboundMail.raw)
            .where(OutboundMail.message_id == message, OutboundMail.kind.not_in(FOR_THE_CUSTOMER_ALONE))
            .limit(1)
        )
    if found is None:
        abort(404)
    return found


def _told_of(message: Message, index: int) -> dict[str, Any]:
    """What the message says of its file number ``index``."""
    files: list[dict[str, Any]] = (message.details or {}).get("attachments", [])
    told = next((file for file in files if file["index"] == index), None)
    if told is None:
        abort(404)
    return told


def _attachment(raw: bytes, told: dict[str, Any]) -> Attachment | None:
    """The file itself: the one with the same bytes, should a newer release count files in another way."""
    (mail,) = read_in_time([Unread(raw)], _READING_MAY_TAKE_S)
    ordered = sorted(enumerate(mail.attachments), key=lambda each: each[0] != told["index"])
    return next(
        (file for _, file in ordered if hashlib.sha256(file.data).hexdigest() == told["sha256"]), None
    )


def _page(token: str, message: int, said: Message) -> Response:
    files = {
        each["content_id"]: each["index"]
        for each in (said.details or {}).get("attachments", ())
        if each.get("content_id") and each["type"] in _SHOWN
    }
    base = f"{request.host_url.rstrip('/')}/case/{quote(token)}/mail/{message}"

    def image(found: re.Match[str]) -> str:
        index = files.get(found[2])
        return f"{found[1]}{base}/{index}?show{found[3]}" if index is not None else f"{found[1]}{found[3]}"

    response = Response(_PAGE.format(body=_CID.sub(image, said.html or "")), mimetype="text/html")
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; img-src {base}/; style-src 'unsafe-inline'; sandbox allow-popups; form-action 'none';"
        " base-uri 'none'; frame-ancestors 'self'"
    )
    return kept_private(response)


def _file(data: bytes, content_type: str, name: str, disposition: str = "attachment") -> Response:
    response = Response(data, content_type=content_type)
    # The plain name for old programs, the whole one for all others (RFC 6266).
    plain = _PLAIN_NAME.sub("_", name).strip(" .") or "file"
    response.headers["Content-Disposition"] = (
        f"{disposition}; filename=\"{plain[:100]}\"; filename*=UTF-8''{quote(name, safe='')}"
    )
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return kept_private(response)
