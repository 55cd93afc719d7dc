"""Whose is a domain? By the public suffix list that its package carries (RFC 7489, 3.2)."""

from __future__ import annotations

from functools import cache, lru_cache

from publicsuffixlist import PublicSuffixList


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


@lru_cache(maxsize=4096)
def organizational_domain(domain: str) -> str:
    """The domain that somebody has registered, of ``domain`` or above it; a public suffix is its own."""
    domain = domain.strip().rstrip(".").lower()
    return _suffixes().privatesuffix(domain) or domain


def aligned(domain: str, author: str, *, strict: bool = False) -> bool:
    """Whether what vouches for ``domain`` vouches for ``author`` (RFC 7489, 3.1): of one owner, or the same."""
    domain, author = domain.strip().rstrip(".").lower(), author.strip().rstrip(".").lower()
    if not domain or not author:
        return False
    return domain == author or (not strict and organizational_domain(domain) == organizational_domain(author))
