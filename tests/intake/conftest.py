from __future__ import annotations

from pathlib import Path

import pytest

from routing.policies import parse_policy
from routing.policy import Policy, PromptText
from routing.prompts import CATALOGUE

SAMPLE = Path(__file__).parents[2] / "routing" / "samples" / "agreement.yaml"


@pytest.fixture(scope="session")
def policy() -> Policy:
    """The shipped policy, each sentence of which is its own key and every placeholder that it may use.

    So a test sees which sentence is said, and a placeholder that the catalogue allows but nobody fills fails it.
    """
    shipped = parse_policy(SAMPLE.read_text())
    marked = {
        key: PromptText(text=" ".join([key, *(f"{{{name}}}" for name in sorted(allowed))]))
        for key, allowed in CATALOGUE.items()
    }
    return shipped.model_copy(update={"prompts": marked})
