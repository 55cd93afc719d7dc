"""A mail that SendGrid has posted: from the parts of the form back to a mail, its envelope and its verdicts. Pure.

In raw mode the mail is a part of its own. In parsed mode it is put together again: the header as it came, the
texts in the charsets that they have, the files as they are. The same post gives the same bytes, so that a repeated
one is known.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.header import Header
from typing import Any
from urllib.parse import quote

from intake.mail.parsing import Envelope
from intake.mail.parsing.authentication import Method

_TYPE = re.compile(r"[\w.+-]{1,100}/[\w.+-]{1,100}")
_CHARSET = re.compile(r"[\w.:+-]{1,40}")
_SIGNER = re.compile(r"@([^\s:{},@]{1,253})\s*:\s*(\w+)")
_RESULTS = frozenset(["pass", "fail", "softfail", "neutral", "none", "temperror", "permerror"])
_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")
_SHOWN_FIELDS = ("from", "to", "cc", "subject")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the form: a field, or a file with its name."""

    name: str
    data: bytes
    file_name: str = ""
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Posted:
    """What was posted, as the door takes it."""

    raw: bytes
    envelope: Envelope
    verdicts: tuple[Method, ...]


def read_post(parts: Sequence[Part]) -> Posted:
    """The mail of a post; ValueError if there is none in it."""
    form = _Form(parts)
    sender, recipients = form.envelope()
    whole = next((part.data for part in parts if part.name == "email"), None)
    raw = whole if whole is not None else _put_together(form)
    verdicts = verdicts_of(form.text("SPF"), form.text("dkim"), sender or "")
    return Posted(raw, Envelope(sender, recipients), verdicts)


def unread_post(content_type: str, body: bytes) -> Posted:
    """A post that cannot be read, as a file in a mail that asks somebody to look at it."""
    kind = "".join(character for character in content_type if character.isprintable())[:200]
    note = f"SendGrid posted a mail that cannot be read; what it sent is attached.\r\n({kind})\r\n"
    raw = _multipart(
        [
            _part("text/plain; charset=utf-8", note.encode("utf-8", "replace")),
            _part("application/octet-stream", body, name="post.bin"),
        ],
        "mixed",
    )
    return Posted(b"Subject: A mail that cannot be read\r\nMIME-Version: 1.0\r\n" + raw, Envelope(), ())


def verdicts_of(spf: str, dkim: str, sender: str) -> tuple[Method, ...]:
    """SendGrid's verdicts: a word for SPF, ``{@domain : pass, @other : fail}`` or ``none`` for DKIM."""
    word = spf.strip().lower()
    domain = sender.rpartition("@")[2].lower()
    found = [
        Method("spf", word if word in _RESULTS else "none", "", {"smtp.mailfrom": domain} if domain else {})
    ]
    for signer, result in _SIGNER.findall(dkim)[:20]:
        verdict = result.lower() if result.lower() in _RESULTS else "fail"
        found.append(Method("dkim", verdict, "", {"header.d": signer.lower()}))
    return tuple(found)


