"""Twilio's signature on a request: HMAC over its public address and its parameters."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterator

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
        settings = request.headers.get(SIGNATURE_SETTINGS_HEADER)
        algorithm = get_signature_algorithm(settings) if settings else HMAC_SHA1
        given, form = signature.encode(), request.form
        for url in self._addresses(request):
            for token, validator in self._keys:
                if hmac.compare_digest(_signature(token, url, form, algorithm), given):
                    return True
                if _validates(validator, url, form, signature, algorithm):
                    return True
        return False

    def _addresses(self, request: Request) -> Iterator[str]:
        """The addresses that the request may have been signed for: ours, and the one that our proxies report."""
        query = request.query_string.decode("latin-1")
        yield self._public_url + request.path + (f"?{query}" if query else "")
        if self._behind_proxies:
            yield request.url


def _signature(token: bytes, url: str, form: MultiDict[str, str], algorithm: str) -> bytes:
    """The signature by Twilio's rule: the address, then every name and value, sorted, each pair once.

    The library's validator computes the same in four times the time, which a ringing phone waits for; whatever
    does not match here is asked of the library.
    """
    digest = _DIGESTS.get(algorithm.upper())
    if digest is None:
        return b""
    signed = url + "".join(
        [
            name + (values[0] if len(values) == 1 else name.join(sorted(set(values))))
            for name, values in sorted(form.lists())
        ]
    )
    return base64.b64encode(hmac.digest(token, signed.encode(), digest))


def _validates(
    validator: RequestValidator, url: str, form: MultiDict[str, str], signature: str, algorithm: str
) -> bool:
    """What the library says, who knows of senders that add or drop the default port."""
    try:
        return bool(validator.validate(url, form, signature, algorithm))
    except ValueError:  # an algorithm that the library does not know, or a forwarded host that is none
        return False
