"""A SOCKS5 proxy that authenticates by GSSAPI (RFC 1961), and does wrong what it is told to.

    proxy.py HOST PORT [WRONG]

It serves CONNECT. Its key is in the file that KRB5_KTNAME names. WRONG, with what it does:

    slow            sends the bytes up to the reply one by one
    abort-token     answers the token with an abort; abort-level: the level
    close-token     ends the connection there; close-level
    type-token      answers the token with a message of another type; version-token: of another version
    nonsense-token  answers it with bytes that are no token
    silent-token    answers it with the head of a long message alone
    level=N         wants level N
    bare-level      sends the level without protection, to a client that has protected its own
    sealed-level    encrypts the level
    bare-reply      sends the reply without protection
    split-reply     sends the reply in messages of a byte each
    early-data      sends the target's first bytes with the reply; in-reply: in one message with it
    most=N          sends messages of N bytes at most
    empty           sends messages without bytes between the others
    flip=N          changes a bit of message N; twice=N: sends it twice; swap=N: sends it after the next one;
                    lose=N: does not send it
    signed          signs what it should encrypt
    cut=N           ends the connection in the middle of message N
"""

import os
import socket
import struct
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mechanism import Acceptor, Refused  # noqa: E402

TOKEN, LEVEL, DATA = 1, 2, 3
MOST = 65475


class Over(Exception):
    """The connection is over, as it was told to be."""


