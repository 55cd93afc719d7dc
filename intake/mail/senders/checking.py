"""All that is found out about the sender of a mail that came straight from a stranger."""

from __future__ import annotations

from ipaddress import ip_address

from core.setting_values import networks_of
from core.settings import Settings
from intake.mail.parsing.authentication import Method
from intake.mail.senders.authors import author_domains
from intake.mail.senders.dkim_check import check_dkim
from intake.mail.senders.dmarc import check_dmarc
from intake.mail.senders.names import Names
from intake.mail.senders.spf_check import check_spf
from intake.mail.senders.suffixes import aligned


class SenderCheck:
    """Checks senders, but for those on this machine and on our own relays, which have done so."""

    def __init__(self, settings: Settings, names: Names | None = None) -> None:
        self._trusted = networks_of(settings.smtp_trusted)
        self._names = names or Names(settings.dns_server)

    def trusts(self, peer: str) -> bool:
        """Whether a peer's mail comes from us: its own Authentication-Results count then."""
        try:
            address = ip_address(peer.partition("%")[0])
        except ValueError:
            return True  # it came over this machine's file system
        address = getattr(address, "ipv4_mapped", None) or address
        return address.is_loopback or any(address in network for network in self._trusted)

    def __call__(self, peer: str, helo: str, sender: str, raw: bytes) -> tuple[Method, ...] | None:
        """The verdicts, or None for a trusted peer. Never raises; trouble with the DNS is a ``temperror``."""
        return None if self.trusts(peer) else self.verdicts(peer, helo, sender, raw)

    def verdicts(self, peer: str, helo: str, sender: str, raw: bytes) -> tuple[Method, ...]:
        """SPF, each DKIM signature, DMARC."""
        questions = self._names.questions()
        authors = author_domains(raw)
        spf = check_spf(questions, peer, helo, sender)
        dkims = check_dkim(questions, raw, lambda domain: any(aligned(domain, author) for author in authors))
        return (spf, *dkims, check_dmarc(questions, authors, spf, dkims))
