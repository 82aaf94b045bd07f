"""Asks for each URL by urllib, by requests and by asyncio."""
import asyncio
import sys
import urllib.parse
import urllib.request

import requests


async def fetch(url):
    parts = urllib.parse.urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(f"GET {parts.path} HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer.decode().split("\r\n\r\n")[1]


for url in sys.argv[1:]:
    print(urllib.request.urlopen(url).read().decode(), end="")
    print(requests.get(url).text, end="")
    print(asyncio.run(fetch(url)), end="")
