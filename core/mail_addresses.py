"""Mail addresses as they are compared, and the signed ones: which case a mail is about, told by its address alone.

A case's address is ``local+c1042.<mac>@domain``; ``e`` instead of ``c`` is an engineer's, which is of use to that
engineer alone, and ``b`` takes the bounces of one outgoing mail. Message-IDs of ours are
``<c1042.<random>.<mac>@domain>``. Nobody can make one up: the mac is an HMAC of all that stands before it.
"""

from __future__ import annotations

import base64
import enum
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from functools import lru_cache

_MAC_CHARACTERS = 12  # 60 bits
_TAG = re.compile(r"([ceb])([1-9][0-9]{0,17})\.([a-z2-7]{12})")
_ID = re.compile(r"<?([ceb])([1-9][0-9]{0,17})\.([a-z2-7]{8,40})\.([a-z2-7]{12})@[^<>@\s]+>?")
_PLAIN = re.compile(r"[^\s\"(),:;<>@\[\\\]\x00-\x20\x7f]{1,64}@[^\s\"(),:;<>@\[\\\]_\x00-\x20\x7f]{1,253}")


class Kind(enum.StrEnum):
    """Whose an address or a Message-ID is."""

    CUSTOMER = "c"
    ENGINEER = "e"
    BOUNCE = "b"


@dataclass(frozen=True, slots=True)
class Thread:
    """What a Message-ID of ours says: whose mail it was, and of which case."""

    kind: Kind
    case: int


def address_key(address: str) -> str:
    """What addresses are compared by: small letters, an international domain in its ASCII form."""
    local, at, domain = address.strip().rpartition("@")
    return f"{local.lower()}{at}{ascii_domain(domain)}"


@lru_cache(maxsize=1024)
def ascii_domain(domain: str) -> str:
    """A domain in small letters and ASCII; as it is, if it has no such form."""
    domain = domain.lower().rstrip(".")
    if domain.isascii():
        return domain
    try:
        return domain.encode("idna").decode("ascii") if len(domain) < 254 else domain
    except UnicodeError:
        return domain


def required_address(value: str) -> str:
    """``value`` as addresses are compared; ValueError says that it is none."""
    if not _PLAIN.fullmatch(value.strip()):
        raise ValueError(f"{value!r} is no mail address; expected one such as support@vendor.example")
    return address_key(value)


def without_tag(address: str) -> str:
    """An address without what stands between the first ``+`` and the ``@``, as it is compared."""
    local, at, domain = address_key(address).rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"


class SignedAddresses:
    """Writes and reads signed addresses and Message-IDs. Readers answer None for what is not ours; they never raise.

    Only the local part's tag is read: a mail that was sent to an alias or through another domain is ours all the
    same, and hosts that change the letters' case do no harm.
    """

    def __init__(self, secret_key: str) -> None:
        self._key = hmac.digest(secret_key.encode(), b"mail addresses", "sha256")

    def case_address(self, mailbox: str, case: int) -> str:
        """Where a customer's answer about ``case`` goes."""
        return self._tagged(mailbox, Kind.CUSTOMER, case)

    def engineer_address(self, mailbox: str, case: int, person: str) -> str:
        """Where the answer of the engineer with the key ``person`` goes."""
        return self._tagged(mailbox, Kind.ENGINEER, case, person)

    def bounce_address(self, mailbox: str, outbound: int) -> str:
        """Where a bounce of the outgoing mail with the id ``outbound`` goes."""
        return self._tagged(mailbox, Kind.BOUNCE, outbound)

    def message_id(self, mailbox: str, case: int, kind: Kind = Kind.CUSTOMER, seed: str = "") -> str:
        """A Message-ID, in angle brackets, for a mail about ``case``: a new one, or the same for each ``seed``."""
        token = hmac.digest(self._key, seed.encode(), "sha256")[:10] if seed else secrets.token_bytes(10)
        random = base64.b32encode(token).decode().lower()
        domain = address_key(mailbox).rpartition("@")[2]
        return f"<{kind}{case}.{random}.{self._mac('id', kind, case, random)}@{domain}>"

    def case_of(self, address: str) -> int | None:
        """The case that a customer's address is about."""
        return self._read(address, Kind.CUSTOMER)

    def engineer_case_of(self, address: str, person: str) -> int | None:
        """The case that an address of the engineer ``person`` is about; None if it is somebody else's."""
        return self._read(address, Kind.ENGINEER, person)

    def bounced_of(self, address: str) -> int | None:
        """The id of the outgoing mail whose bounces an address takes."""
        return self._read(address, Kind.BOUNCE)

    def thread_of(self, message_id: str) -> Thread | None:
        """What one of our Message-IDs says, with or without its brackets."""
        found = _ID.fullmatch(message_id.strip().lower()) if len(message_id) < 500 else None
        if found is None:
            return None
        kind, number, random, mac = found.groups()
        if not hmac.compare_digest(mac, self._mac("id", kind, int(number), random)):
            return None
        return Thread(Kind(kind), int(number))

    def loop_value(self) -> str:
        """What marks a mail as sent by this installation."""
        return self._mac("loop")

    def _tagged(self, mailbox: str, kind: Kind, number: int, *bound_to: str) -> str:
        local, _, domain = mailbox.rpartition("@")
        return f"{local}+{kind}{number}.{self._mac('address', kind, number, *bound_to)}@{domain}"

    def _read(self, address: str, kind: Kind, *bound_to: str) -> int | None:
        if len(address) > 500:
            return None
        found = _TAG.fullmatch(address_key(address).rpartition("@")[0].partition("+")[2])
        if found is None or found[1] != kind:
            return None
        number = int(found[2])
        expected = self._mac("address", kind, number, *bound_to)
        return number if hmac.compare_digest(found[3], expected) else None

    def _mac(self, *parts: object) -> str:
        said = "\0".join(str(part) for part in parts).encode("utf-8", "surrogatepass")
        digest = hmac.new(self._key, said, hashlib.sha256).digest()
        return base64.b32encode(digest).decode().lower()[:_MAC_CHARACTERS]
