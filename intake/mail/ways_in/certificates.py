"""The listener's certificate: read at the start, and again when the file has been renewed."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

from core.start import CannotStart

log = logging.getLogger(__name__)


class BadCertificate(CannotStart):
    """One line: which file cannot be used, and why."""


class Certificates:
    """Gives the TLS context of now, or None where no certificate is set."""

    def __init__(self, certificate: Path | None, key: Path | None) -> None:
        self._certificate, self._key = certificate, key
        self._read_at: tuple[float, ...] = ()
        self._context: ssl.SSLContext | None = None
        if certificate is not None:
            try:
                self._context = self._read()
            except (OSError, ssl.SSLError) as error:
                raise BadCertificate(
                    f"the certificate {certificate} cannot be used ({error.strerror or type(error).__name__}); "
                    "set NIGHTBELL_SMTP_CERTIFICATE and NIGHTBELL_SMTP_KEY to PEM files that fit together"
                ) from None

    def context(self) -> ssl.SSLContext | None:
        """The context for a new connection. A renewed certificate that cannot be read leaves the one before."""
        if self._context is not None:
            try:
                if self._changed_at() != self._read_at:
                    self._context = self._read()
            except (OSError, ssl.SSLError) as error:
                log.error("the renewed certificate cannot be used: %s", type(error).__name__)
        return self._context

    def _read(self) -> ssl.SSLContext:
        assert self._certificate is not None
        self._read_at = self._changed_at()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._certificate, self._key)
        return context

    def _changed_at(self) -> tuple[float, ...]:
        return tuple(file.stat().st_mtime for file in (self._certificate, self._key) if file is not None)
