"""What is said of a recipient who could not be reached: by the server that was spoken to, or in a report later."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.mail import MailError
from core.mail_addresses import address_key

_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_REPLY = re.compile(r"^([45])\d\d\b")
# Enhanced codes (RFC 3463) that say that there is no such mailbox, and not that this one mail was not wanted.
_NO_MAILBOX = {
    "1.0": "no such address", "1.1": "no such address", "1.2": "no such host", "1.3": "no such address",
    "1.6": "the address has moved", "1.10": "it takes no mail", "2.1": "the mailbox is disabled",
    "4.4": "no such host",
}  # fmt: skip
_OLD_NO_MAILBOX = re.compile(
    r"user unknown|unknown user|no such (?:user|mailbox|recipient|address)|mailbox (?:unavailable|not found)"
    r"|does not exist|recipient (?:address )?rejected|address rejected|invalid recipient|unknown recipient",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Failure:
    """One recipient who did not get a mail. ``status`` is the enhanced code (``5.1.1``), if one was given."""

    address: str
    permanent: bool
    status: str = ""
    said: str = ""

    @property
    def key(self) -> str:
        """The address as addresses are compared."""
        return address_key(self.address)

    @property
    def no_mailbox(self) -> str | None:
        """Why no mail at all will reach the address; None if only this one did not."""
        if not self.permanent:
            return None
        status = _STATUS.search(self.status)
        if status is not None and status[1] == "5" and status[0] != "5.0.0":
            return _NO_MAILBOX.get(f"{status[2]}.{status[3]}")
        return "no such address" if _OLD_NO_MAILBOX.search(self.said) else None

    @property
    def words(self) -> str:
        """What is shown of it: the code and a reason, without the address, which servers like to repeat."""
        reason = self.no_mailbox or self.said.replace(self.address, "(address)")
        return " ".join(f"{self.status} {reason}".split())[:200] or "no reason was given"


def failure_said(address: str, error: MailError, *, given_up: bool = False) -> Failure:
    """What a server said of a recipient."""
    said = str(error)
    status = _STATUS.search(said)
    if given_up:
        return Failure(address, True, "", f"given up after many tries: {said}")
    return Failure(address, error.permanent, status[0] if status else "", said)
