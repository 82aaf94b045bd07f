"""nameserver.py HOST PORT FAULT...: a name server for each fault, at ports that follow each other, by TCP.

Whatever it is asked, its answer is the address 203.0.113.10, sent in the way of the fault.
"""
import socket
import struct
import sys
import threading
import time


def receive(connection, count):
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def answer(query):
    """The header with QR and one answer; the question; the address, its name a pointer to the question's."""
    end = 12
    while query[end]:
        end += 1 + query[end]
    question = query[12 : end + 5]
    record = struct.pack(">HHHIH4B", 0xC00C, 1, 1, 60, 4, 203, 0, 113, 10)
    return query[:2] + struct.pack(">HHHHH", 0x8180, 1, 1, 0, 0) + question + record


def serve(connection, fault):
    if fault == "closes":
        return
    query = receive(connection, struct.unpack(">H", receive(connection, 2))[0])
    message = answer(query)
    framed = struct.pack(">H", len(message)) + message
    match fault:
        case "hangs":
            connection.recv(1)
        case "breaksOff":
            connection.sendall(framed[: len(framed) // 2])
        case "garbage":
            connection.sendall(struct.pack(">H", 40) + bytes(range(200, 240)))
        case "wrongID":
            connection.sendall(framed[:2] + bytes(255 - byte for byte in framed[2:4]) + framed[4:])
        case "wrongQuestion":
            # The first letter of the name.
            connection.sendall(framed[:15] + b"z" + framed[16:])
        case "slow":
            for byte in framed:
                connection.sendall(bytes([byte]))
                time.sleep(0.005)


def attend(listener, fault):
    while True:
        connection = listener.accept()[0]
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def run(connection=connection):
            with connection:
                try:
                    serve(connection, fault)
                except (EOFError, OSError):
                    pass

        threading.Thread(target=run).start()


host, first, faults = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
threads = []
for number, fault in enumerate(faults):
    listener = socket.create_server((host, first + number))
    threads.append(threading.Thread(target=attend, args=(listener, fault)))
for thread in threads:
    thread.start()
