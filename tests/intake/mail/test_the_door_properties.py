"""Any header and any tree of parts goes through the whole door: stored to the byte, and on exactly one case."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.due import Due
from core.models import Case, Message
from core.settings import load_settings
from intake.mail.models import InboundMail
from intake.mail.parsing import Envelope
from intake.mail.raw_bytes import raw_bytes
from intake.mail.receiving import store
from routing.context import Context, build_context
from routing.policies import apply_policy
from tests.stories.people import agreement
from worker import Worker

BOX = "MASsupport@smatechnologies.com"
_NAMES = (
    "From To Cc Subject Date Message-ID In-Reply-To References Reply-To Return-Path Sender Content-Type Received"
    " Content-Transfer-Encoding Content-Disposition Auto-Submitted Precedence List-Id X-Loop Delivered-To"
    " Authentication-Results X-Nightbell-Loop"
)
NAMES = st.sampled_from(_NAMES.split())
ODD = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=80)
VALUES = st.one_of(
    ODD,
    st.sampled_from(
        [
            "maria@lakeside.example", "Maria <maria@lakeside.example>", BOX, "<1@x>", "<2@x> <1@x>", "[Case 1001] P1",
            "multipart/mixed; boundary=b", "multipart/alternative; boundary=b", "text/html; charset=utf-8",
            "message/rfc822", "text/plain; charset=no-such", "base64", "quoted-printable", "auto-replied",
            "=?utf-8?q?=00=0A?=", "=?x?b?????=", "attachment; filename*=utf-8''%2e%2e%2f",
            "massupport+c1001.aaaaaaaaaaaa@x",
        ]
    ),
)  # fmt: skip
HEADERS = st.lists(st.tuples(NAMES, VALUES), max_size=12).map(
    lambda fields: "".join(f"{name}: {value}\r\n" for name, value in fields).encode("utf-8", "surrogatepass")
)
LEAVES = st.one_of(st.binary(max_size=200), ODD.map(str.encode), st.just(b"<p>x</p><script>y</script>"))
TREES = st.recursive(
    st.builds(lambda head, body: head + b"\r\n" + body, HEADERS, LEAVES),
    lambda parts: st.builds(
        lambda head, inner: head + b"\r\n--b\r\n" + b"\r\n--b\r\n".join(inner) + b"\r\n--b--\r\n",
        HEADERS,
        st.lists(parts, max_size=4),
    ),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def context(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    folder = tmp_path_factory.mktemp("door")
    shutil.copy(sqlite_template, folder / "n.db")
    context = build_context(
        load_settings(
            database_url=f"sqlite:///{folder / 'n.db'}", data_dir=folder, secret_key="a key for the door",
            twilio_account_sid="AC" + "0" * 32, twilio_auth_token="token", authserv_id="mx.vendor.example",
        )
    )  # fmt: skip
    with context.database.writing() as session:
        apply_policy(session, agreement(), datetime.now(UTC))
    yield context
    context.close()


@given(TREES, st.one_of(st.none(), ODD))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_comes_is_stored_to_the_byte_and_on_one_case(
    context: Context, raw: bytes, sender: str | None
) -> None:
    stored = store(context, raw, Envelope(sender, [BOX]), "smtp")
    worker = Worker(context)
    while claims := worker.claim(1):
        if claims[0].kind == "mail.take-in":
            worker.do(claims[0])
    with context.database.reading() as session:
        row = session.get_one(InboundMail, stored[0].id)
        if not stored[0].duplicate:
            assert raw_bytes(session, row) == raw
        assert row.state == "taken", row.error
        left = session.scalars(
            sa.select(Due.last_error).where(Due.kind == "mail.take-in", Due.state != "done")
        )
        assert left.all() == []
        ours = row.case_id is None and row.message_row is None
        if not ours:
            case, message = session.get_one(Case, row.case_id), session.get_one(Message, row.message_row)
            assert message.case_id == case.id
            for text in (case.title, message.body, message.html or ""):
                assert "\0" not in text
                text.encode()
            assert not any(character in case.title for character in "\r\n\0")
