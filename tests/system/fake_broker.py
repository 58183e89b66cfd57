"""A broker that says what a test wants it to say: refusals, silence, nonsense.

    with FakeBroker(puback=0x97) as fake:
        run("pub", "t", "x", "--port", fake.port)
    assert fake.packets[0][0] == CONNECT
"""

import socket
import threading

CONNECT, CONNACK, PUBLISH, PUBACK = 1, 2, 3, 4
SUBSCRIBE, SUBACK, PINGREQ, DISCONNECT = 8, 9, 12, 14


def packet(kind, body=b"", flags=0):
    """Bytes of a packet with less than 16 KiB."""
    length = bytes([len(body)]) if len(body) < 128 else bytes(
        [len(body) % 128 | 128, len(body) // 128])
    return bytes([kind << 4 | flags]) + length + body


CONNECTED = packet(CONNACK, b"\0\0\0")


def text(value):
    data = value.encode()
    return len(data).to_bytes(2, "big") + data


def read_exactly(connected, count):
    data = b""
    while len(data) < count:
        more = connected.recv(count - len(data))
        if not more:
            raise ConnectionError
        data += more
    return data


def read_packet(connected):
    """(kind, flags, body)"""
    first = read_exactly(connected, 1)[0]
    length = shift = 0
    while True:
        byte = read_exactly(connected, 1)[0]
        length |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return first >> 4, first & 15, read_exactly(connected, length)


class FakeBroker:
    """Answers CONNECT, SUBSCRIBE and PUBLISH with the codes that it is given; None: with
    nothing. `connack` may be a tuple, of one for each connection. What it is to send in place of
    a CONNACK, and after a SUBACK, are bytes."""

    def __init__(self, connack=0, suback=(0,), puback=0, words="", greeting=None, after=b"",
                 connections=1):
        self.connacks = connack if isinstance(connack, tuple) else (connack,) * connections
        self.connack, self.suback, self.puback, self.words = None, suback, puback, words
        self.greeting, self.after = greeting, after
        self.packets = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(timeout=60)
        self.listener.close()

    def _serve(self):
        for self.connack in self.connacks:
            try:
                connected, _ = self.listener.accept()
            except OSError:
                return
            with connected:
                try:
                    while True:
                        self._answer(connected, *read_packet(connected))
                except OSError:
                    pass

    def _properties(self):
        reason = b"\x1f" + text(self.words) if self.words else b""
        return bytes([len(reason)]) + reason

    def _answer(self, connected, kind, flags, body):
        self.packets.append((kind, flags, body))
        if kind == CONNECT and self.greeting is not None:
            connected.sendall(self.greeting)
        elif kind == CONNECT and self.connack is not None:
            connected.sendall(packet(CONNACK, bytes([0, self.connack]) + self._properties()))
            if self.connack >= 0x80:
                raise ConnectionError
        elif kind == SUBSCRIBE and self.suback is not None:
            connected.sendall(packet(SUBACK, body[:2] + self._properties() + bytes(self.suback)) +
                              self.after)
        elif kind == PUBLISH and flags & 6 and self.puback is not None:
            topic = 2 + int.from_bytes(body[:2], "big")
            connected.sendall(packet(PUBACK, body[topic:topic + 2] + bytes([self.puback]) +
                                     self._properties()))
