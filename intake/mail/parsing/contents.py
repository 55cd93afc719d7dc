"""The text, the HTML and the attachments of a mail, out of its parts."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

from intake.mail.parsing import bounds
from intake.mail.parsing.bodies import MESSAGES, Arranged, arrange, walk
from intake.mail.parsing.charsets import Charsets
from intake.mail.parsing.decoding import transfer_decode, uu_blocks
from intake.mail.parsing.flowed import plain_lines, unflow
from intake.mail.parsing.model import Attachment
from intake.mail.parsing.names import Names, default_extension
from intake.mail.parsing.rtf import decompress, rtf_text
from intake.mail.parsing.safe_html import SafeHtml, crude_text, make_safe
from intake.mail.parsing.signed import wrapped_content
from intake.mail.parsing.tnef import Winmail, unpack
from intake.mail.parsing.tree import Part, read_tree
from intake.mail.parsing.words import decode_words, field_text

_DECODED = 3 * bounds.TEXT  # bytes of one text that are made characters: a character may take four bytes
_DECODED_HTML = 3 * bounds.HTML
_FILLER = re.compile(r"(?:this is a (?:multi-?part|cryptographically signed) message|if you (?:can see|are reading)|"
                     r"content-type:|mime header).{0,200}", re.IGNORECASE | re.DOTALL)  # fmt: skip
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,5}$")
_ID_NAME = re.compile(r"[<>\s]+")
_SIGNED_TYPES = ("application/pkcs7-mime", "application/x-pkcs7-mime")
_TNEF_TYPES = ("application/ms-tnef", "application/vnd.ms-tnef")


@dataclass(slots=True)
class Contents:
    """What was found in the parts of a mail so far."""

    charsets: Charsets
    names: Names = field(default_factory=Names)
    attachments: list[Attachment] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    html: str | None = None
    safe: SafeHtml | None = None
    problems: set[str] = field(default_factory=set)
    html_texts: dict[int, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The whole text; parts that follow each other are a blank line apart."""
        kept = [text.strip("\n") for text in self.texts if text.strip()]
        return kept[0] if len(kept) == 1 else "\n\n".join(kept)


def read_contents(root: Part, charsets: Charsets) -> Contents:
    """Everything below ``root``."""
    contents = Contents(charsets)
    arranged = arrange(root, charsets)
    _read_html(contents, arranged)
    for part in arranged.text:
        contents.texts.append(_text(contents, part))
    if not contents.text and contents.safe is not None:
        contents.texts.append(contents.safe.text)
    for part in arranged.attached:
        _attach(contents, arranged, part)
    if not contents.text:
        _fall_back(contents, arranged)
    return contents


def _body(contents: Contents, part: Part) -> bytes:
    body = transfer_decode(part.view, part.encoding)
    limit = _DECODED_HTML if part.type == "text/html" else _DECODED
    if len(body) > limit:
        contents.problems.add("text cut")
        kind = part.type if part.type.startswith("text/") else "text/plain"
        name = contents.names.unique(f"whole message{default_extension(kind)}", kind)
        contents.attachments.append(Attachment(name, kind, body))
        return body[:limit]
    return body


def _text(contents: Contents, part: Part) -> str:
    if part.type == "text/html":
        known = contents.html_texts.get(id(part))
        if known is None:
            known = make_safe(_html_source(contents, part)).text
        return known
    body = _body(contents, part)
    if b"begin" in body:
        body = _without_uuencoded(contents, body)
    text = plain_lines(contents.charsets.decode(body, part.kind.parameters.get("charset")))
    if part.kind.parameters.get("format", "").lower() == "flowed":
        text = unflow(text, delsp=part.kind.parameters.get("delsp", "").lower() == "yes")
    return text


def _without_uuencoded(contents: Contents, body: bytes) -> bytes:
    """The text without the files that were written into it; they become attachments."""
    kept: list[bytes] = []
    position = 0
    for start, end, name, data in uu_blocks(body):
        wanted = contents.charsets.decode(name)
        contents.attachments.append(
            Attachment(
                contents.names.unique(wanted, "application/octet-stream"), "application/octet-stream", data
            )
        )
        kept.append(body[position:start])
        position = end
    return b"".join([*kept, body[position:]]) if kept else body


