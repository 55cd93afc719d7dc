"""SendGrid's signature on a post: ECDSA (P-256, SHA-256) over the timestamp and the body, to the byte."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from flask import Request

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"
_LONGEST = 200


@dataclass(frozen=True)
class Signed:
    """What a request says of its signature; empty where it says nothing."""

    signature: str = ""
    timestamp: str = ""

    @classmethod
    def of(cls, request: Request) -> Signed:
        """Of a request; a signature that is too long to be one is none."""
        said = (request.headers.get(name, "") for name in (SIGNATURE, TIMESTAMP))
        return cls(*(text if len(text) <= _LONGEST else "" for text in said))

    def __bool__(self) -> bool:
        return bool(self.signature and self.timestamp)


class SendGridSignature:
    """Accepts what was signed with one of the keys: the public ones, as SendGrid shows them, with commas between."""

    def __init__(self, keys: str) -> None:
        self._keys = [key.strip() for key in keys.split(",") if key.strip()]

    @property
    def is_set_up(self) -> bool:
        """Whether there is a key at all."""
        return bool(self._keys)

    def accepts(self, signed: Signed, body: bytes) -> bool:
        """Whether the signature is one of ours for this body."""
        from cryptography.exceptions import InvalidSignature  # 10 MB for those who use it
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
        from cryptography.hazmat.primitives.serialization import load_der_public_key

        try:
            signature = base64.b64decode(signed.signature, validate=True)
            timestamp = signed.timestamp.encode("ascii")
        except ValueError:
            return False
        hasher = hashes.Hash(hashes.SHA256())
        hasher.update(timestamp)
        hasher.update(body)
        digest = hasher.finalize()
        for text in self._keys:
            key = load_der_public_key(base64.b64decode(text))
            assert isinstance(key, ec.EllipticCurvePublicKey)  # the settings have seen to it
            try:
                key.verify(signature, digest, ec.ECDSA(Prehashed(hashes.SHA256())))
            except InvalidSignature:
                continue
            return True
        return False
