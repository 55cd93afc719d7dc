"""What a mail says in parts that are no text: an invitation, a visiting card, a report for machines. Pure."""

from __future__ import annotations

import quopri
import re

from intake.mail.parsing.bounces import Bounce
from intake.mail.parsing.charsets import Charsets
from intake.mail.parsing.decoding import transfer_decode
from intake.mail.parsing.invitations import invitation_text
from intake.mail.parsing.tree import Part
from intake.mail.parsing.words import one_line

_CARDS = ("text/vcard", "text/x-vcard", "text/directory")
_MOST_BYTES = 1_000_000
_MOST_CARDS = 10
_CARD_FIELDS = {
    "FN": "Name",
    "N": "Name",
    "TITLE": "Title",
    "ORG": "Company",
    "TEL": "Telephone",
    "EMAIL": "Mail",
}
_ESCAPED = re.compile(r"\\([\\,;:])")
_MOST_RECIPIENTS = 20


def described(
    parts: list[Part], charsets: Charsets, *, has_text: bool, bounce: Bounce | None, protection: str | None
) -> str:
    """What the ``parts`` of a mail say beside its text. An invitation is told in any case: its text may leave out
    when it is. The other kinds are, where the mail has no text that says it.
    """
    found = _first_invitation(parts, charsets)
    if has_text:
        return found
    cards = [card for part in parts if part.type in _CARDS for card in _cards(_decoded(part, charsets))]
    told = [found, *cards[:_MOST_CARDS], _report(bounce) if bounce else ""]
    if protection and protection.endswith("encrypted"):
        told.append(f"(The mail is encrypted, {protection.partition(' ')[0]}: it cannot be read here.)")
    return "\n\n".join(each for each in told if each)


def _decoded(part: Part, charsets: Charsets) -> str:
    body = transfer_decode(part.view, part.encoding)[:_MOST_BYTES]
    return charsets.decode(body, part.kind.parameters.get("charset", "utf-8"))


def _first_invitation(parts: list[Part], charsets: Charsets) -> str:
    """Of the first calendar that can be read: the others are the same once more, for other programs."""
    for part in parts:
        if part.type in ("text/calendar", "application/ics"):
            told = invitation_text(_decoded(part, charsets), part.kind.parameters.get("method", ""))
            if told:
                return told
    return ""


def _cards(text: str) -> list[str]:
    """Visiting cards (RFC 6350, and what came before it), with how to reach their people."""
    text = text.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "")
    cards: list[str] = []
    found: list[tuple[str, str]] = []
    for line in text.split("\n")[:2_000]:
        head, _, value = line.partition(":")
        name, _, parameters = head.rpartition(".")[2].upper().partition(";")
        if name == "END":
            cards += _card(found)
            found = []
        elif name in _CARD_FIELDS:
            if "QUOTED-PRINTABLE" in parameters:
                value = quopri.decodestring(value.encode()).decode("utf-8", "replace")
            found.append((name, _card_value(value)))
    return cards


def _card(found: list[tuple[str, str]]) -> list[str]:
    names = {name for name, value in found if value}
    told = [
        f"{_CARD_FIELDS[name]}: {value}"
        for name, value in found
        if value and (name != "N" or "FN" not in names)
    ]
    return ["\n".join(["Visiting card", *told])] if told else []


def _card_value(value: str) -> str:
    pieces = (piece.strip() for piece in re.split(r"(?<!\\);", one_line(value).removeprefix("tel:")))
    return _ESCAPED.sub(r"\1", ", ".join(piece for piece in pieces if piece))


def _report(bounce: Bounce) -> str:
    """A delivery report that was written for machines alone."""
    told = []
    for each in bounce.recipients[:_MOST_RECIPIENTS]:
        what = {True: "could not be delivered", False: "could not be delivered yet", None: "was delivered"}
        why = " ".join(filter(None, (each.status, one_line(each.diagnostic, 300))))
        told.append(f"Mail to {each.address or 'somebody'} {what[each.permanent]}{f': {why}' if why else ''}")
    return "\n".join(told)
