"""The part of the policy that is about mail: the mailboxes that customers write to, and what may be asked there."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from core.mail_addresses import ascii_domain, required_address
from routing.prompt_texts import Prompts

MailAddress = Annotated[str, AfterValidator(required_address)]
Hours = Annotated[int, Field(ge=0, le=24 * 31)]


def _domain(value: str) -> str:
    domain = ascii_domain(value.strip())
    required_address(f"someone@{domain}")
    if "." not in domain:
        raise ValueError(f"{value!r} is no domain; expected one such as customer.example")
    return domain


MailDomain = Annotated[str, AfterValidator(_domain)]


class Urgent(BaseModel):
    """How an entitled contact asks for priority 1: words in the subject, or a keyword in the text they write.

    Capital letters or not makes no difference; a marker of the subject is a word of its own (``P1``, not ``P10``).
    ``unproven`` is for mail of which no server could say whether it is from the sender that it names: ``confirm``
    asks the contact, at the address that we know, whether it was they who asked.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    subject: list[Annotated[str, Field(min_length=2, max_length=60)]] = ["P1", "URGENT"]
    keywords: list[Annotated[str, Field(min_length=4, max_length=60)]] = ["PRIORITY 1"]
    unproven: Literal["refuse", "confirm", "accept"] = "confirm"


class Mailbox(BaseModel):
    """A mail address that customers write to. ``catch_all`` takes what comes for unknown names of its domain.

    ``consent_words`` are the words that accept additional charges, alone in the first line of a reply.
    ``address_tags`` is false where the mail host knows no ``name+tag@``. A machine's mail without reference to an
    earlier one joins the case that its last mail of the same subject went to, if that is not ``join_h`` hours ago.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    address: MailAddress
    aliases: list[MailAddress] = []
    service: str
    address_tags: bool = True
    catch_all: bool = False
    language: str = "en-US"
    receipts: Literal["on", "off"] = "on"
    urgent: Urgent = Urgent()
    unknown_senders: Literal["notify", "hold"] = "notify"
    consent_words: list[Annotated[str, Field(min_length=2, max_length=40)]] = Field(["YES"], min_length=1)
    private_marker: Annotated[str, Field(min_length=2, max_length=40)] = "NOTE:"
    join_h: Hours = 24
    reopens_per_day: Annotated[int, Field(ge=0, le=100)] = 5
    prompts: Prompts = {}
