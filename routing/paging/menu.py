"""The menu that an engineer hears, as a table: (state, event) and what is known lead to what is said and done.

Pure. 1 accepts, 2 plays the voicemail or reads the mail out, 3 passes on, 5 accepts and calls the customer with
the line's number shown. Nothing but a key press accepts: a mailbox that answers hears the menu three times and is
hung up on.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from core.twiml import Say

MAX_TRIES = 3


class Menu(enum.StrEnum):
    """Where in the call the engineer is."""

    MENU = "menu"
    REMINDER = "reminder"  # they have the case, and are rung because its customer waits
    ACCEPTED = "accepted"
    BRIDGE = "bridge"
    REACHED = "reached"
    OVER = "over"


class Heard(enum.StrEnum):
    """What came from the engineer's phone, or from the call to the customer."""

    ANSWERED = "answered"
    KEY_1 = "1"
    KEY_2 = "2"
    KEY_3 = "3"
    KEY_5 = "5"
    OTHER_KEY = "other"
    NO_KEY = "none"
    REACHED = "reached"
    NOT_REACHED = "not-reached"


class Act(enum.StrEnum):
    """What is done, in the transaction that answers the call."""

    ACCEPT = "accept"
    PASS = "pass"  # noqa: S105
    RESPOND = "respond"
    WITHDRAW_RESPONSE = "withdraw-response"
    TRY_AGAIN = "try-again"
    HEARD = "heard"  # a reminder; it is not repeated


class Standing(enum.StrEnum):
    """How the page stands, seen by the engineer on the phone."""

    RINGING = "ringing"
    YOURS = "yours"
    TAKEN = "taken"
    OVER = "over"


@dataclass(frozen=True)
class MenuFacts:
    """What is known: the page's standing, the sentences, the voicemail's address, the customer's number."""

    standing: Standing
    say: Callable[[str], Say]
    voicemail_url: str | None = None
    transcript: bool = False
    customer_number: str | None = None
    tries: int = 0
    many: bool = False  # everyone must acknowledge: the key press of one does not end it
    written: bool = False  # the case came by mail or text
    later: bool = False  # and more came
    cut: bool = False  # there is more than is spoken

    @property
    def accepted(self) -> str:
        """The name of what is said to whoever has accepted."""
        return "page_acknowledged" if self.many else "page_accepted"


@dataclass(frozen=True)
class MenuStep:
    """What is said, where the call goes on, and what is done."""

    say: tuple[Say, ...]
    next: Menu
    acts: tuple[Act, ...] = ()


Rule = Callable[[MenuFacts], MenuStep]


def _ended(facts: MenuFacts) -> MenuStep | None:
    """The farewell, if the page needs nobody on this phone any more."""
    if facts.standing is Standing.TAKEN:
        return MenuStep((facts.say("page_taken"),), Menu.OVER)
    if facts.standing is Standing.OVER:
        return MenuStep((facts.say("page_over"),), Menu.OVER)
    return None


def _while_wanted(rule: Rule) -> Rule:
    return lambda facts: _ended(facts) or rule(facts)


def _while_ringing(rule: Rule) -> Rule:
    """For what makes no sense to somebody who has accepted meanwhile, by a text perhaps."""
    return _while_wanted(lambda facts: _have_it(facts) if facts.standing is Standing.YOURS else rule(facts))


def _have_it(facts: MenuFacts) -> MenuStep:
    return MenuStep((facts.say(facts.accepted),), Menu.ACCEPTED)


def _intro(facts: MenuFacts) -> MenuStep:
    said = "page_transcript" if facts.transcript else "page_excerpt" if facts.written else ""
    words = (facts.say(said),) if said else ()
    return MenuStep((facts.say("page_intro"), *words, facts.say("page_menu")), Menu.MENU)


def _accept(facts: MenuFacts) -> MenuStep:
    return MenuStep((facts.say(facts.accepted),), Menu.ACCEPTED, (Act.ACCEPT,))


def _pass(facts: MenuFacts) -> MenuStep:
    return MenuStep((facts.say("page_passed"),), Menu.OVER, (Act.PASS,))


def _what_was_said(facts: MenuFacts) -> tuple[Say, ...]:
    """The voicemail; without one its words, or what was written."""
    if facts.voicemail_url:
        return (Say(audio_url=facts.voicemail_url),)
    if not facts.written:
        return (facts.say("page_transcript" if facts.transcript else "page_no_voicemail"),)
    keys = {"page_written": True, "page_written_later": facts.later, "page_written_cut": facts.cut}
    return tuple(facts.say(key) for key, wanted in keys.items() if wanted)


def _play(back_to: Menu, then: str = "") -> Rule:
    def play(facts: MenuFacts) -> MenuStep:
        return MenuStep((*_what_was_said(facts), facts.say(then or facts.accepted)), back_to)

    return play


