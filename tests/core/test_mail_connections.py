"""Mails that follow each other share a connection, and none is lost with it or sent twice for it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from core import mail_connections
from core.mail import Mailer, MailError
from core.settings import Settings

MakeSettings = Callable[..., Settings]
RAW = b"Subject: x\r\n\r\ntext %d\r\n"
TO = ["maria@lakeside.example"]


@dataclass
class Server:
    """A mail server of one's own: ``spoken`` has the verbs of each connection, ``taken`` the mails.

    ``hangs_up`` says of a verb, by connection and how often it was said, that the line is cut instead of an answer;
    ``replies`` what is said instead of the usual; ``leaves`` that it goes after each mail.
    """

    spoken: list[list[str]] = field(default_factory=list)
    taken: list[bytes] = field(default_factory=list)
    hangs_up: Callable[[int, str, int], bool] = lambda *_: False
    replies: dict[str, str] = field(default_factory=dict)
    leaves: bool = False
    url: str = ""

    def serve(self, listening: socket.socket) -> None:
        """Until the socket is closed."""
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rwb") as lines, suppress(OSError):
            number, verbs = len(self.spoken), []
            self.spoken.append(verbs)
            self._say(lines, "220 here")
            while line := lines.readline():
                verb = line.split()[0].upper().decode()
                verbs.append(verb)
                if verb == "DATA":
                    self._say(lines, "354 go on")
                    text = b"".join(iter(lines.readline, b".\r\n"))
                    if not self.replies.get("DATA", "250").startswith(("4", "5")):
                        self.taken.append(text)
                if self.hangs_up(number, verb, verbs.count(verb)):
                    return
                self._say(lines, self.replies.get(verb, "221 bye" if verb == "QUIT" else "250 OK"))
                if self.leaves and verb == "DATA":
                    return

    @staticmethod
    def _say(lines: object, reply: str) -> None:
        lines.write(f"{reply}\r\n".encode())  # type: ignore[attr-defined]
        lines.flush()  # type: ignore[attr-defined]


@pytest.fixture
def server() -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        found = Server(url=f"smtp://127.0.0.1:{listening.getsockname()[1]}")
        threading.Thread(target=found.serve, args=(listening,), daemon=True).start()
        yield found
        listening.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def mailer(make_settings: MakeSettings, server: Server) -> Iterator[Mailer]:
    made = Mailer(make_settings(smtp_url=server.url))
    yield made
    made.close()


def send(mailer: Mailer, number: int) -> None:
    assert mailer.hand_over(RAW % number, TO, envelope_from="") == {}


def test_mails_that_follow_each_other_share_a_connection(mailer: Mailer, server: Server) -> None:
    for number in range(5):
        send(mailer, number)
    assert server.taken == [RAW % number for number in range(5)]
    (verbs,) = server.spoken
    assert verbs == ["EHLO", "MAIL", "RCPT", "DATA", *["RSET", "MAIL", "RCPT", "DATA"] * 4]


def test_mails_at_the_same_time_do_not(mailer: Mailer, server: Server) -> None:
    senders = [threading.Thread(target=send, args=(mailer, number)) for number in range(4)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert sorted(server.taken) == [RAW % number for number in range(4)]
    for verbs in server.spoken:
        assert verbs.count("MAIL") == verbs.count("DATA") == verbs.count("RSET") + 1


@pytest.mark.parametrize("how", ["after the mail", "at RSET", "421"])
def test_it_makes_another_where_the_server_has_closed_it_meanwhile(
    mailer: Mailer, server: Server, how: str
) -> None:
    if how == "421":
        server.replies["RSET"] = "421 too many mails"
    server.leaves = how == "after the mail"
    server.hangs_up = lambda _connection, verb, _times: how == "at RSET" and verb == "RSET"
    send(mailer, 1)
    send(mailer, 2)
    assert server.taken == [RAW % 1, RAW % 2]
    assert len(server.spoken) == 2


def test_it_does_not_send_again_what_may_have_been_taken(mailer: Mailer, server: Server) -> None:
    send(mailer, 1)
    server.hangs_up = lambda _connection, verb, _times: verb == "DATA"
    with pytest.raises(MailError) as failed:
        mailer.hand_over(RAW % 2, TO, envelope_from="")
    assert not failed.value.permanent, "whoever sent it decides, and knows that it may have been taken"
    assert server.taken == [RAW % 1, RAW % 2]
    server.hangs_up = lambda *_: False
    send(mailer, 3)
    assert server.taken == [RAW % 1, RAW % 2, RAW % 3]


def test_a_refusal_is_of_one_mail_and_the_next_one_starts_afresh(mailer: Mailer, server: Server) -> None:
    send(mailer, 1)
    server.replies["DATA"] = "554 not this one"
    with pytest.raises(MailError) as failed:
        mailer.hand_over(RAW % 2, TO, envelope_from="")
    assert failed.value.permanent
    del server.replies["DATA"]
    send(mailer, 3)
    assert server.taken == [RAW % 1, RAW % 3]
    assert len(server.spoken) == 2


def test_it_closes_what_nobody_uses(mailer: Mailer, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    send(mailer, 1)
    mailer.tidy()
    send(mailer, 2)
    assert len(server.spoken) == 1
    monkeypatch.setattr(mail_connections, "KEPT_S", 0.0)
    send(mailer, 3)
    assert len(server.spoken) == 2, "too old to be used"
    mailer.close()
    assert mailer._connections._kept == []


def test_it_asks_no_server_for_ever(mailer: Mailer, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_connections, "MOST_MAILS", 2)
    for number in range(5):
        send(mailer, number)
    assert [verbs.count("DATA") for verbs in server.spoken] == [2, 2, 1]
