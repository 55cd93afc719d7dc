"""Twilio's signature on a request: HMAC over its public address and its parameters."""

from __future__ import annotations

import hmac
from collections.abc import Iterator

from flask import Request
from twilio.request_validator import (
    SIGNATURE_HEADER,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    get_signature_algorithm,
)
from werkzeug.datastructures import MultiDict

from core.settings import Settings


class _Parameters:
    """A form as the validator asks for it, without the two exceptions a parameter that a MultiDict costs it."""

    def __init__(self, form: MultiDict[str, str]) -> None:
        self._form = form

    def __iter__(self) -> Iterator[str]:
        return iter(self._form)

    def __bool__(self) -> bool:
        return bool(self._form)

    def getall(self, name: str) -> list[str]:
        return self._form.getlist(name)


class SignatureCheck:
    """Accepts what was signed with one of the account's tokens for an address that is ours."""

    def __init__(self, settings: Settings) -> None:
        self._public_url = settings.public_url
        self._behind_proxies = settings.trusted_proxies > 0
        self._validators = [RequestValidator(token) for token in settings.webhook_tokens]

    def accepts(self, request: Request) -> bool:
        """Whether the signature of ``request`` is one of ours."""
        signature = request.headers.get(SIGNATURE_HEADER, "")
        if not signature:
            return False
        algorithm = get_signature_algorithm(request.headers.get(SIGNATURE_SETTINGS_HEADER, ""))
        parameters = _Parameters(request.form)
        return any(
            _matches(validator, url, parameters, signature, algorithm)
            for url in self._addresses(request)
            for validator in self._validators
        )

    def _addresses(self, request: Request) -> Iterator[str]:
        """The addresses that the request may have been signed for: ours, and the one that our proxies report."""
        query = request.query_string.decode("latin-1")
        yield self._public_url + request.path + (f"?{query}" if query else "")
        if self._behind_proxies:
            yield request.url


def _matches(
    validator: RequestValidator, url: str, parameters: _Parameters, signature: str, algorithm: str
) -> bool:
    try:
        if hmac.compare_digest(
            validator.compute_signature(url, parameters, algorithm).encode(), signature.encode()
        ):
            return True
        # The slower way knows of senders that add or drop the default port.
        return bool(validator.validate(url, parameters, signature, algorithm))
    except ValueError:  # an algorithm that the library does not know, or a forwarded host that is none
        return False