def _html_source(contents: Contents, part: Part) -> str:
    return contents.charsets.decode_html(_body(contents, part), part.kind.parameters.get("charset"))


def _read_html(contents: Contents, arranged: Arranged) -> None:
    """All that a mail program would show of a mail with HTML, in one document."""
    if not any(part.type == "text/html" for part in arranged.html):
        return
    pieces = []
    for part in arranged.html:
        if part.type == "text/html":
            pieces.append(_html_source(contents, part))
        else:
            pieces.append(f"<pre>{html.escape(_text(contents, part), quote=False)}</pre>")
    contents.html = pieces[0] if len(pieces) == 1 else "\n".join(pieces)
    contents.safe = make_safe(contents.html)
    if contents.safe.problem:
        contents.problems.add(contents.safe.problem)
    if len(pieces) == 1:
        contents.html_texts[id(arranged.html[0])] = contents.safe.text


def _attach(contents: Contents, arranged: Arranged, part: Part) -> None:
    kind = part.type if not part.is_multipart else "application/octet-stream"
    data = transfer_decode(part.view, part.encoding)
    said = _said_by(contents, part, data) if kind in MESSAGES else ""
    disposition = arranged.disposition(part, contents.charsets).value
    content_id = _content_id(part)
    inline = disposition != "attachment" and (content_id is not None or disposition == "inline")
    name = contents.names.unique(_wanted_name(contents, arranged, part, data, content_id), kind)
    contents.attachments.append(Attachment(name, kind, data, content_id, inline, said))
    if kind in _TNEF_TYPES or name.lower() == "winmail.dat":
        _unpack(contents, name, data)
    elif kind in _SIGNED_TYPES:
        _unwrap(contents, part, data)


def _content_id(part: Part) -> str | None:
    raw = part.fields.first(b"content-id")
    if raw is None:
        return None
    text = _ID_NAME.sub("", raw[:1_000].decode("utf-8", "replace"))
    return "".join(character for character in text if character.isprintable()) or None


def _wanted_name(
    contents: Contents, arranged: Arranged, part: Part, data: bytes, content_id: str | None
) -> str:
    """What the sender calls it, else what can be made a name: subject, location, description, Content-ID."""
    name = arranged.filename(part, contents.charsets)
    if name.strip(" ."):
        return name
    if part.type in MESSAGES:
        subject = _inner(part, data, contents.charsets).fields.first(b"subject")
        title = _title(subject, contents.charsets) if subject else ""
        return f"{title}.eml" if title else "message.eml"
    location = part.fields.first(b"content-location")
    if location is not None:
        text = decode_words(field_text(location, contents.charsets), contents.charsets)
        name = text.partition("?")[0].partition("#")[0].rstrip("/").rpartition("/")[2]
        if name:
            return name
    description = part.fields.first(b"content-description")
    if description is not None and (title := _title(description, contents.charsets)):
        return title if _EXTENSION.search(title) else title + default_extension(part.type)
    if content_id and not part.type.startswith(("text/", "message/")):
        local = content_id.partition("@")[0]
        return local if "." in local else local + default_extension(part.type)
    return ""


def _title(raw: bytes, charsets: Charsets) -> str:
    """What a field says, as a name: all of it, and not what follows a slash alone."""
    return field_text(raw, charsets, 100).replace("/", "_").replace("\\", "_")


def _inner(part: Part, data: bytes, charsets: Charsets) -> Part:
    """The mail inside an attached mail."""
    if part.children:
        return part.children[0]
    return read_tree(data, charsets)[0]


