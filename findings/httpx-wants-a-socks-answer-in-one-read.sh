#!/usr/bin/env bash
# httpx 0.28.1 (httpcore 1.0.9, socksio 1.0.0) reads each answer of a SOCKS5 proxy once. An answer that comes in two
# segments, as TCP allows, is a "Malformed reply", be it the choice of the method or the reply; PySocks 1.7.1 reads
# until it has all.
#
# The error is socksio's own ProtocolError, which no handler of httpx.HTTPError catches.
#
# Seen with Python 3.11; "choice" is the answer to the greeting, "reply" that to the request:
#
#     httpx 0.28.1: whole: ok; choice in two: Malformed reply; reply in two: Malformed reply
#     PySocks 1.7.1: whole: ok; choice in two: ok; reply in two: ok
#
# Ends with 0 if it is so, and with 1 if not.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet httpx==0.28.1 httpcore==1.0.9 socksio==1.0.0 PySocks==1.7.1

cat >"$work/pieces.py" <<'PYTHON'
"""Asks for a page through a SOCKS5 proxy that answers in pieces."""

import socket
import threading

import httpx
import socks
import socksio

CHOICE, REPLY = b"\5\0", b"\5\0\0\1\x7f\0\0\1\0\x50"
PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def send(connection, pieces):
    connection.sendall(pieces[0])
    for piece in pieces[1:]:
        # When nothing has come for so long, the client has read what there is.
        connection.settimeout(2)
        try:
            connection.recv(1)
        except TimeoutError:
            pass
        connection.sendall(piece)


def serve(server, choice, reply):
    connection, _ = server.accept()
    with connection:
        connection.recv(300)
        send(connection, choice)
        # Who has given up sends nothing more, and may not close the connection either.
        connection.settimeout(5)
        try:
            connection.recv(300)
            send(connection, reply)
            connection.settimeout(5)
            connection.recv(3000)
            connection.sendall(PAGE)
        except OSError:
            pass


def by_httpx(port):
    try:
        return httpx.get("http://example.org/", proxy=f"socks5://127.0.0.1:{port}", timeout=30).text
    except socksio.ProtocolError as error:
        return f"{error}{', an httpx.HTTPError' * isinstance(error, httpx.HTTPError)}"


def by_pysocks(port):
    with socks.socksocket() as client:
        client.set_proxy(socks.SOCKS5, "127.0.0.1", port)
        client.settimeout(30)
        client.connect(("example.org", 80))
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return client.recv(3000).rpartition(b"\r\n")[2].decode()


def fetch(client, choice, reply):
    with socket.create_server(("127.0.0.1", 0)) as server:
        proxy = threading.Thread(target=serve, args=(server, choice, reply))
        proxy.start()
        result = client(server.getsockname()[1])
        proxy.join()
        return result


for name, client in ("httpx 0.28.1", by_httpx), ("PySocks 1.7.1", by_pysocks):
    whole = fetch(client, [CHOICE], [REPLY])
    choice = fetch(client, [CHOICE[:1], CHOICE[1:]], [REPLY])
    reply = fetch(client, [CHOICE], [REPLY[:4], REPLY[4:]])
    print(f"{name}: whole: {whole}; choice in two: {choice}; reply in two: {reply}")
PYTHON

output=$("$work/venv/bin/python" "$work/pieces.py")
echo "$output"
[[ $output == "httpx 0.28.1: whole: ok; choice in two: Malformed reply; reply in two: Malformed reply
PySocks 1.7.1: whole: ok; choice in two: ok; reply in two: ok" ]]
