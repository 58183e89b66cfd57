"""Frames over the descriptor that leads to the agent: four bytes of length, then JSON.

The descriptor is moved to the highest free number and closed on exec: a module that writes
to descriptor 3, closes what it finds, or starts programs does not disturb the conversation.
"""

import os

LENGTH_BYTES = 4
RECEIVE_MAX = 16 * 1024 * 1024
SEND_MAX = 1024 * 1024
BUFFER_BYTES = 16 * 1024  # what is longer gets memory of its own, and gives it back
DESCRIPTORS_MAX = 1024  # of which the last is taken, where the limit of open files allows


class ProtocolError(Exception):
    """The other end does not keep to the protocol."""


class Channel:
    """One thread. OSError where the other end is gone, ProtocolError where it talks nonsense."""

    def __init__(self, fd):
        self._fd = _move_up(fd)
        self._buffer = memoryview(bytearray(BUFFER_BYTES))
        self._have = 0  # bytes in the buffer that nobody has taken yet
        os.set_blocking(self._fd, True)

    def receive(self):
        """The text of the next frame; None when the other end is closed."""
        if not self._fill(LENGTH_BYTES):
            return None
        length = int.from_bytes(self._buffer[:LENGTH_BYTES], "big")
        if length > RECEIVE_MAX:
            raise ProtocolError(f"a frame of {length} bytes; at most {RECEIVE_MAX} are allowed")
        end = LENGTH_BYTES + length
        if end > BUFFER_BYTES:
            return self._receive_long(length)
        if not self._fill(end):
            return None
        text = _text(self._buffer[LENGTH_BYTES:end])
        rest = self._have - end
        if rest:
            self._buffer[:rest] = bytes(self._buffer[end:self._have])
        self._have = rest
        return text

    def send(self, payload):
        """Writes one frame of these bytes, which are SEND_MAX at most."""
        frame = len(payload).to_bytes(LENGTH_BYTES, "big") + payload
        written = os.write(self._fd, frame)
        while written < len(frame):
            written += os.write(self._fd, memoryview(frame)[written:])

    def close(self):
        """Twice is fine. From here on send and receive fail."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            try:
                os.close(fd)
            except OSError:
                pass  # the module closed it

    def _fill(self, count):
        """Reads until `count` bytes are in the buffer. False: the other end closed before."""
        while self._have < count:
            got = os.readv(self._fd, (self._buffer[self._have:],))
            if not got:
                return False
            self._have += got
        return True

    def _receive_long(self, length):
        frame = bytearray(length)
        have = self._have - LENGTH_BYTES
        frame[:have] = self._buffer[LENGTH_BYTES:self._have]
        self._have = 0
        with memoryview(frame) as view:
            while have < length:
                got = os.readv(self._fd, (view[have:],))
                if not got:
                    return None
                have += got
        return _text(frame)


def _text(data):
    try:
        return str(data, "utf-8")
    except UnicodeDecodeError as error:
        raise ProtocolError(str(error)) from None


def _move_up(fd):
    """Moves a descriptor to the highest number that the limit of open files allows."""
    highest = min(os.sysconf("SC_OPEN_MAX"), DESCRIPTORS_MAX) - 1
    if highest <= fd:
        os.set_inheritable(fd, False)
        return fd
    os.dup2(fd, highest, inheritable=False)
    os.close(fd)
    return highest
