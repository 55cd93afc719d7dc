"""Telephone numbers: E.164 in, something to say or show out."""

from __future__ import annotations

import re

import phonenumbers

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
# Of the North American plan: no area code begins with 0 or 1, and none ever will, since these are dialled before it.
_NORTH_AMERICAN = re.compile(r"\+1[2-9][0-9]{9}")
DEFAULT_REGION = "US"

# What Twilio sends for a caller who withholds the number: words, or the same words typed on a keypad.
_WITHHELD_WORDS = frozenset({"anonymous", "unknown", "restricted", "unavailable", "private", "blocked"})
_KEYPAD = str.maketrans("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999")
_WITHHELD_NUMBERS = frozenset("+" + word.translate(_KEYPAD) for word in _WITHHELD_WORDS)


def is_withheld(raw: str) -> bool:
    """Whether ``From`` carries no number: empty, a word such as ``anonymous``, or its keypad spelling."""
    text = raw.strip().lower()
    return not text or text in _WITHHELD_WORDS or text in _WITHHELD_NUMBERS


def to_e164(raw: str, region: str = DEFAULT_REGION) -> str | None:
    """``raw`` as E.164 (``+17135550101``), or None when no telephone can have that number."""
    try:
        number = phonenumbers.parse(raw, region)
    except phonenumbers.NumberParseException:
        return None
    # "possible", not "valid": a new area code must not make a customer unreachable. But a number without its area
    # code, which the library also calls possible, reaches nobody.
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    form = _NORTH_AMERICAN if number.country_code == 1 else _E164
    return e164 if form.fullmatch(e164) else None


def required_e164(value: str) -> str:
    """``value`` as E.164; ValueError says what is wrong with it."""
    number = to_e164(value)
    if number is None:
        raise ValueError(f"{value!r} is not a telephone number; expected E.164, such as +17135550101")
    return number


def caller_number(raw: str) -> str | None:
    """The caller's number in E.164, or None when it is withheld or not a telephone number."""
    if is_withheld(raw):
        return None
    # What comes in E.164, as it does from Twilio, is not taken apart again while a phone rings.
    return raw if _E164.fullmatch(raw) else to_e164(raw)


def shown(e164: str) -> str:
    """A number for reading: ``(713) 555-0101`` at home, ``+44 20 7946 0018`` abroad."""
    try:
        number = phonenumbers.parse(e164, DEFAULT_REGION)
    except phonenumbers.NumberParseException:
        return e164
    home = phonenumbers.country_code_for_region(DEFAULT_REGION) == number.country_code
    form = phonenumbers.PhoneNumberFormat.NATIONAL if home else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, form)


def spoken(digits: str) -> str:
    """Digits one by one for a voice: ``1042`` becomes ``1 0 4 2``; the country code of home is left out."""
    home = f"+{phonenumbers.country_code_for_region(DEFAULT_REGION)}"
    only = digits.removeprefix(home) if digits.startswith(home) else digits.removeprefix("+")
    return " ".join(only)
