"""Who says that they wrote a mail: the domains in From. Pure."""

from __future__ import annotations

from intake.mail.parsing.addresses import read_addresses
from intake.mail.parsing.charsets import Charsets
from intake.mail.parsing.heads import read_header


def author_domains(raw: bytes) -> tuple[str, ...]:
    """The domain of each address in From, in ASCII; one mail program shows this author, another one that."""
    fields, charsets = read_header(raw)[0], Charsets()
    found = [each for value in fields.every(b"from") for each in read_addresses(value, charsets)]
    return tuple(each.key.rpartition("@")[2] for each in found[:50])
