"""Asking the DNS about a sender, with patience that ends: for each question, and for all questions of a mail."""

from __future__ import annotations

import time
from typing import Any

import dns.exception
import dns.name
import dns.resolver

from core.setting_values import host_and_port

PATIENCE_S, PATIENCE_FOR_ALL_S = 3.0, 8.0
_CACHED = 5_000


class Unanswered(Exception):
    """No name server gave an answer in time, or none could: nothing is known, and asking later may help."""


class Names:
    """The name servers: those of the machine, or the one at ``server`` (``address`` or ``address:port``)."""

    def __init__(
        self,
        server: str = "",
        *,
        patience_s: float = PATIENCE_S,
        patience_for_all_s: float = PATIENCE_FOR_ALL_S,
    ) -> None:
        self._patience_s, self._patience_for_all_s = patience_s, patience_for_all_s
        self._resolver: dns.resolver.Resolver | None = None
        try:
            self._resolver = dns.resolver.Resolver(configure=not server)
        except dns.resolver.NoResolverConfiguration:
            return  # a machine without a network: every question is unanswered
        if server:
            address, self._resolver.port = host_and_port(server)
            self._resolver.nameservers = [address]
        self._resolver.cache = dns.resolver.LRUCache(_CACHED)

    def questions(self) -> Questions:
        """The questions of one mail."""
        return Questions(self._resolver, self._patience_s, time.monotonic() + self._patience_for_all_s)


class Questions:
    """What is asked for one mail."""

    def __init__(self, resolver: dns.resolver.Resolver | None, patience_s: float, until: float) -> None:
        self._resolver, self._patience_s, self._until = resolver, patience_s, until

    def ask(self, name: str, kind: str) -> list[Any]:
        """The records of ``kind`` (TXT, A, AAAA, MX, PTR) of a name, dnspython's; :class:`Unanswered` in trouble.

        A name that does not exist, or that cannot, has none.
        """
        left = min(self._patience_s, self._until - time.monotonic())
        if left <= 0 or self._resolver is None:
            raise Unanswered("no time is left for it")
        try:
            answer = self._resolver.resolve(
                name.rstrip(".") + ".", kind, search=False, lifetime=left, raise_on_no_answer=False
            )
        except (dns.resolver.NXDOMAIN, dns.resolver.YXDOMAIN, UnicodeError):
            return []
        except (dns.resolver.NoNameservers, dns.exception.Timeout, OSError) as error:
            raise Unanswered(type(error).__name__) from None
        except dns.exception.DNSException:
            return []  # no such name can be: a label is empty, or too long
        return list(answer.rrset) if answer.rrset is not None else []

    def texts(self, name: str) -> list[bytes]:
        """The TXT records of a name, their pieces joined."""
        return [b"".join(record.strings) for record in self.ask(name, "TXT")]
