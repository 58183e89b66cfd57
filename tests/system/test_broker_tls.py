"""pifleet-broker over TLS, spoken with by OpenSSL's own client and by mosquitto's, with the
certificates that docs/tls.md makes; behind a proxy; and both protocols at one port."""

import contextlib
import json
import re
import shlex
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time

import mqtt_bytes
import pytest

from agent_process import BUILD, SANITIZER_REPORT, TOP
from certificates import sign_request

SECONDS = 30
HEADER = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\1\x7f\0\0\1\x30\x39\x22\xb3"


def documented_commands():
    """Those of docs/tls.md, in their order."""
    text = (TOP / "docs" / "tls.md").read_text(encoding="utf-8")
    return re.findall(r"^    (openssl .*)$", text, re.MULTILINE)


def documented_file(name):
    """The lines that docs/tls.md has for a file."""
    text = (TOP / "docs" / "tls.md").read_text(encoding="utf-8")
    return "\n".join(re.search(rf"`{name}`:\n\n((?:    .*\n)+)", text).group(1).split("    "))


def run(command, folder, check=True, **more):
    return subprocess.run(shlex.split(command), cwd=folder, check=check, timeout=SECONDS,
                          capture_output=True, text=True, **more)


@pytest.fixture(name="folder")
def make_folder(tmp_path):
    """What the page's commands leave behind; ann is not yet revoked."""
    (tmp_path / "ca.cnf").write_text(documented_file("ca.cnf"), encoding="utf-8")
    (tmp_path / "index.txt").touch()
    for command in documented_commands():
        if " -revoke " not in command:
            run(command, tmp_path)
    return tmp_path


class Broker:
    """One with a configuration, and all that it logs."""

    def __init__(self, folder, listeners):
        self.file = folder / "broker.yaml"
        self.write(listeners)
        self.process = subprocess.Popen([BUILD / "pifleet-broker", "-v", "-c", self.file],
                                        cwd=folder, stderr=subprocess.PIPE, text=True)
        self.lines = []
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self.read)
        self.reader.start()
        self.ports = [int(self.await_line(rf"address=127\.0\.0\.1:(\d+)", number).group(1))
                      for number in range(len(listeners))]

    def write(self, listeners):
        self.file.write_text(json.dumps({"listeners": listeners}), encoding="utf-8")

    def read(self):
        for line in self.process.stderr:
            with self.changed:
                self.lines.append(line)
                self.changed.notify_all()

    def await_line(self, pattern, number=0):
        """The number-th line that has it."""
        deadline = time.monotonic() + SECONDS
        with self.changed:
            while True:
                found = [match for match in map(re.compile(pattern).search, self.lines) if match]
                if len(found) > number:
                    return found[number]
                assert self.changed.wait(deadline - time.monotonic()), (pattern, self.lines)

    def reload(self):
        before = sum("config: loaded again" in line or "stays as it was" in line
                     for line in self.lines)
        self.process.send_signal(signal.SIGHUP)
        self.await_line("config: loaded again|stays as it was", before)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            assert self.process.wait(SECONDS) == 0, self.lines
        finally:
            self.process.kill()
            self.reader.join()
        assert not any(SANITIZER_REPORT.search(line) for line in self.lines), self.lines


@contextlib.contextmanager
def broker_of(folder, *listeners):
    broker = Broker(folder, listeners)
    try:
        yield broker
    finally:
        broker.end()


def listener(folder, **more):
    return {"host": "127.0.0.1", "port": 0, "certificate": str(folder / "server.crt"),
            "key": str(folder / "server.key"), **more}


def with_certificates(folder, peers="required", **more):
    return listener(folder, client_certificates=peers, authorities=str(folder / "ca.crt"),
                    revoked=str(folder / "revoked.pem"), certificate_user="common_name", **more)


