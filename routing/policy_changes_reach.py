"""What changes in how people and other systems are reached, in words. Pure.

Addresses of chats and of webhooks let whoever has them write there, and secrets sign what we send: that they change
is said, and never what they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from core import phone_numbers
from routing.contact_methods import ContactRule, Hook, Method
from routing.paging.channels import CHANNELS
from routing.policy_changes_values import fields, keyed, values
from routing.policy_parts import PersonEntry

_FROM_ENVIRONMENT = "env:"


def people(name: str, before: PersonEntry, after: PersonEntry) -> Iterator[str]:
    """Methods and rules as sentences, and the other fields."""
    yield from fields(name, before, after, leave_out=("methods", "rules"))
    yield from keyed(f"{name}, method", before.methods, after.methods, _method, _method_in_words)
    if before.rules != after.rules:
        yield f"{name}, rules: {_rules(before.rules)} -> {_rules(after.rules)}"


def person_in_words(person: PersonEntry) -> str:
    """The number that identifies them."""
    return phone_numbers.shown(person.phone)


def hooks(name: str, before: Hook, after: Hook) -> Iterator[str]:
    """Where it posts to, and which events."""
    yield from _hidden(f"{name}, url", before.url, after.url)
    yield from _hidden(f"{name}, secret", before.secret, after.secret)
    yield from values(f"{name}, events", before.events, after.events)


def hook_in_words(hook: Hook) -> str:
    """``posts case.opened to crm.example``."""
    return f"posts {', '.join(hook.events)} to {_place(hook.url)}"


def _method(name: str, before: Method, after: Method) -> Iterator[str]:
    yield from values(f"{name}, channel", before.channel, after.channel)
    if _is_open(before) and _is_open(after):
        yield from values(f"{name}, address", before.address, after.address)
    else:
        yield from _hidden(f"{name}, address", before.address, after.address)
    yield from values(f"{name}, verified", before.verified, after.verified)
    yield from _hidden(f"{name}, secret", before.secret, after.secret)


def _method_in_words(method: Method) -> str:
    where = method.address if _is_open(method) else _place(method.address)
    needs_proof = CHANNELS[method.channel].needs_verified
    proof = f", {'' if method.verified else 'not '}verified" if needs_proof else ""
    return f"{method.channel} {where}{proof}"


def _is_open(method: Method) -> bool:
    """Whether its address is no secret: a number or a mail address."""
    return CHANNELS[method.channel].needs_verified or method.channel == "mail"


def _hidden(name: str, before: str, after: str) -> Iterator[str]:
    if before == after:
        return
    old, new = _place(before), _place(after)
    yield f"{name}: another one ({new})" if old == new else f"{name}: {old} -> {new}"


def _place(secret: str) -> str:
    """What may be said of an address or of a secret: its host, or the environment's variable."""
    if not secret:
        return "none"
    if secret.startswith(_FROM_ENVIRONMENT):
        return secret
    parts = urlsplit(secret)
    if parts.scheme in ("http", "https") and parts.hostname:
        return parts.hostname
    return f"{parts.scheme}://..." if parts.scheme and "://" in secret else "not shown"


def _rules(rules: list[ContactRule]) -> str:
    return "; ".join(map(_rule, rules)) or "every method at once"


def _rule(rule: ContactRule) -> str:
    when = f"after {rule.after_s} s" if rule.after_s else "at once"
    again = f", {rule.times} times, {rule.again_after_s} s apart" if rule.times > 1 else ""
    return f"{rule.use} {when}{again}"
