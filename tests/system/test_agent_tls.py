"""What all of the agent's TLS listeners share: certificates of clients, protocols, and a log that
says who was refused and why."""

import contextlib
import json
import re
import socket
import ssl
import subprocess

import pytest

from agent_process import BUILD, DidNotStart
from certificates import Authority
from ports import free_port
from test_gate_rpc import SECONDS
from test_mqtt_tls import until_logged


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls"))


def asking_agent(start_agent, authority, peers, **more):
    certificate, key = authority.sign("agent")
    return start_agent(config={
        "command": {"tls_port": free_port()}, "mqtt": {"tls_port": free_port()},
        "http": {"tls_port": free_port()},
        "tls": {"certificate": str(certificate), "key": str(key), "client_certificates": peers,
                "authorities": str(authority.path), **more}})


def port_of(agent, name):
    return int(re.search(rf"{name}: listening address=127\.0\.0\.1:(\d+)", agent.stderr())[1])


def exchange(agent, authority, name, said, own=None, protocols=()):
    """What the listener answers, all of it up to the end. One that closes right after the
    handshake may have done so before anything is said to it."""
    context = authority.context()
    if own:
        context.load_cert_chain(*own)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    answer = b""
    with socket.create_connection(("127.0.0.1", port_of(agent, name)), timeout=SECONDS) as plain, \
            context.wrap_socket(plain, server_hostname="localhost") as connection:
        connection.settimeout(SECONDS)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(said)
        while not (part := connection.recv(4096)).endswith((b"}\n", b"\x20\x02\0\0", b"served.\n")):
            if not part:
                break
            answer += part
        return answer + part


COMMAND = b'{"command":"ping"}\n'
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
CONNECT = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a"
SPOKEN = {"tls": (COMMAND, b"pong"), "https": (REQUEST, b"200 OK"),
          "mqtts": (CONNECT, b"\x20\x02\0\0")}


def test_clients_that_show_a_certificate_are_served_at_each_port(start_agent, authority):
    agent = asking_agent(start_agent, authority, "required")
    own = authority.sign("ann")
    for name, (said, expected) in SPOKEN.items():
        assert expected in exchange(agent, authority, name, said, own)


def pifleet(*words):
    return subprocess.run([BUILD / "pifleet", *map(str, words)], capture_output=True, text=True,
                          timeout=SECONDS, check=False)


def test_the_command_line_shows_a_certificate_too(start_agent, authority):
    agent = asking_agent(start_agent, authority, "required")
    certificate, key = authority.sign("ann")
    target = ["--host", "localhost", "--ca", authority.path]
    own = ["--cert", certificate, "--key", key]
    call = ["call", "ping", *target, "--port", port_of(agent, "tls")]
    assert '"pong"' in pifleet(*call, *own, "--json").stdout
    refused = pifleet(*call)
    assert refused.returncode != 0 and "certificate required" in refused.stderr, refused
    publish = ["pub", "x", "y", *target, "--port", port_of(agent, "mqtts")]
    done = pifleet(*publish, *own)
    assert done.returncode == 0, done
    assert pifleet(*publish).returncode != 0
    half = pifleet(*call, "--cert", certificate)
    assert "--cert and --key belong together" in half.stderr
    half = pifleet(*publish, "--key", key)
    assert "--cert and --key belong together" in half.stderr
    assert "/nowhere" in pifleet(*publish, "--cert", "/nowhere", "--key", key).stderr
    assert "/nowhere" in pifleet(*call, "--cert", "/nowhere", "--key", key).stderr


def test_others_are_refused_and_the_log_says_why(start_agent, authority, tmp_path):
    agent = asking_agent(start_agent, authority, "required")
    for name, (said, _) in SPOKEN.items():
        with pytest.raises((ssl.SSLError, ConnectionError)):
            assert exchange(agent, authority, name, said), "closed"
            raise ConnectionError
    until_logged(agent, "refused peer=127.0.0.1:")
    until_logged(agent, 'why="the TLS handshake failed: peer did not return a certificate"')
    with pytest.raises((ssl.SSLError, ConnectionError)):
        assert not exchange(agent, authority, "mqtts", CONNECT, Authority(tmp_path).sign("eve"))
        raise ConnectionError
    until_logged(agent, 'why="the client\'s certificate is not trusted: ')


def test_where_it_is_optional_who_shows_none_is_served(start_agent, authority):
    agent = asking_agent(start_agent, authority, "optional")
    for name, (said, expected) in SPOKEN.items():
        assert expected in exchange(agent, authority, name, said)


def test_one_port_has_http_and_mqtt(start_agent, authority):
    agent = asking_agent(start_agent, authority, "optional")
    assert b"\x20\x02\0\0" in exchange(agent, authority, "https", CONNECT, protocols=["mqtt"])
    assert b"200 OK" in exchange(agent, authority, "https", REQUEST, protocols=["h2", "http/1.1"])
    done = subprocess.run(["mosquitto_rr", "-h", "localhost", "-p", str(port_of(agent, "https")),
                           "--cafile", authority.path, "--tls-alpn", "mqtt", "-V", "5", "-i", "me",
                           "-t", "pi/rpc/request", "-e", "pi/rpc/response/me", "-m",
                           '{"command":"ping"}', "-W", "10"],
                          capture_output=True, text=True, timeout=SECONDS, check=False)
    assert json.loads(done.stdout)["type"] == "pong", done.stderr
    # Whoever wants HTTP at the port of MQTT is told that it is the wrong one.
    assert exchange(agent, authority, "mqtts", REQUEST, protocols=["http/1.1"]) == b""
    until_logged(agent, 'why="it wants to speak another protocol"')
    with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
        exchange(agent, authority, "https", REQUEST, protocols=["h2"])


@pytest.mark.parametrize("tls, why", [
    ({"client_certificates": "required"}, "`authorities`"),
    ({"authorities": "/etc/ssl/certs/ca-certificates.crt"}, "does not ask"),
    ({"client_certificates": "required", "authorities": "/nowhere"}, "/nowhere"),
    ({"version": "1.1"}, "version"),
])
def test_what_cannot_be_meant_stops_the_start(start_agent, authority, tls, why):
    certificate, key = authority.sign("agent")
    with pytest.raises(DidNotStart, match=why):
        start_agent(config={"command": {"tls_port": free_port()},
                            "tls": {"certificate": str(certificate), "key": str(key), **tls}})


def test_an_agent_that_stops_while_handshakes_go_on_ends_well(start_agent, authority):
    agent = asking_agent(start_agent, authority, "optional")
    half = [socket.create_connection(("127.0.0.1", port_of(agent, name)), timeout=SECONDS)
            for name in 10 * list(SPOKEN)]
    for number, one in enumerate(half):
        one.sendall(b"\x16\x03\x01\x00\xff"[:number % 6])
    assert b"200 OK" in exchange(agent, authority, "https", REQUEST)
    agent.stop()
    for one in half:
        one.close()
