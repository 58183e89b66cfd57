"""One connection that speaks lines of JSON, as any client would."""

import json
import socket
import ssl


class Closed(Exception):
    """The agent has ended the connection."""


class LineClient:
    """Every wait has its bound: a test fails rather than hangs."""

    def __init__(self, connected, timeout=20):
        connected.settimeout(timeout)
        self.socket = connected
        self.received = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        self.socket.sendall(data)

    def send_request(self, command, **arguments):
        self.send(json.dumps({"command": command, **arguments}).encode() + b"\n")

    def receive_line(self):
        while b"\n" not in self.received:
            try:
                data = self.socket.recv(1 << 16)
            except ConnectionResetError:
                data = b""
            if not data:
                raise Closed(f"with {len(self.received)} bytes of an unfinished line")
            self.received += data
        line, _, self.received = self.received.partition(b"\n")
        return line

    def receive(self):
        return json.loads(self.receive_line())

    def call(self, command, **arguments):
        self.send_request(command, **arguments)
        return self.receive()

    def exchange(self, line):
        """Sends the bytes of one line, without its newline; returns the reply."""
        self.send(line + b"\n")
        return self.receive()

    def is_at_end(self):
        """Waits for the agent's end of the connection; False when a line comes first."""
        try:
            self.receive_line()
        except Closed:
            return True
        return False

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self):
        """Closes with a RST: what a crashed peer or a cut cable looks like."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                               (1).to_bytes(4, "little") + bytes(4))
        self.close()

    def close(self):
        self.socket.close()


def connect_tcp(port, host="127.0.0.1"):
    return LineClient(socket.create_connection((host, port), timeout=20))


def connect_unix(path):
    plain = socket.socket(socket.AF_UNIX)
    plain.connect(str(path))
    return LineClient(plain)


def connect_tls(port, authority):
    context = ssl.create_default_context(cafile=str(authority))
    plain = socket.create_connection(("127.0.0.1", port), timeout=20)
    return LineClient(context.wrap_socket(plain, server_hostname="localhost"))
