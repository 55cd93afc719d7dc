"""Signed links: an engineer opens a case from a text message without signing in."""

from __future__ import annotations

from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer, URLSafeTimedSerializer

from core.settings import Settings

CASE_LINK_DAYS = 14
FORM_HOURS = 24


class LinkRefused(Exception):
    """The link is forged, cut off or too old."""


class Links:
    """Writes and reads links to a case."""

    def __init__(self, settings: Settings) -> None:
        self._base = settings.public_url
        self._signer = URLSafeTimedSerializer(settings.secret_key.get_secret_value(), salt="case")
        self._consent_signer = URLSafeSerializer(settings.secret_key.get_secret_value(), salt="consent")
        self._form_signer = URLSafeTimedSerializer(settings.secret_key.get_secret_value(), salt="case-form")

    def case_url(self, case_number: int, person: str | None = None) -> str:
        """The address of a case's page; ``person`` is whom it is sent to (a key), if that is known."""
        return f"{self._base}/case/{self._signer.dumps([case_number, person] if person else case_number)}"

    def voicemail_url(self, case_number: int, recording_sid: str) -> str:
        """The address of a voicemail's audio."""
        return f"{self.case_url(case_number)}/voicemail/{recording_sid}.wav"

    def read(self, token: str) -> int:
        """The case number in a link's token; :class:`LinkRefused` when it is not ours or too old."""
        found = self._load(token)
        return int(found[0] if isinstance(found, list) else found)

    def reader(self, token: str) -> str | None:
        """The key of the person whom the link was sent to; None for a link to nobody in particular."""
        found = self._load(token)
        return str(found[1]) if isinstance(found, list) else None

    def _load(self, token: str) -> Any:
        try:
            return self._signer.loads(token, max_age=CASE_LINK_DAYS * 86_400)
        except BadSignature:
            raise LinkRefused from None

    def consent_url(self, request: int, nonce: str) -> str:
        """The address of the page where a customer accepts additional charges; the page knows how long."""
        return f"{self._base}/consent/{self._consent_signer.dumps([request, nonce])}"

    def read_consent(self, token: str) -> tuple[int, str] | None:
        """The question's id and nonce in a link's token; None when it is not ours."""
        try:
            request, nonce = self._consent_signer.loads(token)
        except BadSignature:
            return None
        return int(request), str(nonce)

    def form_token(self, case_number: int) -> str:
        """What a form on a case's page must send back: only a page of ours can have it."""
        return str(self._form_signer.dumps(case_number))

    def check_form(self, token: str, case_number: int) -> None:
        """:class:`LinkRefused` when ``token`` is not of a form of this case, or a day old."""
        try:
            if self._form_signer.loads(token, max_age=FORM_HOURS * 3600) != case_number:
                raise LinkRefused
        except BadSignature:
            raise LinkRefused from None
