"""Each kind of listener that a configuration can have, as its clients see it."""

import http.client
import socket
import ssl
import struct
import subprocess

import pytest

from broker_configured import (SECONDS, Over, answer, configured, ends_at_once, login)
from certificates import Authority
from mqtt_bytes import CONNACK, connect, session
from ports import free_port, hold_port
from test_broker_websocket import HANDSHAKE

GOOD = 0


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def greet(connected, *said):
    """The code of CONNACK."""
    with Over(connected, *(said or (connect("a"),))) as client:
        return client.expect(CONNACK)[1]


def over_tls(context, port, certificate=None):
    if certificate:
        context.load_cert_chain(*certificate)
    plain = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
    return context.wrap_socket(plain, server_hostname="localhost")


def test_both_addresses_of_localhost_have_one_port(tmp_path):
    with configured(tmp_path, "listeners: [{port: 0}]") as broker:
        found = broker.until(r"listening address=127\.0\.0\.1:(\d+)(?: and=\[::1\]:(\d+))?")
        assert answer(int(found.group(1)), connect("a"))[0] == GOOD
        if found.group(2):
            assert found.group(1) == found.group(2)
            assert answer(int(found.group(2)), connect("a"), host="::1")[0] == GOOD


@pytest.mark.parametrize("words, reached", [
    ("host: 127.0.0.5", {"127.0.0.5"}), ("host: \"*\"", {"127.0.0.1", "127.0.0.5"}),
    ("host: \"*\", family: ipv4", {"127.0.0.1", "127.0.0.5"}), ("interface: lo", {"127.0.0.1"}),
])
def test_a_listener_listens_where_it_is_told(tmp_path, words, reached):
    # Where it is to be refused, nobody else listens.
    port = 0 if "127.0.0.1" in reached else free_port()
    with configured(tmp_path, f"listeners: [{{port: {port}, anonymous: all, {words}}}]") as broker:
        port = int(broker.until(r"listening address=\S*:(\d+)").group(1))
        for host in reached:
            assert answer(port, connect("a"), host=host)[0] == GOOD
        for host in {"127.0.0.1", "127.0.0.5"} - reached:
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((host, port), timeout=SECONDS)


def has_ipv6():
    try:
        hold_port("::1", 0).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_a_listener_of_ipv6_only_refuses_ipv4(tmp_path):
    words = "listeners: [{port: 0, host: \"*\", anonymous: all, family: ipv6}]"
    with configured(tmp_path, words) as broker:
        port = int(broker.until(r"listening address=\[::\]:(\d+)").group(1))
        assert answer(port, connect("a"), host="::1")[0] == GOOD
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=SECONDS)


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_a_mosquitto_conf_has_a_listener_for_each_family(tmp_path):
    # All addresses of both families: what ended a moment ago at any would be in the way.
    holder = hold_port("::", 0)
    port = holder.getsockname()[1]
    words = f"allow_anonymous true\nlistener {port} 0.0.0.0\nlistener {port} ::\n"
    with holder, configured(tmp_path, words, "b.conf") as broker:
        broker.until(r"listening address=0\.0\.0\.0:")
        broker.until(r"listening address=\[::\]:")
        for host in ("127.0.0.1", "::1"):
            assert answer(port, connect("a"), host=host)[0] == GOOD


@pytest.mark.parametrize("mode", ["0600", "0666"])
def test_a_unix_socket_has_its_mode_and_goes_with_the_broker(tmp_path, mode):
    path = tmp_path / "broker.sock"
    words = f"listeners: [{{socket: {path}, socket_mode: \"{mode}\"}}]"
    with configured(tmp_path, words) as broker:
        broker.until("listening")
        assert path.stat().st_mode & 0o777 == int(mode, 8)
        stream = socket.socket(socket.AF_UNIX)
        stream.connect(str(path))
        assert greet(stream) == GOOD
    assert not path.exists()


def test_mosquittos_unix_socket_is_port_0(tmp_path):
    path = tmp_path / "m.sock"
    with configured(tmp_path, f"listener 0 {path}\nallow_anonymous true\n", "b.conf") as broker:
        broker.until("listening address=unix:")
        stream = socket.socket(socket.AF_UNIX)
        stream.connect(str(path))
        assert greet(stream) == GOOD


