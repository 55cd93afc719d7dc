"""A mail's own files for the browser: its source, its attachments, and its HTML, which may do nothing but be seen."""

from __future__ import annotations

import base64
import re
from html import escape
from urllib.parse import quote, unquote

from flask import Response

from simulator.mail.letters import Letter
from simulator.mail.reading import Mail, Part

# No script, no frame, no form, nothing from elsewhere. Pictures and styles are those of the mail itself.
_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)
_SEEN = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": _POLICY,
    "Cache-Control": "no-store",
}
_LOOK = (
    '<base target="_blank"><style>html{background:#fff;color:#1c2330;font:15px/1.5 system-ui,sans-serif}'
    "body{margin:16px;overflow-wrap:anywhere}img{max-width:100%}</style>"
)
_IMAGES = {"image/png", "image/jpeg", "image/gif", "image/webp"}


def html(letter: Letter) -> Response:
    """The HTML of the mail, or its text, as a page."""
    mail = letter.mail
    body = _with_images(mail) if mail.html else f"<pre>{escape(mail.text)}</pre>"
    # In front of the mail's own tags: a browser puts both where they belong.
    return Response(f"<!doctype html>{_LOOK}{body}", headers=_SEEN, mimetype="text/html")


def source(letter: Letter) -> Response:
    """The bytes as they came."""
    return _download(letter.envelope.raw, "message/rfc822", f"{letter.id}.eml")


def part(item: Part) -> Response:
    """An attachment; never shown, always saved."""
    return _download(item.content, "application/octet-stream", item.name)


def _with_images(mail: Mail) -> str:
    inline = {part.content_id: part for part in mail.parts if part.content_id and part.type in _IMAGES}

    def found(match: re.Match[str]) -> str:
        part = inline.get(unquote(match[1]))
        if part is None:
            return match[0]
        return f"data:{part.type};base64,{base64.b64encode(part.content).decode()}"

    return re.sub(r"cid:([^\s\"'<>)]+)", found, mail.html)


def _download(content: bytes, kind: str, name: str) -> Response:
    disposition = f"attachment; filename*=UTF-8''{quote(name)}"
    return Response(content, headers={**_SEEN, "Content-Disposition": disposition}, mimetype=kind)
