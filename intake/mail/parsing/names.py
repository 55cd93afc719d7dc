"""Names of attachments: from what the sender calls them, safe to store, to offer and to show."""

from __future__ import annotations

import mimetypes
import re
import unicodedata

from intake.mail.parsing import bounds

_TYPES = mimetypes.MimeTypes(filenames=())  # the library's own table: the machine's may say anything
_USUAL = {
    "text/plain": ".txt", "text/html": ".html", "text/calendar": ".ics", "message/rfc822": ".eml",
    "message/global": ".eml", "message/delivery-status": ".txt", "text/rfc822-headers": ".txt",
    "message/disposition-notification": ".txt", "application/ms-tnef": ".dat", "image/jpeg": ".jpg",
    "image/pjpeg": ".jpg", "image/jpg": ".jpg", "image/tiff": ".tiff", "application/pgp-signature": ".asc",
    "application/pgp-encrypted": ".asc", "application/pkcs7-signature": ".p7s", "application/rtf": ".rtf",
    "application/x-pkcs7-signature": ".p7s", "application/pkcs7-mime": ".p7m", "text/rtf": ".rtf",
    "application/x-pkcs7-mime": ".p7m", "application/octet-stream": ".bin", "application/pgp-keys": ".asc",
    "text/x-vcard": ".vcf", "text/vcard": ".vcf", "audio/mpeg": ".mp3", "audio/x-wav": ".wav",
}  # fmt: skip
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"|?*\u2028\u2029]')
# Marks that turn the direction of writing make "exe.txt" out of "txt.exe".
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad]")
_SPACES = re.compile(r"\s+")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)


def safe_name(wanted: str) -> str:
    """The last step of a path, without what a file system or a header minds; empty if nothing is left."""
    name = unicodedata.normalize("NFC", wanted[:4_000])
    name = _INVISIBLE.sub("", name).replace("\\", "/").rstrip("/").rpartition("/")[2]
    name = _SPACES.sub(" ", _FORBIDDEN.sub("_", _SPACES.sub(" ", name))).strip(" .") if name else ""
    if _RESERVED.fullmatch(name):
        name = f"_{name}"
    return _shortened(name)


def _shortened(name: str) -> str:
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > 20:
        stem, extension = name, ""
    else:
        extension = f".{extension}"
    while stem and (len(stem + extension) > bounds.NAME or len((stem + extension).encode()) > 240):
        stem = stem[:-1]
    return stem.rstrip(" .") + extension if stem != name else stem


def default_extension(content_type: str) -> str:
    """The usual extension of a content type, with its dot; ``.bin`` for an unknown one."""
    other = ".txt" if content_type.startswith("text/") else ".bin"
    return _USUAL.get(content_type) or _TYPES.guess_extension(content_type) or other


class Names:
    """Gives each attachment of a mail a name of its own, in small and capital letters alike."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._last: dict[str, int] = {}

    def unique(self, wanted: str, content_type: str) -> str:
        """``wanted`` made safe; a name from the content type if nothing is left of it."""
        name = safe_name(wanted) or f"attachment{default_extension(content_type)}"
        stem, dot, extension = name.rpartition(".") if "." in name[1:] else (name, "", "")
        candidate = name
        while candidate.lower() in self._taken:
            number = self._last[name.lower()] = self._last.get(name.lower(), 1) + 1
            candidate = f"{stem}-{number}{dot}{extension}"
        self._taken.add(candidate.lower())
        return candidate
