#!/usr/bin/env bash
# ask.bash TOOL SERVER: makes queries with a DNS tool, and prints for each its type and the data of the answer, or the
# response code in the tool's words. The last line has the number of TXT records and their length.
set -u
tool=$1 server=$2

# NAME TYPE: prints only the data of the records.
data() {
    case $tool in
        dig | kdig) "$tool" +short "@$server" "$1" "$2" 2>/dev/null ;;
        drill) drill -aQ "@$server" "$1" "$2" ;;
        # The text after host's words for the type.
        host) host -t "$2" "$1" "$server" | sed -nE 's/^[^ ]+ (.*(address|text|pointer|handled by)) //p' ;;
    esac | tr -d '"' | sed 's/\.$//'
}

code() {
    case $tool in
        dig | kdig) "$tool" "@$server" "$1" "$2" | sed -nE 's/.*status: ([A-Z]+).*/\1/p' ;;
        drill) drill "@$server" "$1" "$2" | sed -nE 's/.*rcode: ([A-Z]+).*/\1/p' ;;
        host) host -t "$2" "$1" "$server" | sed -nE 's/.*\(([A-Z]+)\)$/\1/p; s/.* has no .*/NOERROR/p' ;;
    esac
}

while read -r name type; do
    answer=$(data "$name" "$type")
    echo "$type ${answer:-$(code "$name" "$type")}"
done <<'END'
web.test A
web.test AAAA
web.test MX
web.test TXT
11.113.0.203.in-addr.arpa PTR
none.test A
END
texts=$(data big.test TXT)
echo "TXT $(grep -c x <<<"$texts") $(tr -d '\n' <<<"$texts" | wc -c)"
