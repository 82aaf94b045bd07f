"""refused.py PORT HOST: sends a datagram by a socket that blocks; prints the error's name, or what came."""
import errno
import socket
import sys

port, host = sys.argv[1:]
family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
with socket.socket(family, kind, protocol) as sender:
    try:
        sender.sendto(b"hello", address)
        print(sender.recv(100).decode())
    except OSError as error:
        print(errno.errorcode[error.errno])
