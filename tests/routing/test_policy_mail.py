"""Mail in the policy: what is refused, what is warned of, how changes are told, and who is known by mail."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.database import Database
from routing.directory import load_directory
from routing.policies import PolicyError, apply_policy, parse_policy
from routing.policy_changes import changes
from routing.policy_findings import findings
from routing.policy_mail import public_mail_hosts
from tests.stories.people import agreement

NOON = datetime(2026, 3, 4, 18, 0, tzinfo=UTC)
BOX = "    address: MASsupport@smatechnologies.com\n"
SECOND = "  second:\n    name: Second\n    address: second@smatechnologies.com\n    service: support\n"
THIRD = SECOND.replace("second", "third")
CATCH_ALL = "    catch_all: true\n"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[lakeside.example]", "[gmail.com]", "customers.lakeside.domains.0: gmail.com is a public mail host"),
        ("[lakeside.example]", "[harbor.example]", "has the domain harbor.example already"),
        ("[lakeside.example]", "[smatechnologies.com]", "is the domain of a mailbox of yours"),
        ("[lakeside.example]", "[nodots]", "is no domain"),
        (BOX, "    address: not an address\n", "mailboxes.managed-services.address"),
        (BOX, "    address: support+tag@sma.example\n", "has a tag"),
        (BOX, BOX + "    aliases: [massupport@SMATECHNOLOGIES.com]\n", "has the address"),
        ("mailboxes:\n", "mailboxes:\n" + SECOND.replace("second@", "massupport@"), "has the address"),
        ("mailboxes:\n", "mailboxes:\n" + SECOND + CATCH_ALL + THIRD + CATCH_ALL, "unknown names"),
        (
            "service: managed-services\n    # Samples: how",
            "service: nothing\n    # Samples: how",
            "no service is called",
        ),
        ('subject: ["P1", "URGENT"]', 'subject: ["P"]', "mailboxes.managed-services.urgent.subject.0"),
    ],
)  # fmt: skip
def test_it_refuses_what_leads_nowhere_or_twice(old: str, new: str, said: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(agreement((old, new)))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("email: tom@prairie.example", "email: MARIA@lakeside.example", "it identifies neither of them"),
        ("email: tom@prairie.example", "email: massupport@smatechnologies.com", "one of your own mailboxes"),
        ("email: tom@prairie.example", "may_request_priority_1: true", "but has no mail address"),
        ("email: dana@nightbell.example", "email: massupport+x@smatechnologies.com", "would come back"),
        ("mailboxes:\n", "mailboxes:\n" + SECOND.replace(": support", ": bare"), "nothing is promised"),
    ],
)  # fmt: skip
def test_it_warns_of_what_is_foolish(old: str, new: str, said: str) -> None:
    bare = ("services:\n", "services:\n  bare: {name: Bare, calendar: business}\n")
    text = "\n".join(finding.message for finding in findings(parse_policy(agreement(bare, (old, new))), NOON))
    assert said in text


def test_it_tells_what_changes() -> None:
    before = parse_policy(agreement())
    after = parse_policy(
        agreement(
            ("unknown_senders: notify", "unknown_senders: hold"),
            ("[lakeside.example]", "[lakeside.example, lakeside.test]"),
        )
    )
    assert changes(before, after) == [
        "Mailbox Managed Services, unknown_senders: notify -> hold",
        "Customer Lakeside Credit Union, domains: lakeside.example -> lakeside.example, lakeside.test",
    ]


def test_it_knows_customers_by_address_and_domain(database_url: str) -> None:
    database = Database(database_url)
    with database.writing() as session:
        apply_policy(session, agreement(("maria@lakeside", "Maria@Lakeside")), NOON)
    with database.reading() as session:
        directory = load_directory(session)
    (maria,) = directory.by_email["maria@lakeside.example"]
    assert (maria.customer, maria.contact) == ("Lakeside Credit Union", "Maria Alvarez")
    assert maria.may_request_priority_1
    assert not directory.by_email["tom@prairie.example"][0].may_request_priority_1
    assert directory.by_domain["harbor.example"].customer == "Harbor Freight Lines"
    assert directory.by_domain["harbor.example"].contact_id is None
    assert "prairie.example" not in directory.by_domain
    database.close()


def test_a_domain_changes_hands(database_url: str) -> None:
    database = Database(database_url)
    with database.writing() as session:
        apply_policy(session, agreement(), NOON)
    moved = agreement(
        ("[lakeside.example]", "[]"),
        ("[harbor.example]", "[lakeside.example]"),
    )
    with database.writing() as session:
        apply_policy(session, moved, NOON)
    with database.reading() as session:
        assert load_directory(session).by_domain["lakeside.example"].customer == "Harbor Freight Lines"
    database.close()


def test_the_list_of_public_hosts_has_what_everybody_knows() -> None:
    assert {"gmail.com", "outlook.com", "gmx.net", "yahoo.com", "icloud.com"} <= public_mail_hosts()
    assert all(host == host.lower() and "." in host for host in public_mail_hosts())
