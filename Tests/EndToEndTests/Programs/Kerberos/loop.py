"""COUNT connections of one event loop to an echo server at HOST PORT; or, for COUNT 0, one that nobody grants, beside
which the loop goes on."""

import asyncio
import os
import sys

host, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


async def exchange(size):
    reader, writer = await asyncio.open_connection(host, port)
    data = os.urandom(size)
    writer.write(data)
    await writer.drain()
    writer.write_eof()
    got = await reader.read()
    writer.close()
    return got == data


async def others():
    """A thousand turns of the loop with a connection that has nothing to do with the proxy."""
    served = asyncio.Event()

    async def serve(reader, writer):
        while some := await reader.read(10):
            writer.write(some)
        writer.close()
        served.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    for _ in range(1000):
        writer.write(b"x")
        await reader.readexactly(1)
    writer.close()
    await served.wait()


async def main():
    if count == 0:
        connection = asyncio.ensure_future(asyncio.open_connection(host, port))
        await others()
        print("pending" if not connection.done() else "over")
        connection.cancel()
        return
    results = await asyncio.gather(*(exchange(1000 + 17 * number) for number in range(count)))
    print(sum(results), "of", count)


asyncio.run(main())
