"""DMARC of a mail on whose SPF and DKIM somebody else has come to verdicts: a host that hands mail over by HTTP."""

from __future__ import annotations

from collections.abc import Sequence

from intake.mail.parsing.authentication import Method
from intake.mail.senders.authors import author_domains
from intake.mail.senders.dmarc import check_dmarc
from intake.mail.senders.names import Names

PATIENCE_S, PATIENCE_FOR_ALL_S = 2.0, 4.0  # somebody waits for the answer to a request


class RelayedCheck:
    """Asks the DNS what the authors' domains want, and whether what others vouch for is theirs."""

    def __init__(self, dns_server: str = "") -> None:
        self._names = Names(dns_server, patience_s=PATIENCE_S, patience_for_all_s=PATIENCE_FOR_ALL_S)

    def __call__(self, raw: bytes, verdicts: Sequence[Method]) -> tuple[Method, ...]:
        """``verdicts``, the first of which is SPF's, with DMARC's; without it if the DNS does not answer now.

        A ``temperror`` would outweigh what is known: then SPF and DKIM speak for themselves.
        """
        if not verdicts:
            return ()
        spf, *dkims = verdicts
        dmarc = check_dmarc(self._names.questions(), author_domains(raw), spf, dkims)
        return (*verdicts,) if dmarc.result == "temperror" else (*verdicts, dmarc)