def s_client(folder, port, *options, said=b""):
    """All that it prints, after it has said that."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile",
                           "ca.crt", "-verify_return_error", *options],
                          cwd=folder, input=said, timeout=SECONDS, capture_output=True, check=False)
    return (done.stdout + done.stderr).decode("utf-8", "replace")


def publish(folder, port, *options, check=True):
    return subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(port), "-t", "hello", "-m",
                           "world", "--cafile", folder / "ca.crt", *options],
                          timeout=SECONDS, capture_output=True, text=True, check=check)


def own(folder, name="ann"):
    return ["--cert", folder / f"{name}.crt", "--key", folder / f"{name}.key"]


def make_expired(folder, name):
    """A certificate of the authority that was valid until yesterday."""
    run("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
        f"-keyout {name}.key -out {name}.csr -subj /CN={name}", folder)
    sign_request(folder / f"{name}.csr", folder / f"{name}.crt", folder / "ca.crt",
                 folder / "ca.key", expired=True)


# ---- who comes in ----


def test_a_client_is_known_by_its_certificate(folder):
    with broker_of(folder, with_certificates(folder)) as broker:
        publish(folder, broker.ports[0], *own(folder))
        broker.await_line(r"connect client=\S+ user=ann ")
        publish(folder, broker.ports[0], *own(folder), "--tls-version", "tlsv1.2")


def test_a_certificate_says_which_client_it_is(folder):
    with broker_of(folder, with_certificates(folder, certificate_client_id="common_name")) as broker:
        publish(folder, broker.ports[0], *own(folder), "-i", "ann")
        broker.await_line(r"connect client=ann user=ann ")
        done = publish(folder, broker.ports[0], *own(folder), "-i", "eve", "-V", "5", check=False)
        assert done.returncode != 0
        broker.await_line(r"its client id is not that of its certificate")


def test_who_does_not_come_in_is_named_with_the_reason(folder):
    run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout eve.key "
        "-out eve.crt -subj /CN=ann", folder)
    make_expired(folder, "late")
    cases = {
        "late": "the client's certificate is not trusted: certificate has expired",
        "eve": "the client's certificate is not trusted: self-signed certificate",
        "server": "the client's certificate is not trusted: unsuitable certificate purpose",
        "ann": "the client's certificate is not trusted: certificate revoked",
        None: "the TLS handshake failed: peer did not return a certificate",
    }
    for command in documented_commands():
        if "openssl ca " in command:
            run(command, folder)
    with broker_of(folder, with_certificates(folder)) as broker:
        for number, (name, why) in enumerate(cases.items()):
            done = publish(folder, broker.ports[0], *(own(folder, name) if name else []),
                           check=False)
            assert done.returncode != 0
            assert broker.await_line(r'refused listener=.* why="(.*)"', number).group(1) == why


def test_a_certificate_that_has_expired_may_be_good_enough(folder):
    make_expired(folder, "late")
    with broker_of(folder, with_certificates(folder, certificates_of_any_date=True)) as broker:
        for version in ("tlsv1.2", "tlsv1.3"):
            publish(folder, broker.ports[0], *own(folder, "late"), "--tls-version", version)
            broker.await_line(r"connect client=\S+ user=late ", version == "tlsv1.3")


def test_a_client_that_does_not_trust_us_says_so(folder):
    with broker_of(folder, listener(folder)) as broker:
        (folder / "ca.crt").write_bytes((folder / "ann.crt").read_bytes())
        assert publish(folder, broker.ports[0], check=False).returncode != 0
        broker.await_line('why="the TLS handshake failed: the peer says: unknown ca"')
        with socket.create_connection(("127.0.0.1", broker.ports[0])) as plain:
            plain.sendall(mqtt_bytes.connect("plain"))
            broker.await_line('why="the TLS handshake failed: wrong version number"')


# ---- what is spoken ----


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_sessions_are_resumed(folder, version):
    with broker_of(folder, with_certificates(folder)) as broker:
        options = [version, "-cert", "ann.crt", "-key", "ann.key"]
        # A ticket of TLS 1.3 comes behind the handshake: who says something hears it.
        said = mqtt_bytes.connect("ticket") + mqtt_bytes.packet(mqtt_bytes.DISCONNECT, b"")
        first = s_client(folder, broker.ports[0], *options, "-sess_out", "session", "-ign_eof",
                         said=said)
        assert "\nNew, " in first and (folder / "session").exists(), first
        second = s_client(folder, broker.ports[0], *options, "-sess_in", "session", "-ign_eof",
                          said=said)
        assert "\nReused, " in second, second
        broker.await_line(r"connect client=ticket user=ann ", 1)


def test_old_versions_and_early_data_are_not_spoken(folder):
    with broker_of(folder, listener(folder, tls_version="1.3")) as broker:
        assert "alert protocol version" in s_client(folder, broker.ports[0], "-tls1_2")
        answer = s_client(folder, broker.ports[0], "-tls1_3")
        assert "Max Early Data: 0" in answer or "Early data was not sent" in answer, answer
    with broker_of(folder, listener(folder)) as broker:
        refused = s_client(folder, broker.ports[0], "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0")
        assert "protocol version" in refused, refused


def test_one_port_has_http_and_mqtt(folder):
    with broker_of(folder, listener(folder, protocol="http")) as broker:
        port, = broker.ports
        publish(folder, port, "--tls-alpn", "mqtt", "-i", "raw")
        broker.await_line("connect client=raw ")
        publish(folder, port, "--tls-alpn", "mqtt", "-V", "mqttv5")
        request = b"GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        for options in ([], ["-alpn", "http/1.1"], ["-alpn", "h2,http/1.1"]):
            answer = s_client(folder, port, *options, "-ign_eof", said=request)
            assert "HTTP/1.1 404 Not Found" in answer, answer
        assert "no application protocol" in s_client(folder, port, "-alpn", "h2")


# ---- files that change ----


def shown(port):
    """The certificate that the broker shows, in DER."""
    return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", port)))


def test_a_reload_shows_what_is_new_and_ends_nobody(folder):
    with broker_of(folder, listener(folder)) as broker:
        port, = broker.ports
        context = ssl.create_default_context(cafile=folder / "ca.crt")
        with context.wrap_socket(socket.create_connection(("127.0.0.1", port)),
                                 server_hostname="localhost") as stays:
            stays.sendall(mqtt_bytes.connect("stays"))
            assert stays.recv(1)
            before = shown(port)
            command, = [command for command in documented_commands()
                        if "-keyout server.key" in command]
            run(command, folder)
            broker.reload()
            after = shown(port)
            assert after != before
            # One that cannot be used changes nothing, and is named.
            (folder / "server.crt").write_text("nonsense", encoding="utf-8")
            broker.reload()
            broker.await_line("stays as it was: .*server.crt cannot be used")
            assert shown(port) == after
            stays.sendall(mqtt_bytes.packet(mqtt_bytes.PINGREQ, b""))
            answer = b""
            while b"\xd0\0" not in answer:
                answer += stays.recv(100)


def test_who_is_revoked_stays_out_after_a_reload(folder):
    with broker_of(folder, with_certificates(folder)) as broker:
        publish(folder, broker.ports[0], *own(folder))
        for command in documented_commands():
            if "openssl ca " in command:
                run(command, folder)
        broker.reload()
        assert publish(folder, broker.ports[0], *own(folder), check=False).returncode != 0
        broker.await_line("certificate revoked")


# ---- a proxy in front ----


def test_behind_a_proxy_clients_have_addresses_of_their_own(folder):
    plain = {"host": "127.0.0.1", "port": 0, "proxy_protocol": "v2", "anonymous": "all"}
    with broker_of(folder, plain) as broker:
        with socket.create_connection(("127.0.0.1", broker.ports[0])) as client:
            client.sendall(HEADER + mqtt_bytes.connect("behind"))
            broker.await_line(r"connect client=behind .*peer=192\.0\.2\.1:12345 ")
            assert client.recv(1)
        with socket.create_connection(("127.0.0.1", broker.ports[0])) as client:
            client.sendall(mqtt_bytes.connect("without"))
            broker.await_line('why="what came is no header of the PROXY protocol"')
            with contextlib.suppress(ConnectionResetError):
                assert not client.recv(1)
    with broker_of(folder, {**plain, "proxies": ["192.0.2.0/24"]}) as broker:
        with socket.create_connection(("127.0.0.1", broker.ports[0])) as client:
            broker.await_line('why="it is none of the proxies"')
            with contextlib.suppress(ConnectionResetError):
                assert not client.recv(1)


def test_behind_a_proxy_a_certificate_is_the_clients_own_or_what_the_proxy_says(folder):
    with broker_of(folder, with_certificates(folder, proxy_protocol="v2")) as broker:
        context = ssl.create_default_context(cafile=folder / "ca.crt")
        context.load_cert_chain(folder / "ann.crt", folder / "ann.key")
        client = socket.create_connection(("127.0.0.1", broker.ports[0]))
        client.sendall(HEADER)
        with context.wrap_socket(client, server_hostname="localhost") as client:
            client.sendall(mqtt_bytes.connect("inside"))
            broker.await_line(r"connect client=inside user=ann .*peer=192\.0\.2\.1:12345 ")
    name = b"\x22\0\3bob"
    tls = b"\x20" + struct.pack(">H", 5 + len(name)) + b"\7\0\0\0\0" + name
    header = HEADER[:14] + struct.pack(">H", 12 + len(tls)) + HEADER[16:] + tls
    with broker_of(folder, {"host": "127.0.0.1", "port": 0, "proxy_protocol": "v2",
                            "certificate_user": "common_name"}) as broker:
        with socket.create_connection(("127.0.0.1", broker.ports[0])) as client:
            client.sendall(header + mqtt_bytes.connect("said"))
            broker.await_line(r"connect client=said user=bob .*peer=192\.0\.2\.1:12345 ")
        with socket.create_connection(("127.0.0.1", broker.ports[0])) as client:
            client.sendall(HEADER + mqtt_bytes.connect("nobody"))
            broker.await_line('refused client=nobody ')


def test_a_proxy_that_ends_tls_says_who_showed_a_certificate(folder):
    def header(bits, verified):
        tls = struct.pack(">BHBI", 0x20, 5, bits, verified)
        return HEADER[:14] + struct.pack(">H", 12 + len(tls)) + HEADER[16:] + tls

    plain = {"host": "127.0.0.1", "port": 0, "proxy_protocol": "v2", "anonymous": "all"}
    with broker_of(folder, {**plain, "name": "a", "client_certificates": "required"},
                   {**plain, "name": "b", "proxy_requires_tls": True}) as broker:
        certificate, tls = broker.ports
        cases = [(tls, HEADER, "the proxy does not say that its client came by TLS"),
                 (tls, header(1, 1), None),
                 (certificate, header(1, 0), "the proxy has verified no certificate of its client"),
                 (certificate, header(7, 1), "the proxy has verified no certificate of its client"),
                 (certificate, header(7, 0), None)]
        refused = 0
        for port, words, why in cases:
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.sendall(words + mqtt_bytes.connect("behind"))
                with contextlib.suppress(ConnectionResetError):
                    assert bool(client.recv(1)) == (why is None)
            if why:
                line = broker.await_line(r'refused listener=.* peer=192\.0\.2\.1\S* why="(.*)"',
                                         refused)
                assert line.group(1) == why
                refused += 1


# ---- too many ----


def test_handshakes_that_never_finish_are_bounded_and_nobody_waits_for_them(folder):
    with broker_of(folder, listener(folder)) as broker:
        port, = broker.ports
        context = ssl.create_default_context(cafile=folder / "ca.crt")
        with contextlib.ExitStack() as stack:
            good = stack.enter_context(
                context.wrap_socket(socket.create_connection(("127.0.0.1", port)),
                                    server_hostname="localhost"))
            good.sendall(mqtt_bytes.connect("good"))
            for number in range(1500):
                silent = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
                if number < 1000 and number % 3 == 0:
                    silent.sendall(b"\x16\x03\x01")
            broker.await_line('why="too many connections are on their way"', 400)
            began = time.monotonic()
            good.sendall(mqtt_bytes.packet(mqtt_bytes.PINGREQ, b""))
            answer = b""
            while b"\xd0\0" not in answer:
                answer += good.recv(100)
            assert time.monotonic() - began < 5
        with context.wrap_socket(socket.create_connection(("127.0.0.1", port)),
                                 server_hostname="localhost") as again:
            again.sendall(mqtt_bytes.connect("again"))
            assert again.recv(1)


def test_a_broker_that_stops_while_handshakes_go_on_ends_well(folder):
    with contextlib.ExitStack() as stack:
        with broker_of(folder, listener(folder)) as broker:
            for number in range(100):
                half = stack.enter_context(socket.create_connection(("127.0.0.1",
                                                                     broker.ports[0])))
                half.sendall(b"\x16\x03\x01\x00\xff"[:number % 6])
            s_client(folder, broker.ports[0])
