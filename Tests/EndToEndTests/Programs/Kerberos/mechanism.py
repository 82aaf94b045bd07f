"""The accepting side of Kerberos' GSS-API, by ctypes: the tests need no binding for Python."""

import ctypes
from ctypes import byref, c_int, c_size_t, c_uint32, c_void_p

ERRORS = 0xFFFF0000
CONTINUE_NEEDED = 1

library = ctypes.CDLL("libgssapi_krb5.so.2")


class Buffer(ctypes.Structure):
    """gss_buffer_desc"""

    _fields_ = [("length", c_size_t), ("value", c_void_p)]

    @staticmethod
    def holding(data):
        memory = ctypes.create_string_buffer(data, max(len(data), 1))
        buffer = Buffer(len(data), ctypes.cast(memory, c_void_p))
        buffer.memory = memory
        return buffer

    def taken(self):
        data = ctypes.string_at(self.value, self.length) if self.length else b""
        library.gss_release_buffer(byref(c_uint32()), byref(self))
        return data


class Refused(Exception):
    """The mechanism has refused a call."""


def call(function, *arguments):
    minor = c_uint32()
    major = getattr(library, function)(byref(minor), *arguments) & 0xFFFFFFFF
    if major & ERRORS:
        raise Refused(f"{function}: {major:#x} {minor.value:#x}")
    return major


class Acceptor:
    """A context that a client establishes."""

    def __init__(self):
        self.handle = c_void_p()
        self.is_complete = False

    def take(self, token):
        """The answer to a client's token."""
        answer, source, given = Buffer(), c_void_p(), Buffer.holding(token)
        major = call("gss_accept_sec_context", byref(self.handle), None, byref(given), None, byref(source), None,
                     byref(answer), byref(c_uint32()), None, None)
        self.is_complete = not major & CONTINUE_NEEDED
        return answer.taken()

    def wrap(self, data, seals):
        result, given, state = Buffer(), Buffer.holding(data), c_int()
        call("gss_wrap", self.handle, c_int(seals), c_uint32(0), byref(given), byref(state), byref(result))
        return result.taken()

    def unwrap(self, token):
        """The bytes, and whether they were encrypted."""
        result, given, state = Buffer(), Buffer.holding(token), c_int()
        call("gss_unwrap", self.handle, byref(given), byref(result), byref(state), byref(c_uint32()))
        return result.taken(), bool(state.value)
