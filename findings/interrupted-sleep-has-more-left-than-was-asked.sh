#!/usr/bin/env bash
# Linux 6.18: nanosleep(2) and clock_nanosleep(2) that a signal ends at once say that more is left than was asked for:
# the slack of the thread's timers (prctl(2), PR_SET_TIMERSLACK; 50 us unless changed) is added to what is left.
# select(2), which tells the rest as well, leaves it out.
#
# Who sleeps on for what is left, as nanosleep(2) proposes, sleeps longer by the slack with each signal; who checks that
# no more is left than was asked for is wrong now and then.
#
# Seen on Linux 6.18, x86-64, glibc 2.36, with Python 3 (standard library alone), and a slack of 300 ms:
#
#     nanosleep of 10 s: 300 ms more than asked is left
#     clock_nanosleep of 10 s: 300 ms more than asked is left
#     select of 10 s: no more than asked is left
#
# Ends with 0 if it is so, with 1 if not.
set -euo pipefail

python3 - <<'PYTHON'
import ctypes
import errno
import platform
import signal
import sys

libc = ctypes.CDLL(None, use_errno=True)
PR_SET_TIMERSLACK, CLOCK_MONOTONIC = 29, 1
ASKED, SLACK = 10.0, 0.3


class Timespec(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("parts", ctypes.c_long)]


def interrupted(call):
    """Until the signal has come while the call waited, not before it."""
    while True:
        signal.setitimer(signal.ITIMER_REAL, 0.002)
        ctypes.set_errno(0)
        if call() != 0:
            return


def by_nanosleep():
    asked, left = Timespec(int(ASKED), 0), Timespec()
    interrupted(lambda: libc.nanosleep(ctypes.byref(asked), ctypes.byref(left)))
    if ctypes.get_errno() != errno.EINTR:
        sys.exit("nanosleep failed otherwise")
    return left.seconds + left.parts / 1e9


def by_clock_nanosleep():
    asked, left = Timespec(int(ASKED), 0), Timespec()
    interrupted(lambda: libc.clock_nanosleep(CLOCK_MONOTONIC, 0, ctypes.byref(asked), ctypes.byref(left)))
    return left.seconds + left.parts / 1e9


def by_select():
    left = Timespec(int(ASKED), 0)
    interrupted(lambda: libc.select(0, None, None, None, ctypes.byref(left)))
    return left.seconds + left.parts / 1e6


signal.signal(signal.SIGALRM, lambda *_: None)
if libc.prctl(PR_SET_TIMERSLACK, int(SLACK * 1e9), 0, 0, 0) != 0:
    sys.exit("prctl failed")
print(f"Linux {platform.release()}, {' '.join(platform.libc_ver())}")
holds = True
for name, call, is_more in ("nanosleep", by_nanosleep, True), ("clock_nanosleep", by_clock_nanosleep, True), (
        "select", by_select, False):
    more = call() - ASKED
    told = f"{SLACK * 1000:.0f} ms more than asked" if 0 < more <= SLACK else "no more than asked" if more <= 0 else "?"
    print(f"{name} of {ASKED:.0f} s: {told} is left")
    holds &= (0 < more <= SLACK) == is_more
sys.exit(0 if holds else 1)
PYTHON
