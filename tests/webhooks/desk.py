"""The edge without a telephone company: requests signed as Twilio signs them, and what is answered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
import sqlalchemy as sa
from requests.adapters import BaseAdapter
from twilio.request_validator import RequestValidator
from werkzeug.test import TestResponse

from app import create_app
from core.database import Base
from core.settings import load_settings
from intake.phone.models import Call
from routing.context import build_context
from routing.policies import PolicyVersion, apply_policy
from tests.twiml_lint import problems_in
from webhooks.receipts import Counter
from worker import Worker

BELL = "https://bell.example"
TOKEN = "the-current-token"
ACCOUNT = "AC" + "5" * 32
SUPPORT, MARIA = "+18773632305", "+15125550142"
CALL, RECORDING = "CA" + "1" * 32, "RE" + "1" * 32
SAMPLE = Path(__file__).parents[2] / "routing" / "samples" / "agreement.yaml"
NIGHT = datetime(2026, 3, 4, 8, 10, tzinfo=UTC)  # 02:10 in Chicago, a Wednesday; Dana is on call


class SetClock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.instant = NIGHT

    def now(self) -> datetime:
        return self.instant

    def advance(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)


class NobodyThere(BaseAdapter):
    """The telephone company does not answer."""

    def send(self, *_: Any, **__: Any) -> requests.Response:
        raise requests.ConnectionError("nobody there")

    def close(self) -> None:
        """Nothing to close."""


class Desk:
    """The web process and its worker, with the sample policy, around a clock that stands still."""

    def __init__(self, url: str, folder: Path, **settings: Any) -> None:
        usual: dict[str, Any] = {
            "database_url": url, "data_dir": folder, "public_url": BELL, "secret_key": "a key for tests only",
            "twilio_account_sid": ACCOUNT, "twilio_auth_token": TOKEN,
        }  # fmt: skip
        self.settings = load_settings(**{**usual, **settings})
        self.clock = SetClock()
        session = requests.Session()
        session.mount("https://", NobodyThere())
        self.context = build_context(self.settings, clock=self.clock, telephone_session=session)
        self.app = create_app(self.context)
        self.worker = Worker(self.context)
        with self.context.database.writing() as write:
            if write.scalar(sa.select(PolicyVersion.version)) is None:
                apply_policy(write, SAMPLE.read_text(), NIGHT)

    def post(
        self,
        path: str,
        form: Mapping[str, Any] | None = None,
        *,
        token: str | None = TOKEN,
        signed_for: str = BELL,
        sent_to: str = BELL,
        algorithm: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> TestResponse:
        """Send a form to ``path``, signed for an address, sent to another one perhaps."""
        form = dict(form or {})
        sent = dict(headers or {})
        if token is not None:
            signature = RequestValidator(token).compute_signature(signed_for + path, _Multi(form), algorithm)
            sent = {"X-Twilio-Signature": signature, **sent}
        return self.app.test_client().post(path, data=form, headers=sent, base_url=sent_to)

    def rings(self, sid: str = CALL, from_: str = MARIA, **more: str) -> TestResponse:
        """A customer calls the support line."""
        return self.post("/twilio/voice", {"CallSid": sid, "From": from_, "To": SUPPORT, **more})

    def leaves_voicemail(self, sid: str = CALL) -> None:
        """A covered customer presses 1, speaks and hangs up; the engineer's page is about to go out."""
        self.rings(sid)
        self.leaves_voicemail_without_a_ring(sid)

    def leaves_voicemail_without_a_ring(self, sid: str = CALL) -> None:
        """The same of a call whose beginning we have not seen."""
        self.post("/twilio/voice/1", {"CallSid": sid, "From": MARIA, "To": SUPPORT, "Digits": "1"})
        recording = {
            "RecordingSid": RECORDING, "RecordingDuration": "8", "Digits": "hangup",
            "RecordingUrl": f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Recordings/{RECORDING}",
        }  # fmt: skip
        self.post("/twilio/voice/2", {"CallSid": sid, **recording})
        self.worker.run_due()

    def rows(self, *, but: tuple[str, ...] = ()) -> dict[str, int]:
        """How many rows each table has."""
        with self.context.database.reading() as session:
            return {
                table.name: int(session.scalar(sa.select(sa.func.count()).select_from(table)) or 0)
                for table in Base.metadata.sorted_tables
                if table.name not in but
            }

    @property
    def forged(self) -> int:
        """How many forged requests were counted."""
        with self.context.database.reading() as session:
            return sum(session.scalars(sa.select(Counter.value).where(Counter.name == "webhooks.forged")))

    @property
    def calls(self) -> list[Call]:
        """All calls."""
        with self.context.database.reading() as session:
            return list(session.scalars(sa.select(Call).order_by(Call.sid)))

    def close(self) -> None:
        """Give everything back."""
        self.context.close()


class _Multi:
    """A form whose values may be lists, as the signature's computation takes it."""

    def __init__(self, form: Mapping[str, Any]) -> None:
        self._form = form

    def __iter__(self) -> Any:
        return iter(self._form)

    def __bool__(self) -> bool:
        return bool(self._form)

    def getall(self, name: str) -> list[str]:
        value = self._form[name]
        return list(value) if isinstance(value, list) else [value]


def is_well_formed(answer: TestResponse, kind: str = "voice") -> bool:
    """Whether Twilio could run the answer, or has nothing to run."""
    text = answer.get_data(as_text=True)
    return answer.status_code == 200 and answer.mimetype == "text/xml" and problems_in(text, kind) == []
