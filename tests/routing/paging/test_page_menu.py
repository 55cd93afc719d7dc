"""The engineer's menu as a table: what each edge says, where it leads and what is done."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import pytest

from core.twiml import Say
from routing.paging import menu
from routing.paging.menu import MAX_TRIES, Act, Heard, Menu, MenuFacts, MenuStep, Standing, step

VOICEMAIL = "https://bell.example/voicemail.wav"
M, H = Menu, Heard


def facts(standing: Standing = Standing.RINGING, **known: object) -> MenuFacts:
    usual = MenuFacts(standing, lambda key: Say(key), VOICEMAIL, False, "+15125550142")
    return replace(usual, **known)  # type: ignore[arg-type]


def said(result: MenuStep) -> list[str]:
    """The keys of what is said; the voicemail as ``voicemail``."""
    return ["voicemail" if say.audio_url == VOICEMAIL else say.text for say in result.say]


# For the page that rings, the voicemail at hand, a number to call: what is said, the next state, what is done.
EDGES: dict[tuple[Menu, Heard], tuple[list[str], Menu, tuple[Act, ...]]] = {
    (M.MENU, H.ANSWERED): (["page_intro", "page_menu"], M.MENU, ()),
    (M.MENU, H.KEY_1): (["page_accepted"], M.ACCEPTED, (Act.ACCEPT,)),
    (M.MENU, H.KEY_2): (["voicemail", "page_menu"], M.MENU, ()),
    (M.MENU, H.KEY_3): (["page_passed"], M.OVER, (Act.PASS,)),
    (M.MENU, H.KEY_5): (["page_connecting"], M.BRIDGE, (Act.ACCEPT,)),
    (M.MENU, H.OTHER_KEY): (["page_intro", "page_menu"], M.MENU, (Act.TRY_AGAIN,)),
    (M.MENU, H.NO_KEY): (["page_intro", "page_menu"], M.MENU, (Act.TRY_AGAIN,)),
    (M.REMINDER, H.ANSWERED): (["page_reminder", "page_reminder_menu"], M.REMINDER, ()),
    (M.REMINDER, H.KEY_1): (["page_on_it"], M.OVER, (Act.HEARD,)),
    (M.REMINDER, H.KEY_2): (["voicemail", "page_reminder_menu"], M.REMINDER, ()),
    (M.REMINDER, H.KEY_3): (["page_passed"], M.OVER, (Act.PASS,)),
    (M.REMINDER, H.KEY_5): (["page_connecting"], M.BRIDGE, (Act.HEARD,)),
    (M.REMINDER, H.OTHER_KEY): (["page_reminder", "page_reminder_menu"], M.REMINDER, (Act.TRY_AGAIN,)),
    (M.REMINDER, H.NO_KEY): (["page_reminder", "page_reminder_menu"], M.REMINDER, (Act.TRY_AGAIN,)),
    (M.ACCEPTED, H.KEY_2): (["voicemail", "page_accepted"], M.ACCEPTED, ()),
    (M.ACCEPTED, H.KEY_5): (["page_connecting"], M.BRIDGE, ()),
    (M.ACCEPTED, H.NO_KEY): (["page_goodbye"], M.OVER, ()),
    (M.BRIDGE, H.REACHED): (["page_reached"], M.REACHED, (Act.RESPOND,)),
    (M.BRIDGE, H.NOT_REACHED): (["page_not_reached"], M.ACCEPTED, ()),
    (M.REACHED, H.KEY_2): (["page_withdrawn"], M.ACCEPTED, (Act.WITHDRAW_RESPONSE,)),
    (M.REACHED, H.NO_KEY): (["page_goodbye"], M.OVER, ()),
}


@pytest.mark.parametrize("edge", menu.TABLE, ids=lambda edge: f"{edge[0]}-{edge[1]}")
def test_it_does_what_each_edge_says(edge: tuple[Menu, Heard]) -> None:
    assert edge in EDGES, "a new edge needs an expectation here"
    result = step(*edge, facts())
    assert (said(result), result.next, result.acts) == EDGES[edge]


def test_it_has_no_expectation_for_an_edge_that_is_gone() -> None:
    assert set(EDGES) == set(menu.TABLE)


@pytest.mark.parametrize(
    ("standing", "farewell"), [(Standing.TAKEN, "page_taken"), (Standing.OVER, "page_over")]
)
@pytest.mark.parametrize("heard", Heard)
@pytest.mark.parametrize("state", [Menu.MENU, Menu.REMINDER])
def test_it_lets_go_of_an_engineer_whom_the_page_needs_no_more(
    state: Menu, heard: Heard, standing: Standing, farewell: str
) -> None:
    result = step(state, heard, facts(standing))
    assert (said(result), result.next, result.acts) == ([farewell], Menu.OVER, ())


def test_it_says_what_was_written_down_of_the_voicemail() -> None:
    result = step(Menu.MENU, Heard.ANSWERED, facts(transcript=True))
    assert said(result) == ["page_intro", "page_transcript", "page_menu"]


@pytest.mark.parametrize("state", [Menu.MENU, Menu.REMINDER, Menu.ACCEPTED])
def test_it_says_again_what_was_written_where_there_is_no_sound(state: Menu) -> None:
    result = step(state, Heard.KEY_2, facts(voicemail_url=None, transcript=True))
    assert said(result)[0] == "page_transcript"
    assert result.next is state


def test_it_says_what_was_written() -> None:
    result = step(Menu.MENU, Heard.ANSWERED, facts(voicemail_url=None, written=True))
    assert said(result) == ["page_intro", "page_excerpt", "page_menu"]


@pytest.mark.parametrize("state", [Menu.MENU, Menu.REMINDER, Menu.ACCEPTED])
def test_it_reads_out_what_was_written(state: Menu) -> None:
    result = step(state, Heard.KEY_2, facts(voicemail_url=None, written=True))
    assert said(result)[:-1] == ["page_written"]
    result = step(state, Heard.KEY_2, facts(voicemail_url=None, written=True, later=True, cut=True))
    assert said(result)[:-1] == ["page_written", "page_written_later", "page_written_cut"]
    assert result.next is state
    assert said(step(state, Heard.KEY_2, facts(written=True)))[0] == "voicemail", (
        "of somebody who called as well"
    )


@pytest.mark.parametrize("state", [Menu.MENU, Menu.REMINDER, Menu.ACCEPTED])
def test_it_says_that_the_voicemail_is_not_there_yet(state: Menu) -> None:
    result = step(state, Heard.KEY_2, facts(voicemail_url=None))
    assert said(result)[0] == "page_no_voicemail"
    assert result.next is state


@pytest.mark.parametrize(
    ("state", "acts"), [(Menu.MENU, (Act.ACCEPT,)), (Menu.REMINDER, (Act.HEARD,)), (Menu.ACCEPTED, ())]
)
def test_it_calls_nobody_who_left_no_number_but_accepts_all_the_same(
    state: Menu, acts: tuple[Act, ...]
) -> None:
    result = step(state, Heard.KEY_5, facts(customer_number=None))
    assert (said(result), result.next, result.acts) == (
        ["page_no_number", "page_accepted"],
        Menu.ACCEPTED,
        acts,
    )


@pytest.mark.parametrize("heard", [Heard.OTHER_KEY, Heard.NO_KEY])
@pytest.mark.parametrize("state", [Menu.MENU, Menu.REMINDER])
def test_it_says_the_menu_three_times_and_hangs_up_on_a_mailbox(state: Menu, heard: Heard) -> None:
    again = [step(state, heard, facts(tries=tries)) for tries in range(MAX_TRIES)]
    assert [result.next for result in again] == [state] * (MAX_TRIES - 1) + [Menu.OVER]
    assert said(again[-1]) == ["page_goodbye"]
    assert all(Act.ACCEPT not in result.acts for result in again)


def test_it_accepts_for_a_key_and_for_nothing_else() -> None:
    """A person acknowledges, never a machine."""
    accepting = {heard for state, heard in EDGES if Act.ACCEPT in step(state, heard, facts()).acts}
    assert accepting == {Heard.KEY_1, Heard.KEY_5}


def test_it_says_who_is_missing_where_everyone_must_acknowledge() -> None:
    for state, heard in ((Menu.MENU, Heard.KEY_1), (Menu.ACCEPTED, Heard.KEY_2)):
        assert said(step(state, heard, facts(many=True)))[-1] == "page_acknowledged"


@pytest.mark.parametrize("standing", Standing)
@pytest.mark.parametrize("heard", Heard)
@pytest.mark.parametrize("state", Menu)
def test_it_has_an_answer_for_every_pair(state: Menu, heard: Heard, standing: Standing) -> None:
    for known in ({}, {"voicemail_url": None, "customer_number": None}, {"tries": 99, "transcript": True}):
        result = step(state, heard, facts(standing, **known))
        assert result.say
        assert isinstance(result.next, Menu)
        if (state, heard) not in menu.TABLE:
            assert not {Act.ACCEPT, Act.PASS, Act.RESPOND, Act.WITHDRAW_RESPONSE} & set(result.acts)


@pytest.mark.parametrize("state", Menu)
def test_it_has_an_exit_from_every_state(state: Menu) -> None:
    """An engineer who presses nothing any more is hung up on."""
    current, tries = state, 0
    for _ in range(10):
        if current is Menu.OVER:
            return
        heard = Heard.NOT_REACHED if current is Menu.BRIDGE else Heard.NO_KEY
        result = step(current, heard, facts(tries=tries))
        tries = tries + 1 if Act.TRY_AGAIN in result.acts else 0
        current = result.next
    raise AssertionError(f"no way out of {state}")


def test_it_can_come_to_every_state() -> None:
    reached, waiting = {Menu.MENU, Menu.REMINDER}, deque([Menu.MENU, Menu.REMINDER])
    while waiting:
        state = waiting.popleft()
        for heard in Heard:
            following = step(state, heard, facts()).next
            if following not in reached:
                reached.add(following)
                waiting.append(following)
    assert reached == set(Menu)
