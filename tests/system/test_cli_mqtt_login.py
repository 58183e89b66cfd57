"""pifleet pub and sub: who one is to a broker, over which kinds of streams, and wrong words."""

import contextlib
import re
import socket
import ssl
import subprocess
import threading

import pytest

from agent_process import SANITIZER_REPORT
from command_line import (NO_CONNECTION, OK, PROGRAM, REFUSED, SECONDS, USAGE, Terminal,
                          environment, run)
from fake_broker import FakeBroker
from mqtt_command import mqtt, port


# ---- who one is ----


def strings_of_connect(body):
    """The texts of a CONNECT without a will: client id, user, password."""
    flags, rest, found = body[7], body[11 + body[10]:], []
    for bit in (0, 0x80, 0x40):
        if bit and not flags & bit:
            found.append(None)
            continue
        length = int.from_bytes(rest[:2], "big")
        found.append(rest[2:2 + length].decode())
        rest = rest[2 + length:]
    return found


@pytest.mark.parametrize("way", ["file", "stdin", "environment", "none"])
def test_a_password_comes_from_anywhere_but_the_command_line(way, tmp_path):
    (tmp_path / "password").write_text("s3cret\n")
    words, more = {
        "file": (["--password-file", tmp_path / "password"], {}),
        "stdin": (["--password-file", "-"], {"input": b"s3cret\r\n"}),
        "environment": ([], {"environment": {"PIFLEET_PASSWORD": "s3cret"}}),
        "none": ([], {"input": b""}),
    }[way]
    with FakeBroker() as fake:
        done = mqtt("pub", "t", "x", "-u", "anna", "-i", "me", *words, port=fake.port, **more)
    assert done == (OK, b"", "")
    password = None if way == "none" else "s3cret"
    assert strings_of_connect(fake.packets[0][2]) == ["me", "anna", password]


def test_a_token_is_shown_to_agents_only():
    with FakeBroker(puback=0x10, suback=(1,)) as fake:
        mqtt("rpc", "ping", port=fake.port, environment={"PIFLEET_TOKEN": "t0ken"})
    assert strings_of_connect(fake.packets[0][2])[1:] == [None, "t0ken"]
    for command in (["pub", "t", "x"], ["sub", "t", "--timeout", "0.1"]):
        with FakeBroker() as fake:
            mqtt(*command, port=fake.port, environment={"PIFLEET_TOKEN": "t0ken"})
        assert strings_of_connect(fake.packets[0][2])[1:] == [None, None]


def test_a_terminal_is_asked_for_the_password():
    with FakeBroker() as fake:
        terminal = Terminal("pub", "t", "x", "--user", "anna", "--port", fake.port)
        terminal.read_until(b"Password: ")
        terminal.type(b"s3cret\n")
        status, shown = terminal.end()
    assert status == OK and "s3cret" not in shown
    assert strings_of_connect(fake.packets[0][2])[1:] == ["anna", "s3cret"]


def test_a_client_id_is_made_when_none_is_given():
    ids = set()
    for _ in range(3):
        with FakeBroker() as fake:
            mqtt("pub", "t", "x", port=fake.port)
        ids.add(strings_of_connect(fake.packets[0][2])[0])
    assert len(ids) == 3 and all(re.fullmatch("pifleet-[0-9a-f]{12}", name) for name in ids)


# ---- TLS and Unix sockets: what they carry goes on to a broker that has neither ----


@contextlib.contextmanager
def relay(listener, port, context=None):
    """Carries bytes between one connection at `listener` and the broker at `port`."""
    def carry(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)

    def serve():
        with contextlib.suppress(OSError):
            accepted = listener.accept()[0]
            with (context.wrap_socket(accepted, server_side=True) if context
                  else accepted) as near, socket.create_connection(("127.0.0.1", port)) as far:
                back = threading.Thread(target=carry, args=(far, near))
                back.start()
                carry(near, far)
                back.join()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=SECONDS)
        listener.close()


def test_a_unix_socket_is_an_address_too(port, tmp_path):
    mqtt("pub", "t", "x", "--retain", port=port)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "s"))
    listener.listen()
    with relay(listener, port) as path:
        assert run("sub", "t", "--count", "1", "--socket", path) == (OK, "x\n", "")
    status, _, err = run("sub", "t", "--socket", tmp_path / "none")
    assert status == NO_CONNECTION and str(tmp_path / "none") in err


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    directory = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
                    directory / "key.pem", "-out", directory / "cert.pem"], check=True,
                   capture_output=True)
    return directory / "cert.pem", directory / "key.pem"


