"""DKIM (RFC 6376): which domains have signed this mail as it is? Verified by dkimpy.

What would let a stranger add to a signed mail is no pass: a signature of a part of the text (l=), or one that
leaves out From; nor is one by SHA-1 (RFC 8301).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import dkim

from intake.mail.parsing.authentication import Method
from intake.mail.senders.names import Questions, Unanswered

_SIGNATURES = 5
_HEADER_BYTES = 300_000
_BIG = 2_000_000
_one_big_at_a_time = threading.Lock()  # the library holds a mail several times over


def check_dkim(questions: Questions, raw: bytes, prefers: Callable[[str], bool]) -> list[Method]:
    """A result for each signature, at most five; those first whose domain the caller ``prefers``."""
    end = raw.find(b"\r\n\r\n")
    if b"dkim-signature:" not in raw[: end if end >= 0 else None].lower():
        return []
    if not 0 <= end <= _HEADER_BYTES:
        return [Method("dkim", "permerror", "the header is too long")]
    if len(raw) < _BIG:
        return _check(questions, raw, prefers)
    with _one_big_at_a_time:
        return _check(questions, raw, prefers)


def _check(questions: Questions, raw: bytes, prefers: Callable[[str], bool]) -> list[Method]:
    try:
        mail = dkim.DKIM(raw, logger=_Silent())
    except dkim.DKIMException as error:
        return [Method("dkim", "permerror", type(error).__name__)]
    count = sum(name.lower() == b"dkim-signature" for name, _ in mail.headers)
    domains = {number: _domain(mail, number) for number in range(min(count, 100))}
    order = sorted(domains, key=lambda number: not prefers(domains[number]))
    return [_verify(questions, mail, number, domains[number]) for number in order[:_SIGNATURES]]


def _domain(mail: Any, number: int) -> str:
    try:
        return str(mail.verify_headerprep(number)[0][b"d"], "ascii").lower()
    except Exception:  # noqa: BLE001  # a signature that is none belongs to nobody
        return ""


def _verify(questions: Questions, mail: Any, number: int, domain: str) -> Method:
    properties = {"header.d": domain} if domain else {}

    def key(name: bytes, timeout: float = 0) -> bytes | None:
        return next(iter(questions.texts(name.decode("ascii"))), None)

    try:
        verified = mail.verify(number, dnsfunc=key)
        signature = mail.signature_fields
    except Unanswered as error:
        return Method("dkim", "temperror", str(error), properties)
    except dkim.ValidationError as error:
        altered = "mismatch" in str(error)
        return Method("dkim", "fail" if altered else "permerror", "", properties)
    except Exception as error:  # noqa: BLE001  # whatever the signature does to the library, it is no pass
        return Method("dkim", "permerror", type(error).__name__, properties)
    properties["header.s"] = signature[b"s"].decode("ascii", "replace")
    if not verified:
        return Method("dkim", "fail", "", properties)
    weak = _weakness(signature, mail.include_headers)
    return Method("dkim", "policy" if weak else "pass", weak, properties)


def _weakness(signature: dict[bytes, bytes], signed: tuple[bytes, ...]) -> str:
    if b"l" in signature:
        return "only a part of the text is signed"
    if b"from" not in signed:
        return "From is not signed"
    return "signed by SHA-1" if signature[b"a"].endswith(b"sha1") else ""


class _Silent:
    """A log for the library, that would write senders into ours."""

    def debug(self, *_: object) -> None:
        """Nothing."""

    info = warning = error = critical = debug
