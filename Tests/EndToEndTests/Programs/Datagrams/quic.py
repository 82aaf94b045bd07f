"""A file over QUIC (RFC 9000), by aioquic. `quic.py serve HOST PORT CERTIFICATE KEY`, and
`quic.py fetch HOST PORT CERTIFICATE COUNT`, which prints how many bytes came, and their SHA-256.

A request is a number, in digits, on a stream of its own; the answer are so many bytes.
"""
import asyncio
import hashlib
import sys

from aioquic.asyncio import connect, serve
from aioquic.quic.configuration import QuicConfiguration


def content(count):
    block = bytes(range(251))
    return (block * (count // len(block) + 1))[:count]


async def answer(reader, writer):
    writer.write(content(int(await reader.read())))
    writer.write_eof()


def handle(reader, writer):
    asyncio.ensure_future(answer(reader, writer))


async def main(command, host, port, certificate, argument):
    configuration = QuicConfiguration(alpn_protocols=["file"], is_client=command == "fetch")
    if command == "serve":
        configuration.load_cert_chain(certificate, argument)
        await serve(host, int(port), configuration=configuration, stream_handler=handle)
        await asyncio.Event().wait()
    configuration.load_verify_locations(certificate)
    configuration.server_name = "web.test"
    async with connect(host, int(port), configuration=configuration) as client:
        reader, writer = await client.create_stream()
        writer.write(argument.encode())
        writer.write_eof()
        data = await reader.read()
        print(len(data), hashlib.sha256(data).hexdigest())


asyncio.run(main(*sys.argv[1:]))
