#!/usr/bin/env bash
# txtorcon 26.6.0 connects to an IPv6 address through SOCKS5 with a request that is twelve bytes short: ATYP says IPv6
# (X'04'), and DST.ADDR has the first four bytes of the address in place of sixteen (RFC 1928, section 5). The proxy
# waits for the rest, or takes what the program sends for it.
#
# python-socks 3.2.1 sends the whole address.
#
# Seen with Python 3.11, the address being 2001:db8::1 and the port 80:
#
#     txtorcon 26.6.0: 05010004 20010db8 0050
#     python-socks 3.2.1: 05010004 20010db8000000000000000000000001 0050
#
# Ends with 0 if it is so, and with 1 if not.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet txtorcon==26.6.0 python-socks==3.2.1

cat >"$work/request.py" <<'PYTHON'
"""request.py CLIENT: prints the request that the client makes of a SOCKS5 proxy."""

import socket
import subprocess
import sys

TXTORCON = """
import sys
from twisted.internet import endpoints, protocol, reactor
from txtorcon.socks import TorSocksEndpoint

proxy = endpoints.TCP4ClientEndpoint(reactor, "127.0.0.1", int(sys.argv[1]))
done = TorSocksEndpoint(proxy, "2001:db8::1", 80).connect(protocol.Factory.forProtocol(protocol.Protocol))
done.addBoth(lambda result: reactor.stop())
reactor.run()
"""
PYTHON_SOCKS = """
import sys
from python_socks.sync import Proxy

Proxy.from_url(f"socks5://127.0.0.1:{sys.argv[1]}").connect("2001:db8::1", 80)
"""

program = {"txtorcon": TXTORCON, "python-socks": PYTHON_SOCKS}[sys.argv[1]]
with socket.create_server(("127.0.0.1", 0)) as server:
    client = subprocess.Popen([sys.executable, "-c", program, str(server.getsockname()[1])], stderr=subprocess.DEVNULL)
    connection, _ = server.accept()
    with connection:
        connection.recv(300)
        connection.sendall(b"\5\0")
        request = connection.recv(300)
        # More of it would come at once.
        connection.settimeout(2)
        try:
            request += connection.recv(300)
        except TimeoutError:
            pass
    client.wait(30)
print(f"{request[:4].hex()} {request[4:-2].hex()} {request[-2:].hex()}")
PYTHON

output="txtorcon 26.6.0: $("$work/venv/bin/python" "$work/request.py" txtorcon)
python-socks 3.2.1: $("$work/venv/bin/python" "$work/request.py" python-socks)"
echo "$output"
[[ $output == "txtorcon 26.6.0: 05010004 20010db8 0050
python-socks 3.2.1: 05010004 20010db8000000000000000000000001 0050" ]]
