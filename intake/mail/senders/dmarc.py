"""DMARC (RFC 7489): does what SPF and DKIM vouch for belong to the author, and what does the author's domain ask?"""

from __future__ import annotations

from collections.abc import Sequence

from intake.mail.parsing.authentication import Method
from intake.mail.senders.names import Questions, Unanswered
from intake.mail.senders.suffixes import aligned, organizational_domain

_POLICIES = ("none", "quarantine", "reject")


def check_dmarc(questions: Questions, authors: Sequence[str], spf: Method, dkims: Sequence[Method]) -> Method:
    """The result for the domains of the mail's authors (From); more than one fail, for none can vouch for all."""
    domains = list(dict.fromkeys(domain for domain in authors if domain))
    if len(authors) > 1 and len(domains) != 1:
        return Method("dmarc", "fail", "authors of several domains")
    if not domains:
        return Method("dmarc", "permerror", "no author")
    domain = domains[0]
    properties = {"header.from": domain}
    try:
        record, of = _record(questions, domain)
    except Unanswered as error:
        return Method("dmarc", "temperror", str(error), properties)
    if record is None:
        return Method("dmarc", "none", "", properties)
    policy = record["p"] if of == domain else record.get("sp", record["p"])
    properties["policy.dmarc"] = policy if policy in _POLICIES else "none"
    return Method("dmarc", _result(record, domain, spf, dkims), "", properties)


def _result(record: dict[str, str], author: str, spf: Method, dkims: Sequence[Method]) -> str:
    checked = [(spf, _spf_domain(spf), record.get("aspf") == "s")]
    checked += [(each, each.properties.get("header.d", ""), record.get("adkim") == "s") for each in dkims]
    results = {each.result for each, domain, strict in checked if aligned(domain, author, strict=strict)}
    if "pass" in results:
        return "pass"
    # It might have passed: that is not held against the sender, and is no pass either.
    return "temperror" if "temperror" in results else "fail"


def _spf_domain(spf: Method) -> str:
    return spf.properties.get("smtp.mailfrom") or spf.properties.get("smtp.helo", "")


def _record(questions: Questions, domain: str) -> tuple[dict[str, str] | None, str]:
    """The policy of a domain or of its owner's domain (6.6.3), and whose it is."""
    for name in dict.fromkeys((domain, organizational_domain(domain))):
        found = [
            text
            for text in questions.texts(f"_dmarc.{name}")
            if text.replace(b" ", b"").startswith(b"v=DMARC1")
        ]
        if len(found) == 1 and (read := _read(found[0])):
            return read, name
    return None, domain


def _read(text: bytes) -> dict[str, str] | None:
    """The tags of a record. One without a policy that can be understood is none, unless it asks for reports."""
    pairs = (pair.partition("=") for pair in text.decode("ascii", "replace").split(";"))
    tags = {name.strip().lower(): value.strip().lower() for name, _, value in pairs if value.strip()}
    if tags.get("p") not in _POLICIES:
        if "mailto:" not in tags.get("rua", ""):
            return None
        tags["p"] = "none"
    return tags