def _said_by(contents: Contents, part: Part, data: bytes, level: int = 0) -> str:
    """What an attached mail says, and the mails attached to it."""
    inner = _inner(part, data, contents.charsets)
    heads = [
        f"{name.decode().title()}: {field_text(raw, contents.charsets)}"
        for name in (b"from", b"to", b"date", b"subject")
        if (raw := inner.fields.first(name)) is not None
    ]
    arranged = arrange(inner, contents.charsets)
    scratch = Contents(contents.charsets)
    texts = [_text(scratch, each) for each in arranged.text]
    for each in arranged.attached:
        if each.type not in MESSAGES:
            continue
        inside = transfer_decode(each.view, each.encoding)
        if level < (5 if each.encoding else bounds.DEPTH) and (each.children or each.encoding):
            texts.append(_said_by(contents, each, inside, level + 1))
        else:  # nested too deep to be taken apart
            texts.append(plain_lines(contents.charsets.decode(inside[: bounds.TEXT])))
    said = [text.strip("\n") for text in ("\n".join(heads), *texts) if text.strip()]
    return "\n\n".join(said)[: bounds.TEXT]


def _unpack(contents: Contents, name: str, data: bytes) -> None:
    winmail: Winmail | None = unpack(data, contents.charsets)
    if winmail is None:
        return
    for packed in winmail.attachments:
        kind = packed.content_type.lower() if re.fullmatch(r"[\w.+-]+/[\w.+-]+", packed.content_type) else ""
        kind = kind or "application/octet-stream"
        own = contents.names.unique(packed.name, kind)
        cid = "".join(each for each in packed.content_id.strip("<> ") if each.isprintable()) or None
        contents.attachments.append(Attachment(own, kind, packed.data, cid, False, "", name))
    rtf = decompress(winmail.rtf) if winmail.rtf and not winmail.text and not winmail.html else None
    if rtf is not None:
        own = contents.names.unique("message.rtf", "application/rtf")
        contents.attachments.append(Attachment(own, "application/rtf", rtf, None, False, "", name))
    if winmail.html and contents.html is None:
        contents.html = winmail.html
        contents.safe = make_safe(winmail.html)
    if not contents.text:
        words = winmail.text or (rtf_text(rtf, contents.charsets) if rtf else "")
        text = plain_lines(words)
        contents.texts.append(text if text.strip() or contents.safe is None else contents.safe.text)


def _unwrap(contents: Contents, part: Part, data: bytes) -> None:
    """The text and the attachments inside an opaque signature."""
    content = wrapped_content(data)
    if content is None or part.depth >= bounds.DEPTH:
        return
    root, problems = read_tree(content, contents.charsets)
    if any(each.type in _SIGNED_TYPES for each in walk(root)):
        return  # signed twice: the inner one stays an attachment
    contents.problems |= problems
    inner = read_contents(root, contents.charsets)
    contents.texts.append(inner.text)
    if contents.html is None:
        contents.html, contents.safe = inner.html, inner.safe
    for each in inner.attachments:
        name = contents.names.unique(each.name, each.content_type)
        contents.attachments.append(
            Attachment(name, each.content_type, each.data, each.content_id, each.inline, each.text)
        )


def _fall_back(contents: Contents, arranged: Arranged) -> None:
    """A mail without text of its own: other kinds of text that it shows, else what the mails attached to it say."""
    for part in arranged.attached:
        if part.type.startswith("text/") and part.type not in (
            "text/calendar",
            "text/rfc822-headers",
            "text/vcard",
        ):
            if arranged.disposition(part, contents.charsets).value == "attachment":
                continue
            if arranged.filename(part, contents.charsets) and part.type != "text/plain":
                continue
            body = transfer_decode(part.view, part.encoding)[:_DECODED]
            text = plain_lines(contents.charsets.decode(body, part.kind.parameters.get("charset")))
            rich = part.type in ("text/enriched", "text/richtext", "text/html")
            contents.texts.append(crude_text(text) if rich else text)
    if not contents.text:
        contents.texts += [each.text for each in contents.attachments if each.text]


def outside_text(root: Part, charsets: Charsets) -> str:
    """What stands before the first and after the last part of a multipart, but for the usual remarks."""
    found: list[str] = []
    for part in walk(root):
        for start, end in part.outside:
            text = plain_lines(charsets.decode(part.source[start : min(end, start + bounds.TEXT)])).strip()
            if text and not _FILLER.fullmatch(text) and not set(text) <= set("- \n"):
                found.append(text)
    return "\n\n".join(found)[: bounds.TEXT]
