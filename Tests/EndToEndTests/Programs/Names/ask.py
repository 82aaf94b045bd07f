"""ask.py SERVER: asks by dnspython what ask.bash asks."""
import sys

import dns.rcode
import dns.resolver

resolver = dns.resolver.Resolver(configure=False)
resolver.nameservers = [sys.argv[1]]


def ask(name, kind):
    try:
        answer = resolver.resolve(name, kind, raise_on_no_answer=False)
    except dns.resolver.NXDOMAIN:
        return ["NXDOMAIN"]
    except dns.resolver.NoNameservers as error:
        # The last answer of the server.
        return [dns.rcode.to_text(error.kwargs["errors"][-1][4].rcode())]
    return [record.to_text().strip('"').removesuffix(".") for record in answer] or ["NOERROR"]


for name, kind in [
    ("web.test", "A"),
    ("web.test", "AAAA"),
    ("web.test", "MX"),
    ("web.test", "TXT"),
    ("11.113.0.203.in-addr.arpa", "PTR"),
    ("none.test", "A"),
]:
    print(kind, *ask(name, kind))
texts = [text for text in ask("big.test", "TXT") if "x" in text]
print("TXT", len(texts), sum(map(len, texts)))
