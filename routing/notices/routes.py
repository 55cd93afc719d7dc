"""How a customer can be told something: by text, by mail, or not at all. Pure: facts in, a way or a reason out."""

from __future__ import annotations

from dataclasses import dataclass

import phonenumbers
from phonenumbers import PhoneNumberType

SMS, MAIL = "sms", "mail"
# A call costs its caller nothing and makes us pay for a text to whatever number was keyed in.
MOST_TEXTS_A_DAY = 10

# Where a text arrives, or may: numbers of North America do not tell, and a new range is not known to the library yet.
_TEXTABLE = frozenset(
    {
        PhoneNumberType.MOBILE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE,
        PhoneNumberType.VOIP,
        PhoneNumberType.UNKNOWN,
    }
)

# Twilio's errors that say something of the number for good, and not of this one try.
# https://www.twilio.com/docs/api/errors
STOPPED = "asked us to stop"
REMEMBERED_ERRORS = {
    21211: "no telephone number",
    21610: STOPPED,
    21614: "no mobile number",
    21635: "a landline",
    30005: "not known to its carrier",
    30006: "a landline or unreachable",
}


@dataclass(frozen=True)
class Reach:
    """What is known of the ways to a case's customer. Numbers are E.164.

    ``wanted`` is the line's switch, ``number`` the callback number or else the calling one, ``entered`` whether it
    was entered on the keypad, ``no_text_reason`` what is remembered of it, ``text_came_back`` whether a text of this
    very notice could not be delivered.
    """

    wanted: str
    number: str | None
    line_number: str
    own_numbers: frozenset[str] = frozenset()
    verified: bool = True
    entered: bool = False
    no_text_reason: str | None = None
    texts_today: int = 0
    text_came_back: bool = False
    email: str | None = None
    mail_works: bool = False


@dataclass(frozen=True)
class Route:
    """A channel and the address to send to."""

    channel: str
    address: str


@dataclass(frozen=True)
class NoRoute:
    """There is no way, for a reason in words."""

    reason: str


def route(reach: Reach) -> Route | NoRoute:
    """The way to tell the customer: a text where one can arrive, else mail."""
    if reach.wanted == "off":
        return NoRoute("the line sends no receipts")
    hindrance = why_no_text(reach)
    if hindrance is None and reach.number is not None:
        return Route(SMS, reach.number)
    if reach.email is None:
        return NoRoute(f"{hindrance}, and no mail address is known")
    if not reach.mail_works:
        return NoRoute(f"{hindrance}, and no mail server is set")
    return Route(MAIL, reach.email)


def why_no_text(reach: Reach) -> str | None:
    """Why no text can be sent, in words; None if one can."""
    if reach.wanted == MAIL:
        return "the line sends no texts"
    if reach.number is None:
        return "the number was withheld"
    if reach.text_came_back:
        return "the text could not be delivered"
    if reach.no_text_reason is not None:
        return f"the number gets no texts: {reach.no_text_reason}"
    if reach.number in reach.own_numbers:
        return "the number is one of our own"
    if not can_get_texts(reach.number):
        return "the number cannot get texts"
    if reach.entered and not reach.verified and not same_country(reach.number, reach.line_number):
        return "an unknown caller entered a number abroad"
    if reach.texts_today >= MOST_TEXTS_A_DAY:
        return "the number got too many texts today"
    return None


def can_get_texts(number: str) -> bool:
    """Whether a number may be a mobile one, by its numbering plan."""
    try:
        return phonenumbers.number_type(phonenumbers.parse(number)) in _TEXTABLE
    except phonenumbers.NumberParseException:
        return False


def same_country(one: str, other: str) -> bool:
    """Whether two numbers have the same country code."""
    return bool(phonenumbers.parse(one).country_code == phonenumbers.parse(other).country_code)
