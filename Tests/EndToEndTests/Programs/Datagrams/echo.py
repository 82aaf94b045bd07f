# Echoes each datagram that comes to an address and port.
import socket
import sys

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
server.bind((sys.argv[1], int(sys.argv[2])))
while True:
    datagram, client = server.recvfrom(65536)
    server.sendto(datagram, client)
