#!/usr/bin/env bash
# siosocks 0.3.0 and asyncio-socks-server 0.3.0, two SOCKS5 servers: bytes that a client sends right behind its request,
# in the same segment, never reach the target, though the reply says success and what is sent later arrives. The stream
# has a hole that nobody is told of.
#
# Nothing in RFC 1928 forbids to send ahead, and clients that save a round trip do (Tor calls it optimistic data).
# pproxy 2.7.9, a server of the same kind, keeps the bytes.
#
# The servers read the request from a buffer of their own, answer, and relay what comes from the socket from then on.
#
# Seen with Python 3.11: "early" is sent behind the request, "later" when that was waited for in vain; the target sends
# everything back.
#
#     siosocks 0.3.0: reply 0, then b'later'
#     asyncio-socks-server 0.3.0: reply 0, then b'later'
#     pproxy 2.7.9: reply 0, then b'earlylater'
#
# Ends with 0 if it is so, and with 1 if not.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet siosocks==0.3.0 asyncio-socks-server==0.3.0 pproxy==2.7.9

cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import socket
import subprocess
import sys
import threading
import time

SERVERS = {
    "siosocks 0.3.0": ["python", "-m", "siosocks", "--host", "127.0.0.1", "--port", "{port}"],
    "asyncio-socks-server 0.3.0": ["asyncio_socks_server", "-H", "127.0.0.1", "-P", "{port}"],
    "pproxy 2.7.9": ["pproxy", "-l", "socks5://127.0.0.1:{port}"],
}
EXPECTED = {"siosocks 0.3.0": b"later", "asyncio-socks-server 0.3.0": b"later", "pproxy 2.7.9": b"earlylater"}


def send_back(connection):
    while data := connection.recv(4096):
        connection.sendall(data)
    connection.close()


def serve(listener):
    while True:
        threading.Thread(target=send_back, args=listener.accept()[:1], daemon=True).start()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def connected(port):
    for _ in range(600):
        try:
            return socket.create_connection(("127.0.0.1", port), 10)
        except ConnectionRefusedError:
            time.sleep(0.05)
    sys.exit("the server does not listen")


def received(connection, count):
    """What comes, up to so many bytes; less when nothing more comes for two seconds."""
    data = b""
    connection.settimeout(2)
    try:
        while len(data) < count and (more := connection.recv(count - len(data))):
            data += more
    except TimeoutError:
        pass
    return data


target = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=serve, args=(target,), daemon=True).start()
request = b"\x05\x01\x00\x01\x7f\x00\x00\x01" + target.getsockname()[1].to_bytes(2, "big")
is_so = True
for name, command in SERVERS.items():
    port = free_port()
    program = "venv/bin/" + command[0]
    server = subprocess.Popen([program, *(word.format(port=port) for word in command[1:])],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with connected(port) as client:
            client.sendall(b"\x05\x01\x00")
            assert received(client, 2) == b"\x05\x00"
            client.sendall(request + b"early")
            reply = received(client, 10)
            answer = received(client, 5)
            client.sendall(b"later")
            answer += received(client, 5)
        print(f"{name}: reply {reply[1]}, then {answer}")
        is_so = is_so and reply[1] == 0 and answer == EXPECTED[name]
    finally:
        server.kill()
        server.wait()
sys.exit(0 if is_so else 1)
PYTHON