def test_tls_trusts_whom_it_is_told_to(port, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    mqtt("pub", "t", "x" * 100000, "--retain", port=port)

    def follow(*words):
        with relay(socket.create_server(("127.0.0.1", 0)), port, context) as address:
            return run("sub", "t", "--count", "1", "--port", address[1], "--timeout", "10", *words)

    assert follow("--host", "localhost", "--ca", certificate[0]) == (OK, "x" * 100000 + "\n", "")
    assert follow("--insecure")[0] == OK
    for words in (["--tls"], ["--host", "127.0.0.1", "--ca", certificate[0]]):
        status, out, err = follow(*words)
        assert (status, out) == (NO_CONNECTION, "")
        assert "--ca FILE" in err


# ---- words ----


@pytest.mark.parametrize("words, sentence", [
    (["pub"], "something is missing: pifleet pub TOPIC [PAYLOAD]"),
    (["pub", "t"], "what is to be published?"),
    (["pub", "t", "x", "--lines"], "exclude one another"),
    (["pub", "t", "--null", "--file", "f"], "exclude one another"),
    (["pub", "a/#", "x"], "+ and # are for subscribing"),
    (["pub", "", "x"], "a topic cannot be empty"),
    (["pub", "t" * 65536, "x"], "a topic has at most 65535 bytes"),
    (["pub", b"\xff", "x"], "a topic is text in UTF-8"),
    (["pub", "/" * 300, "x"], "a topic has at most 201 levels"),
    (["pub", "t", "x", "--qos", "3"], "--qos takes a whole number from 0 to 2"),
    (["pub", "t", "x", "--user-property", "=v"], "takes NAME=VALUE"),
    (["pub", "t", "x", "--response-topic", "a/+"], "--response-topic: "),
    (["pub", "t", "x", "--will-qos", "1"], "--will-topic TOPIC"),
    (["pub", "t", "x", "--will-topic", "#"], "--will-topic: "),
    (["pub", "t", "x", "--user", "a", "--password-file", "/nonexistent"], "cannot be read"),
    (["pub", "t", "-", "--password-file", "-"], "--password-file - takes standard input"),
    (["pub", "t", "--file", "-", "--password-file", "-"], "--password-file - takes"),
    (["pub", "t", "--lines", "--password-file", "-"], "--password-file - takes"),
    (["pub", "t", "x", "--socket", "s", "--host", "h"], "--socket excludes"),
    (["pub", "t", "x", "--ca", "f", "--insecure"], "exclude each other"),
    (["pub", "t", "x", "--ca", "/nonexistent"], "/nonexistent cannot be read"),
    (["pub", "t", "x", "--content-type", b"\xff"], "cannot be sent"),
    (["pub", "-t", "t", "-m", "x"], '"-t" is no option; pifleet pub --help lists them'),
    (["sub"], "something is missing: pifleet sub FILTER ..."),
    (["sub", "a/#/b"], "# for the rest"),
    (["sub", "$share/g"], "$share/GROUP/FILTER"),
    (["sub", "t", "--json", "--raw"], "exclude one another"),
    (["sub", "t", "--retained-only", "-R"], "exclude each other"),
    (["rpc"], "something is missing: pifleet rpc COMMAND [KEY=VALUE ...]"),
    (["rpc", "ping", "17"], '"17" is not KEY=VALUE'),
    (["rpc", "ping", "--client-id", "a/b"], "--client-id cannot hold"),
    (["rpc", "ping", "--topic", "a/#"], "--topic: "),
    (["rpc", "ping", "--topic", "a" * 1020], "--topic has at most 1011 bytes here"),
])
def test_wrong_usage_is_told_with_what_would_be_right(words, sentence):
    with FakeBroker() as fake:
        done = subprocess.run([PROGRAM, *words, *([] if "--socket" in words or len(words) == 1 else
                                                  ["--port", str(fake.port)])],
                              capture_output=True, env=environment(), timeout=SECONDS, check=False)
    err = done.stderr.decode()
    assert (done.returncode, done.stdout) == (USAGE, b"") and not SANITIZER_REPORT.search(err), err
    assert err.startswith("pifleet: ") and sentence in err


def test_a_file_that_cannot_be_read(port):
    status, _, err = mqtt("pub", "t", "--file", "/nonexistent", port=port)
    assert status == REFUSED and "/nonexistent cannot be read: No such file" in err
