"""Twilio's signature on a request: HMAC over its public address and its parameters."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable, Iterator

from flask import Request
from twilio.request_validator import (
    HMAC_SHA1,
    SIGNATURE_HEADER,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    get_signature_algorithm,
)
from werkzeug.datastructures import MultiDict

from core.settings import Settings

_DIGESTS = {"HMAC_SHA1": "sha1", "HMAC_SHA256": "sha256"}


class SignatureCheck:
    """Accepts what was signed with one of the account's tokens for an address that is ours."""

    def __init__(self, settings: Settings) -> None:
        self._public_url = settings.public_url
        self._behind_proxies = settings.trusted_proxies > 0
        self._keys = [(token.encode(), RequestValidator(token)) for token in settings.webhook_tokens]

    def accepts(self, request: Request) -> bool:
        """Whether the signature of ``request`` is one of ours."""
        signature = request.headers.get(SIGNATURE_HEADER, "")
        if not signature:
            return False
        algorithm = get_signature_algorithm(request.headers.get(SIGNATURE_SETTINGS_HEADER, ""))
        form = request.form
        return any(
            _validates(validator, url, form, signature, algorithm)
            for url in self._addresses(request)
            for _, validator in self._keys
        )

    def is_signed(self, path: str, fields: Iterable[tuple[str, str]], signature: str, settings: str) -> bool:
        """Whether a form without repeated names was signed for ``path`` of our public address.

        Twilio's rule: the address, then every name and value, sorted. The library computes the same in four times
        the time, which a ringing phone waits for; whatever does not match here is asked of :meth:`accepts`.
        """
        digest = _DIGESTS.get(get_signature_algorithm(settings).upper() if settings else HMAC_SHA1)
        if digest is None:
            return False
        signed = (
            self._public_url + path + "".join([name + value for name, value in sorted(fields)])
        ).encode()
        given = signature.encode()
        return any(
            hmac.compare_digest(base64.b64encode(hmac.digest(token, signed, digest)), given)
            for token, _ in self._keys
        )

    def _addresses(self, request: Request) -> Iterator[str]:
        """The addresses that the request may have been signed for: ours, and the one that our proxies report."""
        query = request.query_string.decode("latin-1")
        yield self._public_url + request.path + (f"?{query}" if query else "")
        if self._behind_proxies:
            yield request.url


def _validates(
    validator: RequestValidator, url: str, form: MultiDict[str, str], signature: str, algorithm: str
) -> bool:
    """What the library says, who knows of senders that add or drop the default port."""
    try:
        return bool(validator.validate(url, form, signature, algorithm))
    except ValueError:  # an algorithm that the library does not know, or a forwarded host that is none
        return False
