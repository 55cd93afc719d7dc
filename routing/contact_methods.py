"""The part of the policy that says how people, and other systems, are reached: methods, rules, limits, webhooks.

A method is written as its channel and its address: ``{voice: "+17135550101", verified: true}``. The channels are
those of ``routing.paging.channels``; a new one there can be written here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from routing.paging.channels import CHANNELS
from routing.paging.channels.webhook import web_address

Seconds = Annotated[int, Field(ge=1, le=86_400)]
# Names that a person has without writing them down, from ``phone`` and ``email``.
PHONE, TEXT, EMAIL = "phone", "text", "email"
_IMPLIED = {PHONE: "voice", TEXT: "sms", EMAIL: "mail"}
_LONGEST_ADDRESS = 500
_DETAILS = frozenset({"verified", "secret"})


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Method(_Part):
    """One way to reach a person. ``address`` is in the channel's own form; a secret may be ``env:NAME``."""

    channel: str
    address: Annotated[str, Field(max_length=_LONGEST_ADDRESS, repr=False)]
    verified: bool = False
    secret: Annotated[str, Field(repr=False)] = ""

    @model_validator(mode="before")
    @classmethod
    def _by_channel(cls, value: Any) -> Any:
        if not isinstance(value, Mapping) or {"channel", "address"} <= value.keys():
            return value
        channels = [key for key in value if key not in _DETAILS]
        if len(channels) != 1 or channels[0] not in CHANNELS:
            raise ValueError(f"expected one channel and its address; the channels are {', '.join(CHANNELS)}")
        details = {key: value[key] for key in _DETAILS if key in value}
        return {"channel": channels[0], "address": value[channels[0]], **details}

    @model_validator(mode="after")
    def _usable(self) -> Method:
        channel = CHANNELS.get(self.channel)
        if channel is None:
            raise ValueError(f"no channel is called {self.channel!r}; known: {', '.join(CHANNELS)}")
        if channel.needs_secret and not self.secret:
            raise ValueError("secret is missing: what is sent is signed with it")
        object.__setattr__(self, "address", channel.normal(self.address))
        return self


class ContactRule(_Part):
    """When a method is used for an urgent page, counted from the step's beginning, and how often."""

    use: str
    after_s: Annotated[int, Field(ge=0, le=86_400)] = 0
    again_after_s: Seconds = 120
    times: Annotated[int, Field(ge=1, le=20)] = 1


class Limits(_Part):
    """How many calls and texts one number gets at most, so that carriers do not block ours.

    One address gets ``automatic_mails`` within ``automatic_mails_min`` minutes, and ``automatic_mails_alike`` of them
    with the same subject: two programs that answer each other must come to an end.
    """

    calls_per_15_min: Annotated[int, Field(ge=1, le=1000)] = 6
    texts_per_15_min: Annotated[int, Field(ge=1, le=1000)] = 10
    automatic_mails: Annotated[int, Field(ge=1, le=1000)] = 10
    automatic_mails_alike: Annotated[int, Field(ge=1, le=1000)] = 2
    automatic_mails_min: Annotated[int, Field(ge=1, le=10_080)] = 180


class Hook(_Part):
    """Another system that is told of events: their kinds, such as ``case.opened``, or ``case.*``."""

    url: Annotated[str, AfterValidator(web_address), Field(repr=False)]
    secret: Annotated[str, Field(min_length=1, repr=False)]
    events: list[Annotated[str, Field(pattern=r"^[a-z]+\.([a-z-]+|\*)$")]] = Field(min_length=1)

    def wants(self, kind: str) -> bool:
        """Whether it is told of events of this kind."""
        return kind in self.events or f"{kind.partition('.')[0]}.*" in self.events


def phone_from_methods(value: Any) -> Any:
    """A person's entry; one without ``phone`` gets it, and ``verified``, from the first number of its methods."""
    if not isinstance(value, Mapping) or value.get("phone") or not isinstance(value.get("methods"), Mapping):
        return value
    for method in value["methods"].values():
        if isinstance(method, Mapping):
            for channel in ("voice", "sms"):
                if channel in method:
                    return {"verified": method.get("verified", False), **value, "phone": method[channel]}
    return value


def all_methods(
    phone: str, verified: bool, email: str | None, methods: Mapping[str, Method]
) -> dict[str, Method]:
    """All methods by name: those written down, and those that ``phone`` and ``email`` stand for.

    ``phone`` stands for a call (``phone``) and a text (``text``), unless a method has that number itself; ``email``
    for a mail (``email``), unless a method is a mail.
    """
    implied: dict[str, Method] = {}
    if not any(CHANNELS[m.channel].needs_verified and m.address == phone for m in methods.values()):
        implied[PHONE] = Method.model_construct(channel="voice", address=phone, verified=verified)
        implied[TEXT] = Method.model_construct(channel="sms", address=phone, verified=verified)
    if email and not any(m.channel == "mail" for m in methods.values()):
        implied[EMAIL] = Method.model_construct(channel="mail", address=email)
    return {**implied, **methods}


def check_names(
    methods: Mapping[str, Method],
    known: Mapping[str, Method],
    rules: Sequence[ContactRule],
    quiet: Sequence[str],
) -> None:
    """ValueError where a rule uses a method that is not among the ``known`` ones, or a method's name is no name."""
    for name, method in methods.items():
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,39}", name):
            raise ValueError(
                f"{name!r} is no name for a method; expected lower-case letters, digits and hyphens"
            )
        if _IMPLIED.get(name, method.channel) != method.channel:
            raise ValueError(f"the method {name!r} is always by {_IMPLIED[name]}; give this one another name")
    for name in (*(rule.use for rule in rules), *quiet):
        if name not in known:
            raise ValueError(f"no method is called {name!r}; known: {', '.join(sorted(known))}")
