"""Policies at rest: applied whole or not at all, kept for ever, current for everybody within a second."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

from core.database import Database
from core.models import Contact, Contract, Customer, Event, Person
from routing import policies
from routing.directory import load_directory
from routing.policies import NoPolicy, Policies, PolicyError, PolicyVersion, apply_policy, parse_policy

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def apply(database: Database, text: str) -> int:
    with database.writing() as session:
        return apply_policy(session, text, NOON)


def count(database: Database, model: type) -> int:
    with database.reading() as session:
        return int(session.scalar(sa.select(sa.func.count()).select_from(model)) or 0)


def test_it_keeps_each_document_under_its_own_version(database: Database, sample: str) -> None:
    changed = sample.replace("company: SMA Technologies", "company: Acme")
    assert [apply(database, text) for text in (sample, changed, sample)] == [1, 2, 3]
    with database.reading() as session:
        rows = session.scalars(sa.select(PolicyVersion).order_by(PolicyVersion.version)).all()
        events = session.scalars(sa.select(Event).where(Event.kind == "policy.applied")).all()
    assert [row.document for row in rows] == [sample, changed, sample]
    assert rows[0].fingerprint == rows[2].fingerprint != rows[1].fingerprint
    assert [event.data["version"] for event in events] == [1, 2, 3]


def test_it_changes_nothing_for_a_document_with_a_mistake(database: Database, sample: str) -> None:
    apply(database, sample)
    with pytest.raises(PolicyError):
        apply(database, sample.replace("{tier: elite}", "{tier: nope}").replace("Dana Whitfield", "Somebody"))
    assert count(database, PolicyVersion) == 1
    with database.reading() as session:
        assert session.get_one(Person, "dana").name == "Dana Whitfield"


def test_it_applies_all_of_a_document_or_nothing(
    database: Database, sample: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("the power is cut")

    monkeypatch.setattr(policies, "_write_contacts", fails)
    with pytest.raises(RuntimeError, match="power"):
        apply(database, sample)
    assert [count(database, model) for model in (PolicyVersion, Person, Customer, Event)] == [0, 0, 0, 0]


def test_it_writes_people_customers_contacts_and_contracts(database: Database, sample: str) -> None:
    apply(database, sample)
    with database.reading() as session:
        dana = session.get_one(Person, "dana")
        lakeside = session.scalars(sa.select(Customer).where(Customer.key == "lakeside")).one()
        maria = session.scalars(sa.select(Contact).where(Contact.customer_id == lakeside.id)).one()
        tiers = {contract.service: (contract.tier, contract.consent) for contract in lakeside.contracts}
    assert (dana.name, dana.phone, dana.phone_verified, dana.active) == (
        "Dana Whitfield", "+17135550101", True, True,
    )  # fmt: skip
    assert (lakeside.name, lakeside.support_id) == ("Lakeside Credit Union", "4471")
    assert (maria.name, maria.phone, maria.email) == (
        "Maria Alvarez",
        "+15125550142",
        "maria@lakeside.example",
    )
    assert tiers == {"support": ("elite", "ask"), "managed-services": ("managed-services", "ask")}


def test_it_applies_the_same_document_again_without_doubling_anything(
    database: Database, sample: str
) -> None:
    apply(database, sample)
    before = [count(database, model) for model in (Person, Customer, Contact, Contract)]
    apply(database, sample)
    assert [count(database, model) for model in (Person, Customer, Contact, Contract)] == before


def test_it_retires_who_is_no_longer_named_and_takes_them_back(database: Database, sample: str) -> None:
    apply(database, sample)
    without = sample.replace(", luis, priya, sam]", ", priya, sam]")
    without = "\n".join(
        line for line in without.splitlines() if "Luis Ortega" not in line and "Tom Becker" not in line
    )
    without = without.replace("  prairie:\n", "  prairie2:\n").replace('"4472"', '"4479"')
    without = without.replace("    contacts:\n  harbor:", "  harbor:")
    apply(database, without)
    with database.reading() as session:
        active = {
            "luis": session.get_one(Person, "luis").active,
            "dana": session.get_one(Person, "dana").active,
            **{c.key: c.active for c in session.scalars(sa.select(Customer)) if c.key.startswith("prairie")},
        }
    assert active == {"luis": False, "dana": True, "prairie": False, "prairie2": True}
    apply(database, sample)
    with database.reading() as session:
        assert session.get_one(Person, "luis").active
        prairie = session.scalars(sa.select(Customer).where(Customer.key == "prairie")).one()
    assert (prairie.active, prairie.support_id) == (True, "4472")


def test_it_retires_a_contact_who_has_left(database: Database, sample: str) -> None:
    apply(database, sample)
    apply(database, sample.replace("Maria Alvarez", "Ana Costa"))
    with database.reading() as session:
        names = {c.name: c.active for c in session.scalars(sa.select(Contact)) if c.phone == "+15125550142"}
    assert names == {"Maria Alvarez": False, "Ana Costa": True}


def test_it_lets_customers_swap_their_support_ids(database: Database, sample: str) -> None:
    apply(database, sample)
    swapped = sample.replace('"4471"', '"x"').replace('"4472"', '"4471"').replace('"x"', '"4472"')
    apply(database, swapped)
    with database.reading() as session:
        ids = {c.key: c.support_id for c in session.scalars(sa.select(Customer))}
    assert (ids["lakeside"], ids["prairie"]) == ("4472", "4471")


def test_it_lets_a_new_customer_have_the_support_id_of_a_retired_one(database: Database, sample: str) -> None:
    apply(database, sample)
    apply(database, sample.replace("  lakeside:\n", "  lakeside-cu:\n"))
    with database.reading() as session:
        found = session.scalars(sa.select(Customer).where(Customer.support_id == "4471")).one()
    assert (found.key, found.active) == ("lakeside-cu", True)


def test_it_replaces_contracts_with_their_terms(database: Database, sample: str) -> None:
    apply(database, sample)
    apply(database, sample.replace("{tier: elite}", "{tier: select, starts: 2026-01-01, ends: 2026-06-30}"))
    with database.reading() as session:
        entry = load_directory(session).by_support_id["4471"]
    first, last = entry.terms("support", date(2026, 1, 1)), entry.terms("support", date(2026, 6, 30))
    assert first == last
    assert (first and first.tier) == "select"
    assert entry.terms("support", date(2025, 12, 31)) is None
    assert entry.terms("support", date(2026, 7, 1)) is None


# What is current


class Watch:
    """A monotonic clock that the test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch()
    monkeypatch.setattr(policies, "time", watch)
    return watch


