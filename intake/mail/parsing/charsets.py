"""Bytes into text, whatever was declared: as declared, else guessed, else with replacements. Never raises."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from functools import lru_cache

from intake.mail.parsing import bounds
from intake.mail.parsing.guessing import most_likely

# What senders call a charset, and what they mean by it. A wider charset is read for a narrower one, as mail
# programs do: what is declared ISO-8859-1 is Windows-1252 more often than not.
_MEANT = {
    "": "", "default": "", "unknown": "", "unknown-8bit": "", "x-unknown": "", "none": "", "binary": "",
    "8bit": "", "7bit": "", "x-user-defined": "", "_autodetect": "", "auto": "",
    "iso-8859-1": "cp1252", "iso8859-1": "cp1252", "iso_8859-1": "cp1252", "iso-8859-1-i": "cp1252",
    "latin1": "cp1252", "latin-1": "cp1252", "l1": "cp1252", "us-ascii": "ascii", "ansi_x3.4-1968": "ascii",
    "x-ansi": "cp1252", "ansi": "cp1252", "windows-1252": "cp1252", "x-cp1252": "cp1252",
    "iso-8859-9": "cp1254", "iso-8859-8-i": "iso-8859-8", "iso-8859-8-e": "iso-8859-8",
    "iso-8859-6-i": "iso-8859-6", "iso-8859-6-e": "iso-8859-6", "iso-8859-11": "cp874", "tis-620": "cp874",
    "windows-874": "cp874", "macintosh": "mac_roman", "x-mac-roman": "mac_roman", "mac": "mac_roman",
    "x-mac-cyrillic": "mac_cyrillic", "x-mac-ce": "mac_latin2",
    "shift_jis": "cp932", "shift-jis": "cp932", "x-sjis": "cp932", "sjis": "cp932", "ms_kanji": "cp932",
    "windows-31j": "cp932", "cp-932": "cp932", "x-ms-cp932": "cp932", "shift_jis-2004": "shift_jis_2004",
    "iso-2022-jp": "iso2022_jp_ext", "iso-2022-jp-2": "iso2022_jp_2", "iso-2022-jp-ms": "iso2022_jp_ext",
    "cp50220": "iso2022_jp_ext", "cp50221": "iso2022_jp_ext", "iso-2022-jp-1": "iso2022_jp_1",
    "x-euc-jp": "euc_jp", "x-euc": "euc_jp", "ujis": "euc_jp",
    "ks_c_5601-1987": "cp949", "ks_c_5601-1989": "cp949", "ks_c_5601": "cp949", "ksc5601": "cp949",
    "ksc_5601": "cp949", "euc-kr": "cp949", "euckr": "cp949", "x-windows-949": "cp949", "korean": "cp949",
    "gb2312": "gb18030", "gb_2312-80": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "euc-cn": "gb18030",
    "cp936": "gb18030", "hz-gb-2312": "hz", "big5": "big5hkscs", "x-x-big5": "big5hkscs", "cn-big5": "cp950",
    "big5-hkscs": "big5hkscs", "x-big5": "big5hkscs",
    "unicode-1-1-utf-7": "utf-7", "x-unicode-2-0-utf-7": "utf-7", "utf7": "utf-7",
    "unicode-1-1-utf-8": "utf-8", "utf8mb4": "utf-8", "utf-8n": "utf-8", "cp65001": "utf-8",
    "cp-65001": "utf-8", "x-utf8": "utf-8", "utf_8": "utf-8", "unicode": "utf-16", "ucs-2": "utf-16",
    "iso-10646-ucs-2": "utf-16", "koi8": "koi8-r", "koi": "koi8-r", "x-koi8-r": "koi8-r",
    "win-1251": "cp1251", "win1251": "cp1251", "cyrillic": "iso-8859-5",
}  # fmt: skip
_NUMBERED = re.compile(r"(?:x-)?(?:windows|win|cp|ibm|dos|ms)[-_ ]?(\d{3,5})")
_ISO = re.compile(r"iso[-_ ]?8859[-_ ](\d{1,2})")
_META = re.compile(rb"<meta[^>]{0,200}charset\s{0,5}=\s{0,5}[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_GOOD = re.compile("[\x80-\ud7ff\ue000-\U0010ffff]")
_HIGH = bytes(range(128, 256))
_SURROGATE = re.compile("[\ud800-\udfff]")
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@lru_cache(maxsize=512)
def codec_for(declared: str) -> str | None:
    """Python's name of a declared charset; None if there is none, or if it is no text."""
    name = declared.strip(" \t\"'<>;,").lower().partition("*")[0]
    name = _MEANT.get(name, name)
    if iso := _ISO.fullmatch(name):
        name = f"iso8859-{iso[1]}"
    elif numbered := _NUMBERED.fullmatch(name):
        name = _MEANT.get(f"cp{numbered[1]}", f"cp{numbered[1]}")
    try:
        found = codecs.lookup(name) if name and "\0" not in name else None
    except (LookupError, ValueError):
        return None
    # A codec such as "hex" or "rot13" is not a charset, and "idna" and "punycode" are slow on long input.
    if found is None or not getattr(found, "_is_text_encoding", False):
        return None
    unfit = ("idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "mbcs", "oem")
    return None if found.name.replace("-", "_") in unfit else found.name


@dataclass
class Charsets:
    """Reads bytes as text, and counts the guesses of one mail.

    ``default`` is what the mail names for its text: used for bytes without a declaration that may be in it, or
    that are too few to guess from.
    """

    default: str = "cp1252"
    guesses: int = 0
    replaced: bool = False
    _known: dict[bytes, str] = field(default_factory=dict)

    def decode(self, data: bytes, declared: str | None = None) -> str:
        """``data`` as text, without NULs and lone surrogates."""
        return clean(self._decode(data, declared))

    def decode_html(self, data: bytes, declared: str | None = None) -> str:
        """As ``decode``; a document without a declaration of its part may have one of its own."""
        if codec_for(declared or "") in (None, "ascii") and not data.isascii():
            meta = _META.search(data, 0, 2_048)
            if meta is not None:
                declared = meta[1].decode("ascii", "replace")
        return self.decode(data, declared)

    def _decode(self, data: bytes, declared: str | None) -> str:
        codec = codec_for(declared) if declared else None
        if codec is None or codec == "ascii":
            return self._undeclared(data)
        if codec.startswith(("utf-16", "utf-32")) and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return self._wide(data, codec)
        try:
            return data.decode("utf-8-sig" if codec == "utf-8" else codec)
        except (UnicodeError, ValueError):
            return self._misdeclared(data, codec)

    def _undeclared(self, data: bytes) -> str:
        for mark, codec in _MARKS:
            if data.startswith(mark):
                return data.decode(codec, "replace")
        if b"\x1b$" in data or b"\x1b(" in data:
            try:
                return data.decode("iso2022_jp_ext")
            except (UnicodeError, ValueError):
                pass
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            return self._guessed(data)

    def _wide(self, data: bytes, codec: str) -> str:
        """Two bytes a character without a mark: big-endian by the book, little-endian by its look."""
        if codec in ("utf-16", "utf-32"):
            codec += "-le" if data[1:200:2].count(0) > data[0:200:2].count(0) else "-be"
        if b"\0" not in data and _is_narrow(data):
            return self._undeclared(data)  # says so, and is not
        return data.decode(codec, "replace")

    def _misdeclared(self, data: bytes, codec: str) -> str:
        if codec != "utf-8":
            if codec == "cp1252":
                return "".join(_either(byte) for byte in data)
            try:  # before anything else: bytes of other charsets are next to never good UTF-8
                return data.decode("utf-8")
            except UnicodeDecodeError:
                pass
        text = data.decode(codec, "replace")
        wrong = text.count("\ufffd")
        if wrong * 10 <= len(data) - len(data.translate(None, _HIGH)):
            self.replaced = True  # cut in a character, or a few bytes broken: the declaration holds
            return text
        other = len(text) - len(text.encode("ascii", "ignore"))
        if codec == "utf-8":
            # Two texts run together, of which one is UTF-8 as declared: each of its own.
            mixed = data.decode("utf-8", "surrogateescape")
            stray = _GOOD.sub("", mixed).encode("utf-8", "surrogateescape")
            if other >= 2 * wrong or self._guess(stray) == "cp1252":
                return mixed.translate(_STRAY)
        return self._guessed(data)

    def _guessed(self, data: bytes) -> str:
        codec = self._guess(data)
        try:
            return data.decode(codec)
        except (UnicodeError, ValueError):
            pass
        if codec == "cp1252" or len(data) > 100_000:
            self.replaced = True
            return data.decode(codec, "replace")
        return "".join(_either(byte) for byte in data)

    def _guess(self, data: bytes) -> str:
        sample = data[: bounds.GUESS_SAMPLE]
        if len(data) > bounds.GUESS_SAMPLE:  # the first bytes of a long text are often plain ASCII
            high = next((i for i, byte in enumerate(data[:1_000_000]) if byte > 127), 0)
            sample = data[max(high - 500, 0) : max(high - 500, 0) + bounds.GUESS_SAMPLE]
        if sum(1 for byte in sample if byte > 127) < 4 or self._fits_default(sample):
            return self.default
        known = self._known.get(sample)
        if known is None:
            if self.guesses >= bounds.GUESSES:
                return self.default
            self.guesses += 1
            known = self._known[sample] = most_likely(sample) or self.default
        return known

    def _fits_default(self, sample: bytes) -> bool:
        """Whether it may be in the charset that the mail names for its text: no guess is as good."""
        if self.default == "cp1252":  # which is named for everything, and fits everything
            return False
        try:
            sample.decode(self.default)
        except (UnicodeError, ValueError):
            return False
        return True


def _is_narrow(data: bytes) -> bool:
    """Whether bytes without a NUL are hardly two a character: mostly ASCII, or good UTF-8."""
    if len(data.translate(None, _HIGH)) >= len(data) * 0.8:
        return True
    try:
        return bool(data.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def _either(byte: int) -> str:
    one = bytes((byte,))
    try:
        return one.decode("cp1252")
    except UnicodeDecodeError:
        return one.decode("latin-1")


# What stands in UTF-8 and is none: bytes of Windows-1252, as "surrogateescape" shows them.
_STRAY = {0xDC00 + byte: _either(byte) for byte in range(128, 256)}


def clean(text: str) -> str:
    """Without NULs, which no database takes, and without lone surrogates, which no encoding takes."""
    if "\0" in text:
        text = text.replace("\0", "")
    if not text.isascii() and _SURROGATE.search(text):
        return text.encode("utf-8", "replace").decode("utf-8")
    return text
