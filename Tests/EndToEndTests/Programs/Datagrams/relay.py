# A SOCKS5 proxy, at an address and port, for any number of associations. They share one relay, which is also the
# target, and echoes each datagram.
import asyncio
import resource
import socket
import sys

host, port = sys.argv[1], int(sys.argv[2])
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Relay(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, datagram, client):
        self.transport.sendto(datagram, client)


async def serve(reader, writer):
    try:
        await reader.readexactly(3)
        writer.write(b"\x05\x00")
        await reader.readexactly(10)
        writer.write(b"\x05\x00\x00\x01" + socket.inet_aton(host) + port.to_bytes(2, "big"))
        await reader.read(1)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    writer.close()


async def main():
    await asyncio.get_running_loop().create_datagram_endpoint(Relay, local_addr=(host, port))
    server = await asyncio.start_server(serve, host, port, backlog=1024)
    await server.serve_forever()


asyncio.run(main())
