"""A prompt as it stands in a policy: a sentence, or the address of audio."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict


class PromptText(BaseModel):
    """A sentence to speak, or the address of audio to play instead."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = ""
    audio: str = ""


def _prompt(value: object) -> object:
    return {"text": value} if isinstance(value, str) else value


Prompts = dict[str, Annotated[PromptText, BeforeValidator(_prompt)]]
