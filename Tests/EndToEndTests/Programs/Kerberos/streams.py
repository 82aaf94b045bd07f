"""Reads from and writes to a stream by many calls, through an echo server at HOST PORT; a line for each.

    streams.py HOST PORT FILE [plain]

FILE is written. `plain`: without what only an encapsulated stream refuses.
"""

import array
import ctypes
import errno
import fcntl
import os
import select
import socket
import struct
import sys
import termios
import threading

TARGET = sys.argv[1], int(sys.argv[2])


def connected():
    return socket.create_connection(TARGET)


def echoed(stream, data):
    """Whether the bytes come back, which are sent by another thread."""
    sender = threading.Thread(target=stream.sendall, args=(data,))
    sender.start()
    got = bytearray()
    while len(got) < len(data):
        some = stream.recv(65536)
        if not some:
            break
        got += some
    sender.join()
    return bytes(got) == data


def arrived(stream, count):
    """Waits until so many bytes can be read."""
    waiting = select.poll()
    waiting.register(stream, select.POLLIN)
    unread = array.array("i", [0])
    while unread[0] < count:
        waiting.poll()
        stream.recv(count, socket.MSG_PEEK)
        fcntl.ioctl(stream, termios.FIONREAD, unread)
        if unread[0] < count:
            os.sched_yield()


def is_ready(stream, events=select.POLLIN):
    waiting = select.poll()
    waiting.register(stream, events)
    return bool(waiting.poll(0))


def say(what, fact):
    print(what, "yes" if fact else "NO", flush=True)


def parts():
    stream = connected()
    stream.sendall(b"abcdefghij")
    arrived(stream, 10)
    say("peek", stream.recv(4, socket.MSG_PEEK) == b"abcd")
    say("a part", stream.recv(3) == b"abc")
    say("still readable", is_ready(stream) and bool(select.select([stream], [], [], 0)[0]))
    say("the rest", stream.recv(100) == b"defghij")
    say("readable no more", not is_ready(stream) and not select.select([stream], [], [], 0)[0])
    stream.setblocking(False)
    try:
        stream.recv(1)
        say("EAGAIN", False)
    except BlockingIOError:
        say("EAGAIN", True)
    stream.setblocking(True)
    stream.sendall(b"1" * 10)
    arrived(stream, 10)
    stream.sendall(b"2" * 10)
    arrived(stream, 20)
    say("peek at two messages", stream.recv(20, socket.MSG_PEEK) == b"1" * 10 + b"2" * 10)
    say("readable behind it", is_ready(stream))
    say("both", stream.recv(20) == b"1" * 10 + b"2" * 10 and not is_ready(stream))
    stream.sendall(b"0123456789")
    arrived(stream, 10)
    say("MSG_TRUNC", stream.recv_into(bytearray(4), 4, socket.MSG_TRUNC) == 4 and stream.recv(100) == b"456789")
    stream.sendall(b"1" * 10)
    arrived(stream, 10)
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 15)
    say("SO_RCVLOWAT", stream.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT) == 15)
    say("less than that", not is_ready(stream))
    stream.sendall(b"2" * 10)
    waiting = select.poll()
    waiting.register(stream, select.POLLIN)
    waiting.poll()
    say("as much", stream.recv(20) == b"1" * 10 + b"2" * 10)
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
    other = threading.Thread(target=lambda: [stream.sendall(b"x") for _ in range(8)])
    other.start()
    say("MSG_WAITALL", stream.recv(8, socket.MSG_WAITALL) == b"x" * 8)
    other.join()
    stream.sendall(b"last")
    stream.shutdown(socket.SHUT_WR)
    got = b""
    while some := stream.recv(100):
        got += some
    say("half-close", got == b"last")


def vectors():
    stream = connected()
    whole = b"abc" + b"def" * 1000 + b"g" * 70000
    stream.sendmsg([b"abc", b"", b"def" * 1000])
    os.writev(stream.fileno(), [b"g"] * 1000 + [b"g" * 69000])
    got = bytearray()
    while len(got) < len(whole):
        first, second = bytearray(5), bytearray(3000)
        count, _, flags, _ = stream.recvmsg_into([first, second])
        got += (first + second)[:count]
    say("sendmsg, writev, recvmsg", bytes(got) == whole and flags == 0)
    stream.sendall(b"hello world")
    arrived(stream, 11)
    first, second = bytearray(5), bytearray(20)
    say("readv", os.readv(stream.fileno(), [first, second]) == 11 and first + second[:6] == b"hello world")


