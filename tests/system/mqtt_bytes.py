"""MQTT 5.0 as bytes, for tests that say what no library would."""

import random
import socket
import struct

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC = 1, 2, 3, 4, 5
SUBSCRIBE, SUBACK, UNSUBSCRIBE, PINGREQ, PINGRESP, DISCONNECT = 8, 9, 10, 12, 13, 14
NEVER_EXPIRES = 0xffffffff
SECONDS = 60


class Ended(Exception):
    """The broker has closed the connection."""


def text(words):
    words = words if isinstance(words, bytes) else words.encode()
    return struct.pack(">H", len(words)) + words


def length(number):
    out = bytearray()
    while True:
        number, digit = number >> 7, number & 127
        out.append(digit | (128 if number else 0))
        if not number:
            return bytes(out)


def packet(kind, body, flags=0):
    return bytes([kind << 4 | flags]) + length(len(body)) + body


def properties(content=b""):
    return length(len(content)) + content


def connect(name, keep_alive=0, expiry=0, clean=True, will=None, words=False):
    """`will`: a topic; its message is the client's name. `words`: reasons are told in words."""
    flags = (2 if clean else 0) | (4 if will else 0)
    content = struct.pack(">BI", 0x11, expiry) if expiry else b""
    content += b"\x17\x01" if words else b""
    body = text("MQTT") + struct.pack(">BBH", 5, flags, keep_alive) + properties(content)
    body += text(name)
    if will:
        body += properties() + text(will) + text(name)
    return packet(CONNECT, body)


def publish(topic, payload=b"", qos=0, number=None, retain=False, alias=None):
    content = struct.pack(">BH", 0x23, alias) if alias is not None else b""
    body = text(topic) + (struct.pack(">H", number) if qos else b"") + properties(content) + payload
    return packet(PUBLISH, body, qos << 1 | retain)


def subscribe(number, *filters, qos=0):
    body = struct.pack(">H", number) + properties()
    return packet(SUBSCRIBE, body + b"".join(text(one) + bytes([qos]) for one in filters), 2)


def unsubscribe(number, *filters):
    body = struct.pack(">H", number) + properties()
    return packet(UNSUBSCRIBE, body + b"".join(text(one) for one in filters), 2)


PING = packet(PINGREQ, b"")
LEAVE = packet(DISCONNECT, b"")


class Bytes:
    """A connection. Every wait has its bound."""

    def __init__(self, port, *said, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(SECONDS)
        # Each its own address: ports of one would run out among thousands that come and go.
        self.socket.bind((f"127.0.{random.randrange(1, 255)}.{random.randrange(1, 255)}", 0))
        self.socket.connect(("127.0.0.1", port))
        self.received = bytearray()
        if said:
            self.say(*said)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def vanish(self):
        """Without a farewell, not even TCP's."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def say(self, *packets):
        self.socket.sendall(b"".join(packets))

    def _more(self):
        try:
            more = self.socket.recv(1 << 18)
        except (ConnectionResetError, BrokenPipeError):
            more = b""
        if not more:
            raise Ended
        self.received += more

    def _take(self, count):
        while len(self.received) < count:
            self._more()
        taken = bytes(self.received[:count])
        del self.received[:count]
        return taken

    def hear(self):
        """The next packet: its type, its flags, what is in it."""
        first, shift, size = self._take(1)[0], 0, 0
        while True:
            digit = self._take(1)[0]
            size |= (digit & 127) << shift
            shift += 7
            if digit < 128:
                return first >> 4, first & 15, self._take(size)

    def expect(self, kind):
        """The next packet's content, which has to be of that type."""
        got = self.hear()
        assert got[0] == kind, f"packet type {got[0]}, not {kind}: {got[2][:40]!r}"
        return got[2]

    def until(self, kind):
        """Skips what comes before."""
        while True:
            got = self.hear()
            if got[0] == kind:
                return got[2]

    def ends(self):
        """The last packet before the connection's end, None if there was none."""
        last = None
        try:
            while True:
                last = self.hear()
        except Ended:
            return last


def session(port, name, *said, receive_buffer=None, **words):
    """A client that is connected, and has said more."""
    client = Bytes(port, connect(name, **words), receive_buffer=receive_buffer)
    answer = client.expect(CONNACK)
    assert answer[1] == 0, f"refused: {answer[1]:#x}"
    if said:
        client.say(*said)
    return client


def subscriber(port, name, *filters, qos=0, **words):
    client = session(port, name, subscribe(1, *filters, qos=qos), **words)
    codes = client.expect(SUBACK)[3:]
    assert all(code <= 2 for code in codes), codes.hex()
    return client