def test_tls_shows_its_certificate(tmp_path, authority):
    certificate, key = authority.sign("server")
    words = f"listeners: [{{port: 0, certificate: {certificate}, key: {key}}}]"
    with configured(tmp_path, words) as broker:
        port = broker.until(r":(\d+) .*tls=yes").group(1)
        assert greet(over_tls(authority.context(), int(port))) == GOOD


def test_what_a_certificate_lacks_of_its_chain_is_among_the_authorities(tmp_path, authority):
    middle = authority.sign_authority(tmp_path)
    certificate, key = middle.sign("server")
    words = (f"listeners: [{{port: 0, certificate: {certificate}, key: {key}, "
             f"authorities: {middle.path}}}]")
    with configured(tmp_path, words) as broker:
        port = int(broker.until(r"127\.0\.0\.1:(\d+)").group(1))
        assert greet(over_tls(authority.context(), port)) == GOOD


def test_tls_1_2_may_be_too_old(tmp_path, authority):
    certificate, key = authority.sign("server")
    words = (f"listeners: [{{port: 0, certificate: {certificate}, key: {key}, "
             "tls_version: \"1.3\"}]")
    with configured(tmp_path, words) as broker:
        port = int(broker.until(r"127\.0\.0\.1:(\d+)").group(1))
        context = authority.context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises(ssl.SSLError):
            over_tls(context, port)
        assert greet(over_tls(authority.context(), port)) == GOOD


def test_a_client_is_who_its_certificate_says(tmp_path, authority):
    """And without one, or with one of somebody else's, it is nobody."""
    certificate, key = authority.sign("server")
    folder = tmp_path / "other"
    folder.mkdir()
    stranger = Authority(folder).sign("ann")
    port = free_port()
    (tmp_path / "acl").write_text("user ann\ntopic readwrite of/%u/#\ntopic readwrite ann/#\n")
    with configured(tmp_path, f"""listener {port} 127.0.0.1
certfile {certificate}
keyfile {key}
cafile {authority.path}
require_certificate true
use_identity_as_username true
acl_file {tmp_path / "acl"}
log_type all
""", "b.conf") as broker:
        broker.until("listening")
        with pytest.raises((ssl.SSLError, ConnectionError)):
            # TLS 1.3 has the server's refusal behind the client's last word.
            over_tls(authority.context(), port).recv(1)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            over_tls(authority.context(), port, stranger).recv(1)
        assert greet(over_tls(authority.context(), port, authority.sign("ann"))) == GOOD
        broker.until("connect client=a user=ann")


def test_a_revoked_certificate_is_refused(tmp_path, authority):
    good, bad = authority.sign("good"), authority.sign("bad")
    certificate, key = authority.sign("server")
    revoked = tmp_path / "revoked.pem"
    (tmp_path / "index.txt").write_text("")
    (tmp_path / "ca.cnf").write_text(f"""[ca]
default_ca=own
[own]
database={tmp_path}/index.txt
default_md=sha256
default_crl_days=5
""")
    own = ["openssl", "ca", "-config", tmp_path / "ca.cnf", "-cert", authority.path, "-keyfile",
           authority.key]
    subprocess.run([*own, "-revoke", bad[0]], check=True, capture_output=True)
    subprocess.run([*own, "-gencrl", "-out", revoked], check=True, capture_output=True)
    words = f"""listeners:
  - {{port: 0, certificate: {certificate}, key: {key}, client_certificates: optional,
      authorities: {authority.path}, revoked: {revoked}}}"""
    with configured(tmp_path, words) as broker:
        port = int(broker.until(r"127\.0\.0\.1:(\d+)").group(1))
        assert greet(over_tls(authority.context(), port)) == GOOD
        assert greet(over_tls(authority.context(), port, good)) == GOOD
        with pytest.raises((ssl.SSLError, ConnectionError)):
            over_tls(authority.context(), port, bad).recv(1)


