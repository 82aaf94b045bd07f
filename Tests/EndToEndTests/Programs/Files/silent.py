# Mounts a file system at FOLDER with one file, socksify/socksify.conf, and never answers a request to open it, until
# the process PID ends.
#
# The kernel has the path to the file in its cache when this returns, and need only ask to open it.
import ctypes
import errno
import os
import select
import stat
import struct
import sys

LOOKUP, GETATTR, INIT = 1, 3, 26
UNANSWERED = (2, 14, 42)  # FORGET, OPEN, BATCH_FORGET
VALID = 3600

# For each node, from the root: its name in the node before it, and its mode.
NODES = {1: (b"", stat.S_IFDIR | 0o755), 2: (b"socksify", stat.S_IFDIR | 0o755), 3: (b"socksify.conf", stat.S_IFREG | 0o644)}


def attributes(node):
    return struct.pack("<6Q10I", node, 100, 1, 0, 0, 0, 0, 0, 0, NODES[node][1], 1, 0, 0, 0, 4096, 0)


def answer(operation, node, body):
    if operation == INIT:
        return struct.pack("<4I2H2I2HI7I", 7, 31, 0, 0, 12, 9, 4096, 1, 0, 0, 0, *[0] * 7)
    if operation == GETATTR:
        return struct.pack("<QII", VALID, 0, 0) + attributes(node)
    if operation == LOOKUP:
        if NODES.get(node + 1, (None,))[0] == body.rstrip(b"\0"):
            return struct.pack("<4QII", node + 1, 0, VALID, VALID, 0, 0) + attributes(node + 1)
        return errno.ENOENT
    return errno.ENOSYS


def serve(device, process):
    while process not in select.select([device, process], [], [])[0]:
        request = os.read(device, 1 << 17)
        _, operation, unique, node = struct.unpack_from("<IIQQ", request)
        if operation in UNANSWERED:
            continue
        body = answer(operation, node, request[40:])
        error, body = (0, body) if isinstance(body, bytes) else (-body, b"")
        os.write(device, struct.pack("<IiQ", 16 + len(body), error, unique) + body)


folder, process = sys.argv[1], os.pidfd_open(int(sys.argv[2]))
device = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={device},rootmode=40000,user_id=0,group_id=0".encode()
libc = ctypes.CDLL(None, use_errno=True)
if libc.mount(b"silent", folder.encode(), b"fuse", 0, options) != 0:
    raise OSError(ctypes.get_errno(), "mount")
if os.fork() == 0:
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)
    serve(device, process)
else:
    os.stat(f"{folder}/socksify/socksify.conf")
