"""A real name server on this machine: answers from a table, fails where it is told to, or says nothing at all."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import dns.message
import dns.rcode
import dns.rrset

FAILS, SILENT = "FAILS", "SILENT"


class NameServer:
    """``records`` maps (name, kind) to texts in a zone file's form, to FAILS or to SILENT."""

    def __init__(self, records: Mapping[tuple[str, str], list[str] | str]) -> None:
        self.records = dict(records)
        self.asked: Counter[tuple[str, str]] = Counter()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        while True:
            data, peer = self._socket.recvfrom(4096)
            if data == b"stop":
                return
            answer = self._answer(dns.message.from_wire(data))
            if answer is not None:
                self._socket.sendto(answer.to_wire(max_size=4000), peer)

    def _answer(self, query: dns.message.Message) -> dns.message.Message | None:
        question = query.question[0]
        name, kind = (
            question.name.to_text(omit_final_dot=True).lower(),
            dns.rdatatype.to_text(question.rdtype),
        )
        self.asked[name, kind] += 1
        answer = dns.message.make_response(query)
        found = self.records.get((name, kind), [])
        if found == SILENT:
            return None
        if found == FAILS:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif found:
            answer.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", kind, list(found)))
        elif not any(known == name for known, _ in self.records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer

    @contextmanager
    def open(self) -> Iterator[NameServer]:
        """Answering, for a while."""
        self._thread.start()
        try:
            yield self
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stopper:
                stopper.sendto(b"stop", self._socket.getsockname())
            self._thread.join()
            self._socket.close()


def txt(text: str) -> list[str]:
    """One TXT record, in pieces of at most 255 characters."""
    pieces = [text[start : start + 250] for start in range(0, len(text), 250)]
    return [" ".join('"' + piece.replace('"', '\\"') + '"' for piece in pieces)]