def duplicates():
    stream = connected()
    copy = stream.dup()
    stream.close()
    say("dup", echoed(copy, os.urandom(100000)))
    left, right = socket.socketpair()
    socket.send_fds(left, [b"x"], [copy.fileno()])
    received = socket.socket(fileno=socket.recv_fds(right, 1, 1)[1][0])
    copy.close()
    say("SCM_RIGHTS", echoed(received, os.urandom(100000)))


def forks():
    stream = connected()
    say("before", echoed(stream, b"one"))
    child = os.fork()
    if child == 0:
        os._exit(0 if echoed(stream, os.urandom(100000)) else 1)
    say("a child goes on", os.waitpid(child, 0)[1] == 0)
    try:
        stream.send(b"x")
        say("its parent does not", False)
    except ConnectionAbortedError:
        say("its parent does not", True)
    stream = connected()
    say("before", echoed(stream, b"one"))
    ready, go = os.pipe()
    child = os.fork()
    if child == 0:
        os.read(ready, 1)
        try:
            stream.recv(1)
            os._exit(1)
        except ConnectionAbortedError:
            os._exit(0)
    say("a parent goes on", echoed(stream, os.urandom(100000)))
    os.write(go, b"x")
    say("its child does not", os.waitpid(child, 0)[1] == 0)


def small_buffers():
    stream = connected()
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 1000))
    try:
        os.read(stream.fileno(), 1)
        say("SO_RCVTIMEO", False)
    except BlockingIOError:
        say("SO_RCVTIMEO", True)
    stream = socket.socket()
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    stream.connect(TARGET)
    say("small buffers", echoed(stream, os.urandom(400000)))


def refusals():
    stream = connected()
    try:
        os.dup2(stream.fileno(), 1)
        say("no standard output", False)
    except PermissionError:
        say("no standard output", True)
    call = ctypes.CDLL(None, use_errno=True)
    stream.sendall(b"abc")
    arrived(stream, 3)
    say("EFAULT", all(
        function(stream.fileno(), ctypes.c_void_p(16), ctypes.c_size_t(8)) == -1 and ctypes.get_errno() == errno.EFAULT
        for function in (call.read, call.write)))
    say("and nothing is lost", stream.recv(3) == b"abc")
    stream = connected()
    try:
        stream.setsockopt(socket.IPPROTO_TCP, 31, b"tls")
        say("no TCP_ULP", False)
    except OSError:
        say("no TCP_ULP", True)
    try:
        stream.send(b"x", socket.MSG_OOB)
        say("no urgent data", False)
    except OSError:
        say("no urgent data", True)


def threads():
    stream = connected()
    turns, size = 100, 3000
    writers = [threading.Thread(target=lambda: [stream.sendall(b"z" * size) for _ in range(turns)]) for _ in range(3)]
    for writer in writers:
        writer.start()
    got = 0
    while got < 3 * turns * size:
        got += len(stream.recv(10000))
    for writer in writers:
        writer.join()
    say("threads", got == 3 * turns * size)


def edges():
    """An edge-triggered epoll, whose program reads until there is nothing more."""
    stream = connected()
    stream.setblocking(False)
    epoll = select.epoll()
    epoll.register(stream, select.EPOLLIN | select.EPOLLOUT | select.EPOLLET)
    data, sent, got = os.urandom(3000000), 0, bytearray()
    while len(got) < len(data):
        for _, events in epoll.poll():
            try:
                while events & select.EPOLLOUT and sent < len(data):
                    sent += stream.send(data[sent : sent + 200000])
            except BlockingIOError:
                pass
            try:
                while events & select.EPOLLIN and (some := stream.recv(5000)):
                    got += some
            except BlockingIOError:
                pass
    say("edge-triggered", bytes(got) == data)


def files():
    stream = connected()
    data = os.urandom(500000)
    with open(sys.argv[3], "w+b") as file:
        file.write(data)
        file.flush()
        got = bytearray()

        def receive():
            while len(got) < len(data):
                got.extend(stream.recv(65536))

        reader = threading.Thread(target=receive)
        reader.start()
        offset = 0
        while offset < len(data):
            offset += os.sendfile(stream.fileno(), file.fileno(), offset, len(data) - offset)
        reader.join()
    say("sendfile", bytes(got) == data)


for case in parts, vectors, duplicates, small_buffers, threads, edges, files:
    case()
if "plain" not in sys.argv[4:]:
    forks()
    refusals()
