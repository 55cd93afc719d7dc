"""SPF (RFC 7208): may this machine send for the envelope's domain? Computed by pyspf, asked through our resolver."""

from __future__ import annotations

from typing import Any

import spf

from intake.mail.parsing.authentication import Method
from intake.mail.senders.names import Questions, Unanswered

_RESULTS = ("pass", "fail", "softfail", "neutral", "none", "permerror", "temperror")


def check_spf(questions: Questions, peer: str, helo: str, sender: str) -> Method:
    """The result for the envelope's sender, or for the HELO name where the path is null (2.4)."""
    domain = sender.rpartition("@")[2].lower()
    properties = {"smtp.mailfrom": domain} if sender else {"smtp.helo": helo.lower()}
    try:
        result = _Query(questions, peer, sender, helo).check()[0]  # type: ignore[no-untyped-call]
    except Exception as error:  # noqa: BLE001  # whatever the record does to the library, it is no pass
        return Method("spf", "permerror", type(error).__name__, properties)
    return Method("spf", result if result in _RESULTS else "neutral", "", properties)


class _Query(spf.query):
    """A query that asks through ``questions``."""

    def __init__(self, questions: Questions, peer: str, sender: str, helo: str) -> None:
        super().__init__(i=peer, s=sender, h=helo)  # type: ignore[no-untyped-call]
        self._questions = questions

    def dns(self, name: Any, qtype: str, cnames: Any = None, ignore_void: bool = False) -> list[Any]:
        """Records in the library's form. Names without records are counted: more than two are an error (4.6.4)."""
        key = (str(name).rstrip(".").lower(), qtype)
        if key not in self.cache:
            try:
                self.cache[key] = [_in_its_form(each, qtype) for each in self._questions.ask(*key)]
            except Unanswered as error:
                raise spf.TempError(f"DNS {error}") from None
        found: list[Any] = self.cache[key]
        if not found and not ignore_void:
            self.void_lookups += 1
            if self.void_lookups > spf.MAX_VOID_LOOKUPS:
                raise spf.PermError("too many names without records")
        return found

    def get_explanation(self, spec: Any) -> None:
        """Nobody reads what a stranger would say about a failure."""


def _in_its_form(record: Any, kind: str) -> Any:
    if kind == "MX":
        return record.preference, record.exchange.to_text(omit_final_dot=True)
    if kind == "PTR":
        return record.target.to_text(omit_final_dot=True)
    return record.strings if kind == "TXT" else record.address
