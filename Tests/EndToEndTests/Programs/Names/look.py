"""look.py WORD...: what libc answers. A word is a name, for getaddrinfo(3) and gethostbyname(3), or an address, for
getnameinfo(3) and gethostbyaddr(3)."""
import ipaddress
import socket
import sys


def call(function, *arguments):
    try:
        return function(*arguments)
    except (socket.gaierror, socket.herror) as error:
        names = ["EAI_AGAIN", "EAI_FAIL", "EAI_NODATA", "EAI_NONAME"] if isinstance(error, socket.gaierror) else []
        codes = {getattr(socket, name): name for name in names}
        # The codes of h_errno (gethostbyname(3)) have no names in Python.
        herrors = {1: "HOST_NOT_FOUND", 2: "TRY_AGAIN", 3: "NO_RECOVERY", 4: "NO_DATA"}
        return codes.get(error.errno) or herrors.get(error.errno) or str(error)


def text(result):
    return result if isinstance(result, str) else " ".join(result)


def addresses(name, family):
    result = call(socket.getaddrinfo, name, None, family, socket.SOCK_STREAM)
    return result if isinstance(result, str) else [entry[4][0] for entry in result]


def entry(result):
    return result if isinstance(result, str) else [result[0], *result[2]]


def host(result):
    return result if isinstance(result, str) else result[0]


for word in sys.argv[1:]:
    try:
        ipaddress.ip_address(word)
    except ValueError:
        print("getaddrinfo", word, text(addresses(word, socket.AF_UNSPEC)))
        print("gethostbyname", word, text(entry(call(socket.gethostbyname_ex, word))))
    else:
        print("getnameinfo", word, text(host(call(socket.getnameinfo, (word, 0), socket.NI_NAMEREQD))))
        print("gethostbyaddr", word, text(entry(call(socket.gethostbyaddr, word))))
