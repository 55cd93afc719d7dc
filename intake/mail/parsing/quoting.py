"""What somebody wrote, apart from what they quoted: history is folded away, and never deleted.

``fold`` cuts a text into pieces whose kinds are known; put together they are the text again, to the letter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from intake.mail.parsing import bounds

Kind = Literal["written", "quoted", "signature"]

_WROTE = re.compile(
    r"(?:on|am|le|el|il|op|em|den|på|dne|w dniu|vào|ons|tor|fre|man|tir|lør|søn|\d{4}[-/年]|\d{1,2}[./]).{0,300}"
    r"(?:wrote|writes|sent|schrieb|schreibt|a écrit|escribió|ha scritto|schreef|geschreven|escreveu|skrev"
    r"|napsal(?:\(a\))?|napisał(?:\(a\))?|kirjoitti|viết|написал|пишет|写道|の書き込み|のメッセージ).{0,100}[:\uff1a]\s*",
    re.IGNORECASE | re.DOTALL,
)
_ENDS_WROTE = re.compile(
    r"(?:wrote|writes|sent|schrieb|schreibt|écrit|escribió|scritto|schreef|geschreven|escreveu|skrev|napsal"
    r"|napisał|kirjoitti|viết|написал|пишет|写道|書き込み|メッセージ).{0,100}[:\uff1a]\s*$",
    re.IGNORECASE,
)
_DASHED = re.compile(r"\s*-{2,}\s*[^\s-].{0,200} wrote\s*-{2,}\s*", re.IGNORECASE)
# A date and an address, as some programs begin in a language that they do not know.
_DATE = re.compile(r"\d{4}[-/]\d{1,2}[-/]\d{1,2}")
_ADDRESS = re.compile(r"\s*[^\s<>@]{1,64}@[^\s<>@]{1,200}")
_DATE_FIELD = re.compile(r"[\s*]*(?:date|datum|fecha|data)\s?\*?\s*[:：]\s?\*?.*\d", re.IGNORECASE)
_SEPARATOR = re.compile(
    r"\s*(?:-{2,}|_{2,})\s*(?:original message|originalnachricht|ursprüngliche nachricht|message d'origine"
    r"|mensaje original|messaggio originale|oorspronkelijk bericht|mensagem original|ursprungligt meddelande"
    r"|original appointment|forwarded message|weitergeleitete nachricht|reply message|antwort"
    r"|begin forwarded message)\s*(?:-{2,}|_{2,})?\s*",
    re.IGNORECASE,
)
_FORWARDED = re.compile(r"\s*begin forwarded message:\s*", re.IGNORECASE)
_RULE = re.compile(r"\s*[_]{20,}\s*")
_FIRST_FIELD = re.compile(
    r"[\s*]*(?:from|von|de|da|van|från|fra|od|lähettäjä|差出人|发件人)\s?\*?\s*[:\uff1a]\s?\*?.+",
    re.IGNORECASE,
)
_NEXT_FIELD = re.compile(
    r"[\s*]*(?:sent|date|to|subject|cc|gesendet|datum|an|betreff|envoyé|envoyé le|à|objet|enviado|enviado el|para"
    r"|asunto|fecha|inviato|data|oggetto|a|verzonden|aan|onderwerp|skickat|till|ämne|sendt|til|emne|odesláno|komu"
    r"|předmět|lähetetty|vastaanottaja|aihe|assunto|送信日時|宛先|件名|发送时间|收件人|主题)\s?\*?\s*[:\uff1a]",
    re.IGNORECASE,
)
_MOBILE = re.compile(
    r"\s*(?:sent from (?:my |mail for|outlook|yahoo)|get outlook for|gesendet von|von meinem .{1,30} gesendet"
    r"|envoyé de mon|enviado desde mi|inviato da|verzonden (?:vanaf|met) mijn|diese nachricht wurde von mein"
    r"|skickat från min|sendt fra min).{0,80}",
    re.IGNORECASE,
)


_HEADS = "abdefgilmnopstvw0123456789"  # what an introduction or a phone's signature may begin with
_DATED = re.compile(r"@|\d{1,2}[:.]\d{2}")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of lines of one kind, with its line ends."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Folded:
    """A text in pieces. ``written`` is what its sender wrote; never empty where the text is not."""

    pieces: tuple[Piece, ...] = ()

    @property
    def written(self) -> str:
        """What the sender wrote, without what they quoted and signed; the whole text if nothing else is left."""
        own = "".join(piece.text for piece in self.pieces if piece.kind == "written").strip()
        return own or "".join(piece.text for piece in self.pieces).strip()

    @property
    def quoted(self) -> str:
        return "".join(piece.text for piece in self.pieces if piece.kind == "quoted").strip("\n")

    @property
    def signature(self) -> str:
        return "".join(piece.text for piece in self.pieces if piece.kind == "signature").strip("\n")


def fold(text: str) -> Folded:
    """``text`` in pieces: written, quoted, signature. Linear in its length."""
    *whole, last = text.split("\n")
    lines = [f"{line}\n" for line in whole] + ([last] if last else [])
    kinds: list[Kind] = []
    number = 0
    while number < min(len(lines), bounds.FOLDED_LINES):
        kind, count = _kind(lines, number, kinds)
        kinds.extend([kind] * count)
        number += count
    kinds.extend([kinds[-1] if kinds else "written"] * (len(lines) - len(kinds)))
    return Folded(_pieces(lines, kinds))


def _kind(lines: list[str], number: int, kinds: list[Kind]) -> tuple[Kind, int]:
    """What the line is, and how many lines from it on are so."""
    line = lines[number]
    head = line.lstrip(" \t*")[:1]
    if head == ">":
        return "quoted", 1
    if not line.strip():
        return ("quoted" if kinds and kinds[-1] == "quoted" else "written"), 1
    if head not in "-_" and len(head.encode()) == 1 and head.lower() not in _HEADS and ":" not in line:
        return "written", 1
    if line.startswith("-----BEGIN PGP SIG") and (length := _armour_length(lines, number)):
        return "signature", length
    if _begins_history(lines, number):
        return "quoted", len(lines) - number
    length = _introduction(lines, number)
    if length and _is_quoted_next(lines, number + length):
        return "quoted", length
    if (
        length
        and _names_a_writer(lines, number, length)
        and _DATED.search("".join(lines[number : number + length]))
    ):
        return "quoted", len(lines) - number  # quoted without marks, as some programs do
    if line.rstrip("\r\n") in ("-- ", "--") or _MOBILE.fullmatch(line[:200].rstrip()):
        return "signature", _signature_length(lines, number)
    return "written", 1


def _armour_length(lines: list[str], number: int) -> int:
    """How many lines the head or the signature of a text signed by OpenPGP takes (RFC 9580, 7); else 0."""
    ends = {
        "-----BEGIN PGP SIGNED MESSAGE-----": "",  # after a few fields
        "-----BEGIN PGP SIGNATURE-----": "-----END PGP SIGNATURE-----",
    }
    end = ends.get(lines[number].rstrip())
    if end is None:
        return 0
    following = range(number + 1, len(lines))
    last = next((each for each in following if lines[each].rstrip() == end), len(lines) - 1)
    return last + 1 - number


def _begins_history(lines: list[str], number: int) -> bool:
    """Whether all from here on is an earlier mail, pasted without quotation marks."""
    line = lines[number][:300]
    if _SEPARATOR.fullmatch(line) or _FORWARDED.fullmatch(line) or _DASHED.fullmatch(line):
        return True
    if _RULE.fullmatch(line):
        return number + 1 < len(lines) and _is_header_block(lines, number + 1)
    return _is_header_block(lines, number)


def _is_header_block(lines: list[str], number: int) -> bool:
    if not _FIRST_FIELD.match(lines[number][:300]):
        dated = number + 1 < len(lines) and _DATE_FIELD.match(lines[number][:300])
        if not dated or not _FIRST_FIELD.match(lines[number + 1][:300]):
            return False
        number += 1
    following = [line[:300] for line in lines[number + 1 : number + 6]]
    return sum(1 for line in following if _NEXT_FIELD.match(line)) >= 2


def _introduction(lines: list[str], number: int) -> int:
    """How many lines ``On Monday, Ann wrote:`` takes, if it stands here and a quotation follows; else 0."""
    first = lines[number].lstrip()[:12]
    if not first or not (first[0].isalpha() or first[0].isdigit()):
        return 0
    dated = _DATE.match(first) is not None
    for count in (1, 2, 3):
        if number + count > len(lines):
            return 0
        last = lines[number + count - 1]
        if len(last) > 400 or (count > 1 and not last.strip()):
            return 0
        if _ENDS_WROTE.search(last.rstrip()):
            joined = "".join(lines[number : number + count]).strip()
            return count if len(joined) <= 600 and _WROTE.fullmatch(joined + "\n") else 0
        if dated and _is_date_and_address("".join(lines[number : number + count]).strip()):
            return count
    return 0


def _is_date_and_address(text: str) -> bool:
    if not text.endswith((">", ">:")) or len(text) > 600:
        return False
    return _ADDRESS.fullmatch(text.rstrip(": \n").removesuffix(">").rpartition("<")[2]) is not None


def _names_a_writer(lines: list[str], number: int, count: int) -> bool:
    """Whether the introduction says that somebody wrote: a date and an address alone may stand in any text."""
    return _WROTE.fullmatch("".join(lines[number : number + count]).strip() + "\n") is not None


def _is_quoted_next(lines: list[str], number: int) -> bool:
    following = [line for line in lines[number : number + 4] if line.strip()]
    return bool(following) and following[0].lstrip(" ")[:1] == ">"


def _signature_length(lines: list[str], number: int) -> int:
    """A signature goes on to the quotation after it, or to the end."""
    count = 1
    while number + count < len(lines):
        following = lines[number + count]
        if following.lstrip(" ")[:1] == ">" or _begins_history(lines, number + count):
            break
        if _introduction(lines, number + count):
            break
        count += 1
    return count


def _pieces(lines: list[str], kinds: list[Kind]) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    start = 0
    for number in range(1, len(lines) + 1):
        if number == len(lines) or kinds[number] != kinds[start]:
            pieces.append(Piece(kinds[start], "".join(lines[start:number])))
            start = number
    return tuple(pieces)
