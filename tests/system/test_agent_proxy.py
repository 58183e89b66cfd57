"""The agent behind a proxy that speaks the PROXY protocol: who a client is taken for, and who may
not say who it is."""

import contextlib
import ipaddress
import re
import socket
import struct
import time

import pytest

from agent_process import DidNotStart
from test_gate_rpc import SECONDS, SECRETS, TOKENS

CONNECT = (b"\x10\x30\x00\x04MQTT\x04\xc2\x00\x3c\x00\x01a"
           + b"\x00\x08operator" + bytes([0, len(SECRETS["operator"])])
           + SECRETS["operator"].encode())
CONNECT = CONNECT[:1] + bytes([len(CONNECT) - 2]) + CONNECT[2:]
CONNACK = b"\x20\x02\x00\x00"
PROXIES = {"mqtt": {"proxies": ["127.0.0.0/8"]}, "http": {"proxies": ["127.0.0.0/8"],
                                                          "metrics": "loopback"}}


def header(source):
    """Version 2, of a client at that address."""
    address = ipaddress.ip_address(source)
    packed = address.packed + ipaddress.ip_address(
        "127.0.0.1" if address.version == 4 else "::1").packed + struct.pack("!HH", 40000, 1883)
    return (b"\r\n\r\n\0\r\nQUIT\n" + b"\x21" + (b"\x11" if address.version == 4 else b"\x21")
            + struct.pack("!H", len(packed)) + packed)


def port_of(agent, area):
    return int(re.search(rf" {area}: listening address=127\.0\.0\.1:(\d+)", agent.stderr())[1])


def answer(agent, area, sent):
    """All that comes until the agent ends the connection; of MQTT the first bytes."""
    heard = b""
    with socket.create_connection(("127.0.0.1", port_of(agent, area)), timeout=SECONDS) as client:
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            client.sendall(sent)
            while piece := client.recv(65536):
                heard += piece
                if area == "mqtt" and len(heard) >= 4:
                    break
    return heard


def ask(path="/metrics", fields=""):
    return (f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{fields}\r\n").encode()


def bearer(name):
    return f"Authorization: Bearer {SECRETS[name]}\r\n"


def test_a_client_is_who_the_proxy_says_it_is(start_agent):
    agent = start_agent(config={**TOKENS, **PROXIES})
    assert answer(agent, "mqtt", header("192.0.2.9") + CONNECT) == CONNACK
    assert "origin=192.0.2.9:40000" in agent.stderr()
    assert answer(agent, "mqtt", header("2001:db8::7") + CONNECT) == CONNACK
    assert "origin=[2001:db8::7]:40000" in agent.stderr()
    post = (b'POST /api/command HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n'
            + bearer("operator").encode()
            + b'Content-Type: application/json\r\nContent-Length: 29\r\n\r\n'
            b'{"command":"led_on","pin":17}')
    assert answer(agent, "http", header("192.0.2.10") + post).startswith(b"HTTP/1.1 200 OK")
    until_logged(agent, "transport=http origin=192.0.2.10:40000")


def until_logged(agent, text):
    end = time.monotonic() + SECONDS
    while text not in agent.stderr():
        assert time.monotonic() < end, agent.stderr()
        time.sleep(0.01)


def test_who_comes_by_the_proxy_is_no_program_of_this_machine(start_agent):
    agent = start_agent(config={**TOKENS, **PROXIES})
    assert answer(agent, "http", header("192.0.2.9") + ask()).startswith(b"HTTP/1.1 401 ")
    assert answer(agent, "http", header("127.0.0.1") + ask()).startswith(b"HTTP/1.1 200 ")


def test_without_a_good_header_nobody_comes_in(start_agent):
    agent = start_agent(config={**TOKENS, **PROXIES})
    bad = bytearray(header("192.0.2.9"))
    bad[0] = 0x0c
    for sent in (CONNECT, bytes(bad) + CONNECT, b"PROXY UNKNOWN"):
        assert answer(agent, "mqtt", sent + b"\r\n" * 300) == b""
    assert answer(agent, "http", ask() + b"\r\n" * 300) == b""
    assert "connected client" not in agent.stderr()


def test_nobody_but_the_proxy_says_who_somebody_is(start_agent):
    config = {**TOKENS, "mqtt": {"proxies": ["192.0.2.1"]}, "http": {"proxies": ["192.0.2.1"]}}
    agent = start_agent(config=config)
    assert answer(agent, "mqtt", header("192.0.2.9") + CONNECT) == b""
    assert answer(agent, "http", header("192.0.2.9") + ask()) == b""
    assert 'why="it is none of mqtt.proxies"' in agent.stderr()
    assert 'why="it is none of http.proxies"' in agent.stderr()


@pytest.mark.parametrize("section", ["mqtt", "http"])
def test_behind_a_proxy_loopback_is_not_open(start_agent, section):
    with pytest.raises(DidNotStart, match="allow_open_network"):
        start_agent(config={"access": {"mode": "open"}, section: {"proxies": ["127.0.0.1"]}})