def _call_customer(*acts: Act) -> Rule:
    def call(facts: MenuFacts) -> MenuStep:
        if facts.customer_number is None:
            return MenuStep((facts.say("page_no_number"), facts.say(facts.accepted)), Menu.ACCEPTED, acts)
        return MenuStep((facts.say("page_connecting"),), Menu.BRIDGE, acts)

    return call


def _menu_again(facts: MenuFacts) -> MenuStep:
    if facts.tries + 1 >= MAX_TRIES:
        return MenuStep((facts.say("page_goodbye"),), Menu.OVER)
    return MenuStep((facts.say("page_intro"), facts.say("page_menu")), Menu.MENU, (Act.TRY_AGAIN,))


def _reminder(facts: MenuFacts) -> MenuStep:
    return MenuStep((facts.say("page_reminder"), facts.say("page_reminder_menu")), Menu.REMINDER)


def _reminder_again(facts: MenuFacts) -> MenuStep:
    if facts.tries + 1 >= MAX_TRIES:
        return MenuStep((facts.say("page_goodbye"),), Menu.OVER)
    said = (facts.say("page_reminder"), facts.say("page_reminder_menu"))
    return MenuStep(said, Menu.REMINDER, (Act.TRY_AGAIN,))


def _on_it(facts: MenuFacts) -> MenuStep:
    return MenuStep((facts.say("page_on_it"),), Menu.OVER, (Act.HEARD,))


def _goodbye(facts: MenuFacts) -> MenuStep:
    return MenuStep((facts.say("page_goodbye"),), Menu.OVER)


def _reached(facts: MenuFacts) -> MenuStep:
    return MenuStep((facts.say("page_reached"),), Menu.REACHED, (Act.RESPOND,))


def _not_reached(facts: MenuFacts) -> MenuStep:
    return MenuStep((facts.say("page_not_reached"),), Menu.ACCEPTED)


def _withdraw(facts: MenuFacts) -> MenuStep:
    return MenuStep((facts.say("page_withdrawn"),), Menu.ACCEPTED, (Act.WITHDRAW_RESPONSE,))


TABLE: dict[tuple[Menu, Heard], Rule] = {
    (Menu.MENU, Heard.ANSWERED): _while_ringing(_intro),
    (Menu.MENU, Heard.KEY_1): _while_wanted(_accept),
    (Menu.MENU, Heard.KEY_2): _while_wanted(_play(Menu.MENU, "page_menu")),
    (Menu.MENU, Heard.KEY_3): _while_ringing(_pass),
    (Menu.MENU, Heard.KEY_5): _while_wanted(_call_customer(Act.ACCEPT)),
    (Menu.MENU, Heard.OTHER_KEY): _while_ringing(_menu_again),
    (Menu.MENU, Heard.NO_KEY): _while_ringing(_menu_again),
    (Menu.REMINDER, Heard.ANSWERED): _while_wanted(_reminder),
    (Menu.REMINDER, Heard.KEY_1): _while_wanted(_on_it),
    (Menu.REMINDER, Heard.KEY_2): _while_wanted(_play(Menu.REMINDER, "page_reminder_menu")),
    (Menu.REMINDER, Heard.KEY_3): _while_wanted(_pass),
    (Menu.REMINDER, Heard.KEY_5): _while_wanted(_call_customer(Act.HEARD)),
    (Menu.REMINDER, Heard.OTHER_KEY): _while_wanted(_reminder_again),
    (Menu.REMINDER, Heard.NO_KEY): _while_wanted(_reminder_again),
    (Menu.ACCEPTED, Heard.KEY_2): _play(Menu.ACCEPTED),
    (Menu.ACCEPTED, Heard.KEY_5): _call_customer(),
    (Menu.ACCEPTED, Heard.NO_KEY): _goodbye,
    (Menu.BRIDGE, Heard.REACHED): _reached,
    (Menu.BRIDGE, Heard.NOT_REACHED): _not_reached,
    (Menu.REACHED, Heard.KEY_2): _withdraw,
    (Menu.REACHED, Heard.NO_KEY): _goodbye,
}

# A key that a later menu does not have: the menu is said again, or the call simply ends.
_OTHERWISE: dict[Menu, Rule] = {
    Menu.MENU: _while_ringing(_menu_again),
    Menu.REMINDER: _while_wanted(_reminder_again),
    Menu.ACCEPTED: _play(Menu.ACCEPTED),
    Menu.BRIDGE: _not_reached,
    Menu.REACHED: _goodbye,
    Menu.OVER: _goodbye,
}


def step(state: Menu, heard: Heard, facts: MenuFacts) -> MenuStep:
    """What follows when ``heard`` comes in ``state``."""
    return TABLE.get((state, heard), _OTHERWISE[state])(facts)
