"""Signed addresses and Message-IDs: what we wrote is read, what anybody else wrote is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.mail_addresses import Kind, SignedAddresses, Thread, address_key, required_address, without_tag

OURS = SignedAddresses("a key for addresses")
OTHERS = SignedAddresses("a key of somebody else")
BOX = "support@vendor.example"


def test_it_reads_the_case_of_its_own_addresses() -> None:
    address = OURS.case_address(BOX, 1042)
    assert address.startswith("support+c1042.")
    assert address.endswith("@vendor.example")
    assert OURS.case_of(address) == 1042
    assert OURS.case_of(address.upper()) == 1042
    assert (
        OURS.case_of(address.replace("support", "alias").replace("vendor.example", "other.example")) == 1042
    )


def test_it_refuses_what_another_key_has_signed_and_what_was_changed() -> None:
    address = OURS.case_address(BOX, 1042)
    assert OTHERS.case_of(address) is None
    assert OURS.case_of(address.replace("c1042", "c1043")) is None
    assert OURS.case_of(address.replace("+c", "+e")) is None
    assert OURS.bounced_of(address) is None
    assert OURS.case_of(BOX) is None


def test_an_engineers_address_is_of_use_to_that_engineer_alone() -> None:
    address = OURS.engineer_address(BOX, 1042, "dana")
    assert OURS.engineer_case_of(address, "dana") == 1042
    assert OURS.engineer_case_of(address, "luis") is None
    assert OURS.case_of(address) is None


def test_it_reads_which_mail_has_bounced() -> None:
    assert OURS.bounced_of(OURS.bounce_address(BOX, 7)) == 7
    assert OURS.case_of(OURS.bounce_address(BOX, 7)) is None


def test_it_knows_its_own_message_ids() -> None:
    first, second = OURS.message_id(BOX, 1042), OURS.message_id(BOX, 1042)
    assert first != second
    assert OURS.thread_of(first) == Thread(Kind.CUSTOMER, 1042)
    assert OURS.thread_of(first.strip("<>").upper()) == Thread(Kind.CUSTOMER, 1042)
    assert OURS.thread_of(OURS.message_id(BOX, 3, Kind.ENGINEER)) == Thread(Kind.ENGINEER, 3)
    assert OTHERS.thread_of(first) is None
    assert OURS.thread_of(first.replace("c1042.", "c1043.")) is None


@given(st.text(max_size=700))
def test_it_never_raises_for_what_strangers_write(text: str) -> None:
    assert OURS.case_of(text) is None
    assert OURS.engineer_case_of(text, "dana") is None
    assert OURS.bounced_of(text) is None
    assert OURS.thread_of(text) is None
    assert isinstance(without_tag(text), str)


@given(st.integers(1, 10**15))
def test_every_number_comes_back(number: int) -> None:
    assert OURS.case_of(OURS.case_address(BOX, number)) == number
    assert OURS.thread_of(OURS.message_id(BOX, number)) == Thread(Kind.CUSTOMER, number)


def test_it_compares_addresses_as_they_are_meant() -> None:
    assert address_key(" Ann@Bücher.Example. ") == "ann@xn--bcher-kva.example"
    assert without_tag("Support+c1042.abc@Vendor.example") == BOX
    assert required_address("Support@Vendor.example") == BOX


@pytest.mark.parametrize(
    "value", ["", "support", "a b@c.example", "a@b@c.example", "Ann <a@b.example>", "a@"]
)
def test_it_says_what_is_no_address(value: str) -> None:
    with pytest.raises(ValueError, match="no mail address"):
        required_address(value)


def test_the_loop_marker_is_this_installations() -> None:
    assert OURS.loop_value() == SignedAddresses("a key for addresses").loop_value()
    assert OURS.loop_value() != OTHERS.loop_value()
