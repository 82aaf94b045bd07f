"""See exchange.h: the same with asyncio."""
import asyncio
import errno
import os
import sys
import time

LIMIT = int(os.environ.get("LIMIT", 30000)) / 1000
TICKS = int(os.environ.get("TICKS", 0))
TICK = 0.01


async def exchange(host, port):
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(host, port), LIMIT)
        writer.write(f"{host}\n".encode())
        writer.write_eof()
        text = (await reader.read()).decode()
        writer.close()
        await writer.wait_closed()
        return text
    except OSError as error:
        # The error of wait_for is an OSError, too, without a number.
        return (errno.errorcode[error.errno] if error.errno else type(error).__name__) + "\n"


async def main():
    targets = list(zip(sys.argv[1::2], map(int, sys.argv[2::2])))
    late = 2 if TICKS else 0
    tasks = [asyncio.create_task(exchange(*target)) for target in targets[: len(targets) - late]]
    longest = 0
    for target in targets[len(targets) - late :]:
        for _ in range(TICKS):
            before = time.monotonic()
            await asyncio.sleep(TICK)
            longest = max(longest, time.monotonic() - before - TICK)
        tasks.append(asyncio.create_task(exchange(*target)))
    for task in tasks:
        print(await task, end="")
    if TICKS:
        print(f"held up for {longest * 1000:.1f} ms at most", file=sys.stderr)


asyncio.run(main())
