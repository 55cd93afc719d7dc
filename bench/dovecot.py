"""A private Dovecot: a real IMAP server on a free port, in a folder of its own, for a benchmark or a test."""

from __future__ import annotations

import contextlib
import grp
import imaplib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MISSING = shutil.which("dovecot", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
USER, PASSWORD = "mas", "p@ss/word?"

_CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = {ssl}
{tls}
disable_plaintext_auth = no
auth_mechanisms = plain login {mechanisms}
mail_location = sdbox:{folder}/mail/%u
mail_uid = {owner}
mail_gid = {group}
first_valid_uid = 1
first_valid_gid = 0
mail_fsync = never
auth_failure_delay = 0
default_internal_user = {internal}
default_internal_group = {internal_group}
default_login_user = {login}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service stats {{
  chroot =
}}
passdb {{
  driver = static
  mechanisms = plain login
  args = password={password}
}}
{oauth}
userdb {{
  driver = static
  args = uid={owner} gid={group} home={folder}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
imap_capability = {capability}
"""

_OAUTH = """
passdb {{
  driver = oauth2
  mechanisms = {mechanisms}
  args = {file}
}}
"""
_INTROSPECTION = """
introspection_url = {url}
introspection_mode = post
username_attribute = username
active_attribute = active
active_value = true
"""


def free_port() -> int:
    """A port that nobody uses just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Dovecot:
    """A server and its one mailbox."""

    def __init__(self, folder: Path, certificate: tuple[Path, Path] | None, capability: str,
                 introspection: str = "", mechanisms: str = "") -> None:  # fmt: skip
        self.folder, self.port, self.tls_port = folder, free_port(), free_port()
        self._certificate, self._capability = certificate, capability
        self._introspection, self._mechanisms = introspection, mechanisms if introspection else ""
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, scheme: str = "imap+plain", folder: str = "INBOX") -> str:
        """The mailbox's address, as the setting has it."""
        port = self.tls_port if scheme == "imaps" else self.port
        return f"{scheme}://{USER}:p%40ss%2Fword%3F@127.0.0.1:{port}/{folder}"

    def start(self) -> None:
        """Begin to serve."""
        as_root = os.getuid() == 0
        me = pwd.getpwuid(os.getuid())
        owner = pwd.getpwnam("nobody") if as_root else me
        (self.folder / "mail").mkdir(exist_ok=True)
        if as_root:
            os.chown(self.folder / "mail", owner.pw_uid, owner.pw_gid)
            self.folder.chmod(0o755)
        tls = "" if self._certificate is None else (
            f"ssl_cert = <{self._certificate[0]}\nssl_key = <{self._certificate[1]}"
        )  # fmt: skip
        config = _CONFIG.format(
            folder=self.folder, port=self.port, tls_port=self.tls_port if tls else 0, password=PASSWORD, tls=tls,
            ssl="yes" if tls else "no", owner=owner.pw_uid, group=owner.pw_gid,
            internal="dovecot" if as_root else me.pw_name,
            internal_group="dovecot" if as_root else grp.getgrgid(me.pw_gid).gr_name,
            login="dovenull" if as_root else me.pw_name, capability=self._capability,
            mechanisms=self._mechanisms, oauth=self._oauth(),
        )  # fmt: skip
        file = self.folder / "dovecot.conf"
        file.write_text(config)
        self._process = subprocess.Popen(
            [MISSING or "dovecot", "-F", "-c", str(file)], start_new_session=True
        )
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError, imaplib.IMAP4.error), self.client():
                return
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.02)

    def _oauth(self) -> str:
        """The part for tokens: a server that tells whose they are is asked."""
        if not self._introspection:
            return ""
        file = self.folder / "oauth.conf"
        file.write_text(_INTROSPECTION.format(url=self._introspection))
        return _OAUTH.format(mechanisms=self._mechanisms, file=file)

    def stop(self) -> None:
        """Stop serving, without a word to anybody; the mail stays."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(20)
            self._process = None

    def log(self) -> str:
        """What it wrote."""
        file = self.folder / "dovecot.log"
        return file.read_text() if file.exists() else ""

    @contextmanager
    def client(self, folder: str = "INBOX") -> Iterator[imaplib.IMAP4]:
        """Somebody else at the same mailbox."""
        client = imaplib.IMAP4("127.0.0.1", self.port, timeout=20)
        client.login(USER, PASSWORD)
        client.select(folder)
        try:
            yield client
        finally:
            client.logout()

    def put(self, raw: bytes, folder: str = "INBOX", flags: str = "") -> None:
        """A mail arrives."""
        with self.client() as client:
            status, said = client.append(folder, flags, "", raw)
            assert status == "OK", said

    def mails(self, folder: str = "INBOX") -> list[tuple[bytes, frozenset[str]]]:
        """What is in a folder: bytes and flags; none where there is no such folder."""
        with self.client() as client:
            if client.select(folder)[0] != "OK":
                return []
            _, found = (
                client.fetch("1:*", "(FLAGS BODY.PEEK[])") if client.search(None, "ALL")[1][0] else (0, [])
            )
            return [
                (each[1], frozenset(flag.decode() for flag in imaplib.ParseFlags(each[0])))
                for each in found
                if isinstance(each, tuple)
            ]


@contextmanager
def dovecot(
    certificate: tuple[Path, Path] | None = None, capability: str = "", *, introspection: str = "",
    mechanisms: str = "xoauth2 oauthbearer",
) -> Iterator[Dovecot]:  # fmt: skip
    """A server that runs; with ``introspection`` one that takes tokens, and asks there whose they are."""
    # Its sockets need a short path.
    folder = Path(tempfile.mkdtemp(prefix="nb-dovecot-"))
    server = Dovecot(folder, certificate, capability, introspection, mechanisms)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
