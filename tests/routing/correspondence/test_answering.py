"""Who may get an automatic mail: each reason against it, and none."""

from __future__ import annotations

from typing import Any

import pytest

from routing.contact_methods import Limits
from routing.correspondence.answering import Addressee, why_not

LIMITS = Limits(automatic_mails=10, automatic_mails_alike=2)


def test_it_answers_a_person() -> None:
    assert why_not(Addressee("maria@lakeside.example", sent=9, sent_alike=1), LIMITS) is None


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        ({"address": None}, "no mail address is known"),
        ({"wanted": False}, "the mailbox sends none"),
        ({"ours": True}, "the address is one of our own"),
        ({"machine": "precedence-bulk"}, "a machine wrote (precedence-bulk)"),
        ({"forged": True}, "the sender may be forged"),
        ({"unread": True}, "the mail could not be read, and might be a machine's"),
        (
            {"no_mail_reason": "5.1.1 no such address"},
            "mail to the address comes back: 5.1.1 no such address",
        ),
        ({"sent": 10}, "the address has got too many automatic mails"),
        ({"sent_alike": 2}, "the address has got too many automatic mails with this subject"),
        ({"mail_works": False}, "no mail server is set"),
    ],
)
def test_it_says_why_it_does_not_answer(known: dict[str, Any], reason: str) -> None:
    assert why_not(Addressee(**({"address": "maria@lakeside.example"} | known)), LIMITS) == reason
