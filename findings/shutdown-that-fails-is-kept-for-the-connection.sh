#!/usr/bin/env bash
# Linux 6.18: shutdown(2) on a TCP socket that is not connected fails with ENOTCONN, and takes effect all the same: a
# later connect(2) succeeds, and from the first moment on writing fails with EPIPE (SIGPIPE). The peer is told nothing:
# it sees no end of the stream, and what it sends is received. SHUT_RD alone has no such effect.
#
# A program that tidies up by shutdown(), takes the error for "there was nothing to do", and uses the socket for another
# attempt has a connection that is open and cannot be written to.
#
# Seen on Linux 6.18, x86-64, with Python 3 (standard library alone):
#
#     SHUT_RD: ENOTCONN, connect 0, send 1, the peer reads b'x', recv b'y'
#     SHUT_WR: ENOTCONN, connect 0, send EPIPE, the peer reads EAGAIN, recv b'y'
#     SHUT_RDWR: ENOTCONN, connect 0, send EPIPE, the peer reads EAGAIN, recv b'y'
#
# Ends with 0 if it is so, with 1 if not, and with 77 where no network namespace can be made.
set -euo pipefail

((EUID == 0)) && as=() || as=(--map-root-user)
unshare "${as[@]}" --net true 2>/dev/null || { echo "no network namespace can be made here"; exit 77; }

unshare "${as[@]}" --net sh -c 'ip link set lo up && exec python3 -' <<'PYTHON'
import errno
import platform
import socket
import sys


def outcome(call, *arguments):
    try:
        result = call(*arguments)
        return "0" if result is None else repr(result)
    except OSError as error:
        return errno.errorcode[error.errno]


def story(how):
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        words = [outcome(client.shutdown, how), "connect " + outcome(client.connect, server.getsockname())]
        peer = server.accept()[0]
        with peer:
            words.append("send " + outcome(client.send, b"x"))
            # On loopback a byte that was sent is there when send(2) returns.
            words.append("the peer reads " + outcome(peer.recv, 1, socket.MSG_DONTWAIT))
            peer.sendall(b"y")
            words.append("recv " + outcome(client.recv, 1))
        return ", ".join(words)


found = {how: story(getattr(socket, how)) for how in ("SHUT_RD", "SHUT_WR", "SHUT_RDWR")}
print(f"Linux {platform.release()}, Python {platform.python_version()}")
for how, words in found.items():
    print(f"{how}: {words}")
half = "ENOTCONN, connect 0, send EPIPE, the peer reads EAGAIN, recv b'y'"
sys.exit(0 if found == {
    "SHUT_RD": "ENOTCONN, connect 0, send 1, the peer reads b'x', recv b'y'", "SHUT_WR": half, "SHUT_RDWR": half,
} else 1)
PYTHON
