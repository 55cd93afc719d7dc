"""Is a mail from whom it says? What servers found out, in a word: proven, unproven, doubted or forged. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from core.mail_addresses import ascii_domain
from intake.mail.parsing import ParsedMail
from intake.mail.parsing.authentication import Authentication, Method
from intake.mail.senders.suffixes import aligned
from routing.coverage_mail import DOUBTED, FORGED, PROVEN, UNPROVEN


def trust_in(mail: ParsedMail, own: Sequence[Method] | None) -> str:
    """Whether the author's domain stands behind the mail, or disowns it.

    ``own`` are the verdicts that we came to ourselves; else those count that our receiver has written into the mail.
    Without either nothing is known. Forged is what fails DMARC; and where the domain publishes none, a mail that
    fails SPF or DKIM and passes neither for that domain. Doubted is what SPF calls probably not theirs (softfail);
    and what servers vouch for under another author than the one that we read: a From can be written so that two
    programs read two people out of it.
    """
    found = mail.authentication if own is None else Authentication("", tuple(own))
    author = ascii_domain(mail.from_addresses[0].domain) if mail.from_addresses else ""
    if found is None or not author:
        return UNPROVEN
    if found.dmarc == "fail":
        return FORGED
    several = len({ascii_domain(each.domain) for each in mail.from_addresses}) > 1
    if _dmarc_passes(found, author) or _vouched(found, author):
        return DOUBTED if several else PROVEN
    if found.dmarc == "pass":
        return DOUBTED
    # A result that could not be had today is not held against the sender.
    if "temperror" in (found.dmarc, found.spf, found.dkim):
        return UNPROVEN
    if "fail" in (found.spf, found.dkim):
        return FORGED
    return DOUBTED if found.spf == "softfail" else UNPROVEN


def _dmarc_passes(found: Authentication, author: str) -> bool:
    """Whether DMARC passes for this author; whoever does not name one has read the same From, we hope."""
    read = found.domains("dmarc")
    return found.dmarc == "pass" and (not read or any(aligned(ascii_domain(each), author) for each in read))


def _vouched(found: Authentication, author: str) -> bool:
    domains = (*found.domains("dkim"), *found.domains("spf"))
    return any(aligned(domain, author) for domain in domains)