class Connection:
    def __init__(self, client, host, wrong, number):
        self.client, self.host, self.wrong, self.number = client, host, wrong, number
        self.context, self.level, self.sent, self.held = Acceptor(), 0, 0, b""

    def receive(self, count):
        data = b""
        while len(data) < count:
            some = self.client.recv(count - len(data))
            if not some:
                raise EOFError
            data += some
        return data

    def send(self, data):
        if self.wrong != "slow":
            return self.client.sendall(data)
        for byte in data:
            self.client.sendall(bytes([byte]))

    def receive_message(self):
        version, kind, length = struct.unpack(">BBH", self.receive(4))
        return kind, self.receive(length)

    @staticmethod
    def message(kind, token, version=1):
        return struct.pack(">BBH", version, kind, len(token)) + token

    # What is sent and received under protection.

    def protected(self, data):
        if not self.level:
            return data
        return self.message(DATA, self.context.wrap(data, self.level == 2 and self.wrong != "signed"))

    def unprotected(self):
        """Bytes of the client's; none at the end."""
        if not self.level:
            return self.client.recv(65536)
        while True:
            try:
                kind, token = self.receive_message()
            except EOFError:
                return b""
            data, is_sealed = self.context.unwrap(token)
            if kind != DATA or is_sealed != (self.level == 2):
                raise Refused("a message of the client's")
            if data:
                return data

    def send_data(self, data):
        """Sends bytes of the target's as a message."""
        before = self.protected(b"") if self.wrong == "empty" else b""
        message = self.protected(data)
        self.sent += 1
        what, _, which = self.wrong.partition("=")
        if which != str(self.sent):
            message, self.held = message + self.held, b""
        elif what == "flip":
            message = message[:-1] + bytes([message[-1] ^ 1])
        elif what == "twice":
            message += message
        elif what == "swap":
            message, self.held = b"", message
        elif what == "lose":
            message = b""
        elif what == "cut":
            self.client.sendall(message[: len(message) // 2])
            raise Over
        self.client.sendall(before + message)

    # The handshake.

    def establish(self):
        _, count = self.receive(2)
        methods = self.receive(count)
        self.send(b"\x05\x01" if 1 in methods else b"\x05\xff")
        if 1 not in methods:
            raise Over
        while not self.context.is_complete:
            kind, token = self.receive_message()
            if kind != TOKEN:
                raise Refused("no token")
            if self.wrong == "abort-token":
                self.send(b"\x01\xff")
            if self.wrong in ("abort-token", "close-token"):
                raise Over
            answer = self.context.take(token)
            if self.wrong == "nonsense-token":
                answer = b"\x60" + bytes(100)
            kind = DATA if self.wrong == "type-token" else TOKEN
            message = self.message(kind, answer, 2 if self.wrong == "version-token" else 1)
            if self.wrong == "silent-token":
                self.send(b"\x01\x01\xff\xff")
                self.client.recv(1)
                raise Over
            self.send(message)
        kind, token = self.receive_message()
        is_bare = len(token) == 1
        asked = token if is_bare else self.context.unwrap(token)[0]
        if self.wrong == "abort-level":
            self.send(b"\x01\xff")
        if self.wrong in ("abort-level", "close-level") or kind != LEVEL:
            raise Over
        level = bytes([int(self.wrong[6:])]) if self.wrong.startswith("level=") else asked
        if is_bare or self.wrong == "bare-level":
            self.send(self.message(LEVEL, level))
        else:
            self.send(self.message(LEVEL, self.context.wrap(level, self.wrong == "sealed-level")))
        self.level = level[0]

    def connect(self):
        """Takes the request, and answers it; returns the connection to the target."""
        request = self.unprotected()
        kind = request[3]
        length = {1: 4, 4: 16}.get(kind) or request[4] + 1
        address, (port,) = request[4 : 4 + length], struct.unpack(">H", request[4 + length : 6 + length])
        if request[1] != 1:
            self.send(self.protected(b"\x05\x07\x00\x01" + bytes(6)))
            raise Over
        if kind == 3:
            # The name of this machine is the clients' alone.
            host = address[1:].decode().replace("proxy.test", self.host)
        else:
            host = socket.inet_ntop(socket.AF_INET if kind == 1 else socket.AF_INET6, address)
        try:
            target = socket.create_connection((host, port))
        except OSError:
            self.send(self.protected(b"\x05\x05\x00\x01" + bytes(6)))
            raise Over
        reply = b"\x05\x00\x00\x01" + socket.inet_aton("203.0.113.1") + struct.pack(">H", 4711)
        if self.wrong == "bare-reply":
            self.send(reply)
        elif self.wrong == "split-reply":
            for byte in reply:
                self.send(self.protected(bytes([byte])))
        elif self.wrong == "early-data":
            self.send(self.protected(reply) + self.protected(target.recv(1000)))
        elif self.wrong == "in-reply":
            self.send(self.protected(reply + target.recv(1000)))
        else:
            self.send(self.protected(reply))
        return target

    def pass_down(self, target):
        most = int(self.wrong[5:]) if self.wrong.startswith("most=") else MOST
        if self.wrong.startswith(("swap=", "lose=")):
            # So that there is a next one.
            most = 10
        try:
            while data := target.recv(most):
                self.send_data(data)
            self.client.shutdown(socket.SHUT_WR)
        except (OSError, Over):
            self.client.shutdown(socket.SHUT_RDWR)

    def serve(self):
        try:
            self.establish()
            target = self.connect()
            down = threading.Thread(target=self.pass_down, args=(target,), daemon=True)
            down.start()
            try:
                while data := self.unprotected():
                    target.sendall(data)
                target.shutdown(socket.SHUT_WR)
            except (OSError, Refused):
                target.shutdown(socket.SHUT_RDWR)
            down.join()
            target.close()
        except (OSError, EOFError, Refused, Over, struct.error, IndexError) as reason:
            print(self.number, type(reason).__name__, reason, flush=True)
        finally:
            self.client.close()


def main():
    host, port = sys.argv[1], int(sys.argv[2])
    wrong = sys.argv[3] if len(sys.argv) > 3 else ""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=1024)
    number = 0
    while True:
        client, _ = listener.accept()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        number += 1
        threading.Thread(target=Connection(client, host, wrong, number).serve, daemon=True).start()


main()
