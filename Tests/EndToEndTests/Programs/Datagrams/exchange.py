"""exchange.py PORT HOST...: what exchange.mjs does, by asyncio."""
import asyncio
import socket
import sys


class Arrivals(asyncio.DatagramProtocol):
    def __init__(self):
        self.queue = asyncio.Queue()

    def datagram_received(self, data, source):
        self.queue.put_nowait((data, source))

    def error_received(self, error):
        self.queue.put_nowait((error, None))


async def exchange(host, port, is_connected):
    loop = asyncio.get_running_loop()
    family, *_, address = (await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM))[0]
    where = {"remote_addr": (host, port)} if is_connected else {"family": family}
    transport, arrivals = await loop.create_datagram_endpoint(Arrivals, **where)
    count = size = 0

    async def receive(expected):
        nonlocal count, size
        data, source = await arrivals.queue.get()
        if source != address:
            raise ValueError(f"{data!r:.60} from {source}")
        expected.remove(data)
        count, size = count + 1, size + len(data)

    def send(data):
        transport.sendto(data, None if is_connected else address)

    # asyncio sends no empty datagram.
    for length in [1, 1200, 9000]:
        send(b"s" * length)
        await receive({b"s" * length})
    expected = {str(number).ljust(500, "t").encode() for number in range(20)}
    for data in sorted(expected):
        send(data)
    while expected:
        await receive(expected)
    transport.close()
    print(host, count, size)


async def main(port, *hosts):
    for host in hosts:
        await exchange(host, int(port), False)
        await exchange(host, int(port), True)


asyncio.run(main(*sys.argv[1:]))
