"""An agent that says what a test tells it to: for what a real one never would.

    with FakeAgent({"ping": {"success": True, "type": "pong"}}) as fake:
        ... fake.port ...; fake.requests

An answer is a dict (sent as a line), bytes (sent as they are), None (the
connection ends without one), SILENCE (nothing is sent, the connection stays), or
a function of the request that returns one of these.
"""

import json
import pathlib
import shutil
import socket
import socketserver
import ssl
import tempfile
import threading

SILENCE = object()


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        try:
            for line in self.rfile:
                if not self.answer(json.loads(line)):
                    return
        except OSError:
            pass  # the client is gone, or did not want our certificate

    def answer(self, request):
        fake = self.server.fake
        fake.requests.append(request)
        answer = fake.answers.get(request["command"])
        if callable(answer):
            answer = answer(request)
        if answer is None:
            return False
        if answer is not SILENCE:
            if isinstance(answer, dict):
                answer = json.dumps(answer).encode() + b"\n"
            self.wfile.write(answer)
        return True


class TcpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def get_request(self):
        connected, peer = super().get_request()
        if self.fake.tls:
            connected = self.fake.tls.wrap_socket(connected, server_side=True,
                                                  do_handshake_on_connect=False)
        return connected, peer

    def handle_error(self, request, client_address):
        pass


class UnixServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


class FakeAgent:
    def __init__(self, answers, local=False, certificate=None):
        self.answers = answers
        self.requests = []
        self.tls = None
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="pifleet-"))
        self.path = self.directory / "agent.sock"
        if certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*certificate)
        if local:
            self.server = UnixServer(str(self.path), Handler)
        else:
            self.server = TcpServer(("127.0.0.1", 0), Handler)
            self.port = self.server.server_address[1]
        self.server.fake = self
        self.thread = threading.Thread(target=self.server.serve_forever,
                                       kwargs={"poll_interval": 0.02})
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        shutil.rmtree(self.directory, ignore_errors=True)


class Greeter:
    """Somebody else's server: sends bytes to whoever connects, and waits."""

    def __init__(self, greeting):
        self.greeting = greeting
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connected = []
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            while True:
                connected, _ = self.listener.accept()
                connected.sendall(self.greeting)
                self.connected.append(connected)
        except OSError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()
        for connected in self.connected:
            connected.close()
