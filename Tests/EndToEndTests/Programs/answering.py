"""answering.py WORD PORT ADDRESS...: answers with the word whoever says something to the port, in streams at every address
of this machine, in datagrams at these alone: one socket for all of them would answer from whichever it likes.
"""

import socket
import sys
import threading

word, port, addresses = sys.argv[1].encode(), int(sys.argv[2]), sys.argv[3:]


def start(function, *arguments):
    threading.Thread(target=function, args=arguments, daemon=True).start()


def answer_datagrams(at):
    while True:
        at.sendto(word, at.recvfrom(1500)[1])


def answer(connection):
    with connection:
        if connection.recv(1500):
            connection.sendall(word)


for address in addresses:
    at = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    at.bind((address, port))
    start(answer_datagrams, at)
# Last: a client that can connect here relies on the UDP sockets, too.
with socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True) as streams:
    while True:
        start(answer, streams.accept()[0])