class _Form:
    """The parts by their names."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.fields = {part.name: part for part in parts if not part.file_name}
        self.files = [part for part in parts if part.file_name]
        self.charsets = {name: str(value) for name, value in self.json("charsets").items()}

    def bytes(self, name: str) -> bytes:
        return self.fields[name].data if name in self.fields else b""

    def text(self, name: str) -> str:
        """A field in letters, by the charset that the post names for it."""
        try:
            return self.bytes(name).decode(self.charsets.get(name, "utf-8"), "replace").replace("\0", "")
        except LookupError:
            return self.bytes(name).decode("utf-8", "replace").replace("\0", "")

    def json(self, name: str) -> Mapping[str, Any]:
        try:
            value = json.loads(self.bytes(name) or b"{}")
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    def envelope(self) -> tuple[str | None, tuple[str, ...]]:
        """Sender and recipients; None and none where the post does not say."""
        said = self.json("envelope")
        to = said.get("to")
        recipients = tuple(str(each) for each in (to if isinstance(to, list) else [to] if to else []))
        return (str(said["from"]) if isinstance(said.get("from"), str) else None), recipients


def _put_together(form: _Form) -> bytes:
    bodies = list(_bodies(form))
    header = b"".join(_kept_fields(form.bytes("headers"))) or _shown_fields(form)
    if not header.strip() and not bodies and not form.files:
        raise ValueError("no mail in it")
    if len(bodies) > 1:
        bodies = [_multipart(bodies, "alternative")]
    files = list(_files(form))
    body = _multipart([*bodies, *files], "mixed") if files or not bodies else bodies[0]
    return header + b"MIME-Version: 1.0\r\n" + body


def _kept_fields(block: bytes) -> Iterator[bytes]:
    """The fields of the header as it came, but for those that tell how the body was written."""
    kept = False
    for line in block.splitlines():
        if not line.strip():
            continue
        if line[:1] not in b" \t":
            name = line.partition(b":")[0].strip().lower()
            kept = _FIELD.match(line) is not None and not name.startswith((b"content-", b"mime-version"))
        if kept:
            yield line + b"\r\n"


def _shown_fields(form: _Form) -> bytes:
    """A header for a post without one."""
    lines = []
    for name in _SHOWN_FIELDS:
        text = " ".join(form.text(name).split())
        if text:
            value = text if text.isascii() else Header(text, "utf-8", maxlinelen=900).encode()
            lines.append(f"{name.capitalize()}: {value}\r\n")
    return "".join(lines).encode()


def _bodies(form: _Form) -> Iterator[bytes]:
    for name, kind in (("text", "text/plain"), ("html", "text/html")):
        if name in form.fields:
            said = form.charsets.get(name, "utf-8")
            charset = said if _CHARSET.fullmatch(said) else "utf-8"
            yield _part(f"{kind}; charset={charset}", form.bytes(name))


def _files(form: _Form) -> Iterator[bytes]:
    infos, ids = form.json("attachment-info"), form.json("content-ids")
    by_part = {str(part): str(content_id) for content_id, part in ids.items()}
    for file in form.files:
        info = infos.get(file.name)
        info = info if isinstance(info, dict) else {}
        kind = next(
            (each for each in (file.content_type, str(info.get("type", ""))) if _TYPE.match(each)), ""
        )
        found = _TYPE.match(kind)
        content_id = str(info.get("content-id") or by_part.get(file.name, ""))
        name = str(info.get("filename") or file.file_name)
        yield _part(
            found[0] if found else "application/octet-stream", file.data, name=name, content_id=content_id
        )


def _part(kind: str, data: bytes, *, name: str = "", content_id: str = "") -> bytes:
    lines = [f"Content-Type: {kind}"]
    if name:
        placed = "inline" if content_id else "attachment"
        lines.append(f"Content-Disposition: {placed}; filename*=UTF-8''{quote(name[:500], safe='')}")
    if content_id:
        safe = "".join(each for each in content_id.strip("<>") if each.isascii() and each.isprintable())
        lines.append(f"Content-ID: <{safe[:500]}>")
    if kind.startswith("message/"):  # may not be encoded (RFC 2046, 5.2.1)
        return "\r\n".join([*lines, "Content-Transfer-Encoding: 8bit", "", ""]).encode() + data
    encoded = base64.encodebytes(data).replace(b"\n", b"\r\n")
    return "\r\n".join([*lines, "Content-Transfer-Encoding: base64", "", ""]).encode() + encoded


def _multipart(parts: Sequence[bytes], kind: str) -> bytes:
    """A multipart entity whose boundary comes from its content."""
    mark = hashlib.sha256()
    for part in parts:
        mark.update(part)
    boundary = f"nightbell-{mark.hexdigest()[:40]}".encode()
    head = b"Content-Type: multipart/" + kind.encode() + b'; boundary="' + boundary + b'"\r\n\r\n'
    return (
        head
        + b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts)
        + b"--"
        + boundary
        + b"--\r\n"
    )
