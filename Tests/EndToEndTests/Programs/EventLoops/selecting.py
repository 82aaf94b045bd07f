"""See exchange.h: the same with the selector that SELECTOR names, a class of the module selectors."""
import errno
import os
import selectors
import socket
import sys

LIMIT = int(os.environ.get("LIMIT", 30000)) / 1000


class Exchange:
    def __init__(self, host, port):
        self.host = host
        self.text = b""
        self.result = None
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        self.socket = socket.socket(family, kind, protocol)
        self.socket.setblocking(False)
        code = self.socket.connect_ex(address)
        if code in (0, errno.EINPROGRESS):
            selector.register(self.socket, selectors.EVENT_WRITE, self.speak)
        else:
            self.end(errno.errorcode[code])

    def end(self, error=None):
        if self.socket in selector.get_map():
            selector.unregister(self.socket)
        self.socket.close()
        self.result = f"{error}\n" if error else self.text.decode()

    def speak(self):
        code = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            return self.end(errno.errorcode[code])
        self.socket.send(f"{self.host}\n".encode())
        self.socket.shutdown(socket.SHUT_WR)
        selector.modify(self.socket, selectors.EVENT_READ, self.listen)

    def listen(self):
        part = self.socket.recv(256)
        self.text += part
        if not part:
            self.end()


selector = getattr(selectors, os.environ["SELECTOR"])()
exchanges = [Exchange(*target) for target in zip(sys.argv[1::2], sys.argv[2::2])]
while selector.get_map():
    ready = selector.select(LIMIT)
    for key, _ in ready:
        key.data()
    if not ready:
        for one in exchanges:
            if one.result is None:
                one.end("nothing is ready")
print(*(one.result for one in exchanges), sep="", end="")
