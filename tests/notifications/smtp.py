"""A mail server of our own that accepts, refuses, falls silent or hangs up, as it is told."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Session)
        self.mails: list[EmailMessage] = []
        self.connections = 0
        self.answers: dict[str, str] = {}  # by the first word of a command, or "." for the end of a mail
        self.silent_at = ""
        self.released = threading.Event()

    @property
    def port(self) -> int:
        return self.server_address[1]


class Session(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        self.server.connections += 1
        self._say("220 sink")
        while line := self.rfile.readline():
            word = line.split()[0].decode().upper() if line.split() else ""
            if word == "QUIT":
                self._say("221 bye")
                return
            if not self._answer(word, line):
                return

    def _answer(self, word: str, line: bytes) -> bool:
        if word == self.server.silent_at:
            self.server.released.wait(timeout=30)
            return False
        if word in self.server.answers:
            self._say(self.server.answers[word])
            return not self.server.answers[word].startswith("421")
        if word == "DATA":
            return self._data()
        self._say("250 fine")
        return True

    def _data(self) -> bool:
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line)
        answer = self.server.answers.get(".", "250 taken")
        if answer.startswith("250"):
            self.server.mails.append(message_from_bytes(b"".join(lines), policy=policy.default))
        self._say(answer)
        return True

    def _say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")


@contextmanager
def smtp_server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.released.set()
            server.shutdown()
            thread.join()
