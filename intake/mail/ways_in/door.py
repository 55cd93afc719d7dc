"""What every way in needs of the house: is this address ours, and keep this mail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from intake.mail.parsing import Envelope
from intake.mail.parsing.authentication import Method


@dataclass(frozen=True)
class Door:
    """The door that a way in knocks at; all three may block, and raise whatever a database raises.

    ``knows`` says whether mail to an address is for us, ``serves`` whether a domain (small letters) is ours.
    ``store`` keeps a mail, its bytes as they came: once it has returned, the mail is safe. The verdicts on its
    sender are None where nobody looked, so that the mail's own fields may be read.
    """

    knows: Callable[[str], bool]
    serves: Callable[[str], bool]
    store: Callable[[bytes, Envelope, str, Sequence[Method] | None], object]
