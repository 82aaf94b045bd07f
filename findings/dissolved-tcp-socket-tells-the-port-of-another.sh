#!/usr/bin/env bash
# Linux 6.18: connect(2) with AF_UNSPEC dissolves the connection of a TCP socket, which can connect anew. By then it has
# given its port back, even one that it had from bind(2) before, if the kernel had chosen it; but getsockname(2) goes
# on telling of it, with another socket bound there, and the next connect(2) takes a third. A port that the program
# had chosen itself stays. UDP sockets tell of port 0, and so hide nothing.
#
# Who binds a socket to learn its port, tells it to somebody, and connects a second time through the same socket comes
# from a port that nobody was told.
#
# Seen on Linux 6.18, x86-64, with Python 3 (standard library alone):
#
#     tcp, not bound: told the old port, which another can bind; connects from another port
#     tcp, bound to port 0: told the old port, which another can bind; connects from another port
#     tcp, bound to a port: told the old port, which another cannot bind; connects from the old port
#     udp, not bound: told port 0, the old one another can bind; connects from another port
#
# Ends with 0 if it is so, with 1 if not, and with 77 where no network namespace can be made.
set -euo pipefail

((EUID == 0)) && as=() || as=(--map-root-user)
unshare "${as[@]}" --net true 2>/dev/null || { echo "no network namespace can be made here"; exit 77; }

unshare "${as[@]}" --net sh -c 'ip link set lo up && exec python3 -' <<'PYTHON'
import ctypes
import os
import platform
import socket
import sys

libc = ctypes.CDLL(None, use_errno=True)


def dissolve(connected):
    nothing = (ctypes.c_char * 16)()  # AF_UNSPEC is 0
    if libc.connect(connected.fileno(), nothing, 16) != 0:
        sys.exit(f"connect: {os.strerror(ctypes.get_errno())}")


def can_bind(kind, port):
    with socket.socket(socket.AF_INET, kind) as other:
        try:
            other.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


def story(kind, bound):
    with socket.socket(socket.AF_INET, kind) as server, socket.socket(socket.AF_INET, kind) as client:
        server.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            server.listen()
        if bound is not None:
            client.bind(("127.0.0.1", bound))
        client.connect(server.getsockname())
        old = client.getsockname()[1]
        dissolve(client)
        told = client.getsockname()[1]
        other = "can" if can_bind(kind, old) else "cannot"
        # A port stays nobody else's for a while that a connection has left.
        with socket.socket(socket.AF_INET, kind) as second:
            second.bind(("127.0.0.1", 0))
            if kind == socket.SOCK_STREAM:
                second.listen()
            client.connect(second.getsockname())
            new = client.getsockname()[1]
        what = "the old port, which another" if told == old else f"port {told}, the old one another"
        return f"told {what} {other} bind; connects from {'the old' if new == old else 'another'} port"


found = [
    f"tcp, not bound: {story(socket.SOCK_STREAM, None)}",
    f"tcp, bound to port 0: {story(socket.SOCK_STREAM, 0)}",
    f"tcp, bound to a port: {story(socket.SOCK_STREAM, 7777)}",
    f"udp, not bound: {story(socket.SOCK_DGRAM, None)}",
]
print(f"Linux {platform.release()}, Python {platform.python_version()}", *found, sep="\n")
gone = "told the old port, which another can bind; connects from another port"
sys.exit(0 if found == [
    f"tcp, not bound: {gone}",
    f"tcp, bound to port 0: {gone}",
    "tcp, bound to a port: told the old port, which another cannot bind; connects from the old port",
    "udp, not bound: told port 0, the old one another can bind; connects from another port",
] else 1)
PYTHON