def test_it_says_what_to_do_when_there_is_no_policy_yet(database: Database, sample: str) -> None:
    current = Policies(database)
    with pytest.raises(NoPolicy, match="nightbell policy apply"):
        current.current()
    apply(database, sample)
    current.forget()
    assert current.current().version == 1


def test_it_notices_a_new_policy_within_a_second_and_asks_no_oftener(
    database: Database, sample: str, watch: Watch
) -> None:
    apply(database, sample)
    current = Policies(database)
    assert current.current().version == 1
    asked: list[str] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    apply_count = len(asked)
    watch.seconds += 0.9
    assert current.current().version == 1
    assert len(asked) == apply_count
    apply(database, sample.replace("company: SMA Technologies", "company: Acme"))
    assert current.current().version == 1
    watch.seconds += 0.2
    assert current.current().version == 2
    assert current.current().policy.company == "Acme"


def test_it_keeps_old_versions_for_what_began_under_them(database: Database, sample: str) -> None:
    apply(database, sample)
    apply(database, sample.replace("company: SMA Technologies", "company: Acme"))
    current = Policies(database)
    assert current.version(1).company == "SMA Technologies"
    assert current.version(2).company == "Acme"
    assert current.version(1) is current.version(1)
    with pytest.raises(sa.exc.NoResultFound):
        current.version(3)


def test_it_serves_the_policy_it_knows_while_the_database_is_down(
    database: Database, sample: str, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(database, sample)
    current = Policies(database)
    known = current.current()

    def down() -> None:
        raise sa.exc.OperationalError("SELECT", {}, Exception("the database is down"))

    with monkeypatch.context() as patched:
        patched.setattr(database, "reading", down)
        watch.seconds += 10
        assert current.current() is known
        assert current.version(1) is known.policy
        with pytest.raises(sa.exc.OperationalError):
            Policies(database).current()
    apply(database, sample)
    watch.seconds += 10
    assert current.current().version == 2


def test_it_gives_policy_and_customers_that_belong_together(
    database: Database, sample: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another policy is applied while the customers of the first are being read."""
    apply(database, sample)
    load, raced = policies.load_directory, []

    def racing(session: sa.orm.Session) -> policies.Directory:
        found = load(session)
        if not raced:
            raced.append(apply(database, sample.replace('"4471"', '"9999"')))
            return load(session)
        return found

    monkeypatch.setattr(policies, "load_directory", racing)
    current = Policies(database).current()
    assert raced == [2]
    assert current.version == 2
    assert current.policy.customers["lakeside"].support_id == "9999"
    assert "9999" in current.directory.by_support_id
    assert "4471" not in current.directory.by_support_id


def test_it_leaves_the_customers_of_the_later_version_when_two_are_applied_at_once(
    database: Database, sample: str
) -> None:
    texts = [sample.replace('"4471"', f'"90{number}"') for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        given = list(pool.map(lambda text: apply(database, text), texts))
    assert len(set(given)) == 6
    latest = Policies(database).current()
    with database.reading() as session:
        lakeside = session.scalars(sa.select(Customer).where(Customer.key == "lakeside")).one()
        contracts = session.scalars(sa.select(Contract).where(Contract.customer_id == lakeside.id)).all()
    assert latest.version == max(given)
    assert lakeside.support_id == latest.policy.customers["lakeside"].support_id
    assert len(contracts) == 2


def test_it_reads_back_what_it_was_given(database: Database, sample: str) -> None:
    apply(database, sample)
    with database.reading() as session:
        read = policies.policy_of_version(session, 1)
    assert read.lines == parse_policy(sample).lines
    assert read.calendar_of("support").fingerprint == parse_policy(sample).calendar_of("support").fingerprint
