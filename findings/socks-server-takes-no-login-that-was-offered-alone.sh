#!/usr/bin/env bash
# pproxy 2.7.9, a SOCKS5 server for which no users are set: to a client that offers username and password alone (method
# 2) it says that it takes no authentication (method 0), which was not offered. RFC 1928, section 3, has it choose from
# what was offered, or say FF.
#
# So a client that has offered one method does not know the next message before it has read the answer, and one that
# sends its login ahead has it taken for the request. asyncio-socks-server 0.3.0 says FF.
#
# Seen with Python 3.11:
#
#     pproxy 2.7.9, 2 alone: 0500; 0 and 2: 0500
#     asyncio-socks-server 0.3.0, 2 alone: 05ff; 0 and 2: 0500
#
# Ends with 0 if it is so, and with 1 if not.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet pproxy==2.7.9 asyncio-socks-server==0.3.0

# choice PORT METHODS: what the server says to a greeting with these methods, in hexadecimal digits.
choice() {
    exec 3<>"/dev/tcp/127.0.0.1/$1"
    printf '%b' "\\x05$2" >&3
    timeout 10 head -c 2 <&3 | od -An -tx1 | tr -d ' \n'
    exec 3>&-
}

output=
# serve NAME PORT COMMAND...
serve() {
    local name=$1 port=$2
    "$work/venv/bin/$3" "${@:4}" >/dev/null 2>&1 &
    local server=$!
    # shellcheck disable=SC2064 # the server of now
    trap "kill $server; rm -rf '$work'" EXIT
    for _ in {1..600}; do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
        sleep 0.05
    done
    output+="$name, 2 alone: $(choice "$port" '\x01\x02'); 0 and 2: $(choice "$port" '\x02\x00\x02')"$'\n'
    kill "$server"
    wait "$server" 2>/dev/null || true
    trap 'rm -rf "$work"' EXIT
}
free_port() { python3 -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])'; }

port=$(free_port)
serve "pproxy 2.7.9" "$port" pproxy -l "socks5://127.0.0.1:$port"
port=$(free_port)
serve "asyncio-socks-server 0.3.0" "$port" asyncio_socks_server -H 127.0.0.1 -P "$port"
printf '%s' "$output"
[[ $output == "pproxy 2.7.9, 2 alone: 0500; 0 and 2: 0500
asyncio-socks-server 0.3.0, 2 alone: 05ff; 0 and 2: 0500
" ]]