def upgraded(port, path="/mqtt", **fields):
    """The status of a handshake for MQTT over WebSockets."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    connection.request("GET", path, headers={**HANDSHAKE, **fields})
    status = connection.getresponse().status
    connection.close()
    return status


def test_websockets_of_mosquitto_are_at_every_path_and_for_every_page(tmp_path):
    port, pages = free_port(), tmp_path / "pages"
    pages.mkdir()
    (pages / "index.html").write_text("<p>hello")
    with configured(tmp_path, f"listener {port} 127.0.0.1\nprotocol websockets\n"
                              f"allow_anonymous true\nhttp_dir {pages}\n", "b.conf") as broker:
        broker.until("listening.*websocket")
        for path in ("/", "/mqtt", "/a/b"):
            assert upgraded(port, path) == 101
        assert upgraded(port, Origin="https://example.org") == 101
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"<p>hello"
        connection.request("GET", "/../../etc/passwd")
        assert connection.getresponse().status in (400, 404)
        connection.close()


@pytest.mark.parametrize("words, name", [
    ("listener {port} 127.0.0.1\nprotocol websockets\nallow_anonymous true\n"
     "websockets_origin https://example.org\n", "b.conf"),
    ("listeners: [{{host: 127.0.0.1, port: {port}, protocol: http, "
     "origins: [\"https://example.org\"]}}]", "b.yaml"),
])
def test_pages_of_named_origins_may_connect_and_no_others(tmp_path, words, name):
    port = free_port()
    with configured(tmp_path, words.format(port=port), name) as broker:
        broker.until("listening")
        assert upgraded(port, Origin="https://example.org") == 101
        assert upgraded(port, Origin="HTTPS://EXAMPLE.ORG") == 101
        assert upgraded(port, Origin="https://example.com") == 403
        assert upgraded(port) == 101


def header_of_proxy(source):
    """Version 2 of the PROXY protocol, for TCP over IPv4."""
    addresses = socket.inet_aton(source) + socket.inet_aton("127.0.0.1") + struct.pack(">HH", 5, 6)
    return b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + struct.pack(">H", len(addresses)) + addresses


@pytest.mark.parametrize("header", [header_of_proxy("192.0.2.9"),
                                    b"PROXY TCP4 192.0.2.9 127.0.0.1 5 6\r\n"])
def test_behind_a_proxy_clients_are_who_it_says(tmp_path, header):
    words = "listeners: [{port: 0, anonymous: all, proxy_protocol: v2}]\nlog: {level: debug}"
    with configured(tmp_path, words) as broker:
        port = int(broker.until(r"127\.0\.0\.1:(\d+)").group(1))
        stream = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        assert greet(stream, header, connect("a")) == GOOD
        broker.until(r"connect client=a .*peer=192\.0\.2\.9:5 ")
        stream = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        with Over(stream, connect("b")) as client:
            assert client.ends() is None
        broker.until("refused .*why=")


def test_only_named_proxies_are_believed(tmp_path):
    """And who is from elsewhere by a proxy's word is not on this machine."""
    words = """listeners:
  - {port: 0, proxy_protocol: v2, proxies: [127.0.0.8/29]}
"""
    with configured(tmp_path, words) as broker:
        port = int(broker.until(r"127\.0\.0\.1:(\d+)").group(1))
        with Over(socket.create_connection(("127.0.0.1", port), timeout=SECONDS),
                  header_of_proxy("127.0.0.1") + connect("a")) as client:
            assert client.ends() is None
        broker.until("none of the proxies")
        stream = socket.create_connection(("127.0.0.1", port), timeout=SECONDS,
                                          source_address=("127.0.0.9", 0))
        assert greet(stream, header_of_proxy("192.0.2.9") + connect("a")) == 0x87


def test_one_listener_more_than_can_be_opened_opens_none(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        path = tmp_path / "b.conf"
        path.write_text(f"listener {free_port()} 127.0.0.1\n\nlistener {port} 127.0.0.1\n")
        status, said = ends_at_once("-c", path)
    assert status == 1
    assert f"{path}:3: cannot listen at 127.0.0.1:{port}: Address already in use" in said


def test_ports_of_the_command_line_are_for_a_configuration_without_listeners(tmp_path):
    first, second = free_port(), free_port()
    with configured(tmp_path, "max_connections 1\n", "b.conf",
                    arguments=["-p", str(first), "-p", str(second)]) as broker:
        broker.until(f"127.0.0.1:{second}")
        with session(first, "a"):
            # Settings above all listeners are those of the first of them.
            assert answer(first, connect("b"))[0] == 0x89
            assert answer(second, connect("c"))[0] == GOOD


def test_a_name_is_needed_where_nobody_is_let_in_without(tmp_path):
    port = free_port()
    with configured(tmp_path, f"listener {port} 127.0.0.1\n", "b.conf") as broker:
        broker.until("listening")
        assert answer(port, connect("a"))[0] == 0x87
        assert answer(port, login("a", "ann", "x"))[0] == 0x87
