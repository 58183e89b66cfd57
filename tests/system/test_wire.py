"""The wire: lines of JSON over TCP, a Unix socket and TLS, as clients know it."""

import hashlib
import json
import signal
import socket
import subprocess
import time

import pytest

from agent_process import BUILD, DidNotStart
from line_client import Closed, LineClient, connect_tcp, connect_tls
from ports import free_port

TOKEN = "an example, not a secret"
TOKEN_HASH = "blake2b:" + hashlib.blake2b(TOKEN.encode(), digest_size=32).hexdigest()
TOKEN_MODE = {"access": {"mode": "token",
                         "tokens": [{"name": "wire", "hash": TOKEN_HASH, "role": "admin"}]}}

# Runs on while other requests pass: blinks once, which takes this many seconds.
SLOW = {"command": "gpio_test", "pin": 17, "times": 1, "interval": 0.3}


def is_refused(reply, code, *words):
    """A failure that a program (code) and a person (words) can act on."""
    assert reply["success"] is False
    assert reply["type"] == "error"
    assert reply["code"] == code, reply
    assert isinstance(reply["timestamp"], float)
    for word in words:
        assert word.lower() in reply["error"].lower(), reply
    return True


# Requests and replies

@pytest.mark.parametrize("command, type_", [
    ("ping", "pong"), ("echo", "echo"), ("get_status", "get_status"),
    ("system_info", "system_info"), ("get_metrics", "get_metrics"),
    ("list_commands", "list_commands"), ("connection_stats", "connection_stats"),
    ("gpio_status", "gpio_status"),
])
def test_a_reply_says_success_type_and_time(agent, command, type_):
    before = time.time()
    reply = agent.call({"command": command})
    assert reply["success"] is True
    assert reply["type"] == type_
    assert isinstance(reply["timestamp"], float)
    assert before - 1 < reply["timestamp"] < time.time() + 1


def test_a_reply_is_one_line_without_surprises(agent):
    with agent.connect() as client:
        client.send_request("echo", text='line\nbreak, "quotes", ü, \u2028, \U0001f600')
        line = client.receive_line()
    assert line.decode("utf-8").isprintable() or "\u2028" in line.decode("utf-8")
    assert json.loads(line)["echo"]["text"] == 'line\nbreak, "quotes", ü, \u2028, \U0001f600'


def test_echo_repeats_the_arguments_and_nothing_secret(agent):
    reply = agent.call({"command": "echo", "a": [1, {"b": None}], "token": "x" * 20})
    assert reply["echo"] == {"a": [1, {"b": None}]}


def test_requests_in_one_packet_are_answered_in_order(agent):
    with agent.connect() as client:
        client.send(b"".join(b'{"command":"echo","n":%d}\n' % n for n in range(1000)))
        assert [client.receive()["echo"]["n"] for _ in range(1000)] == list(range(1000))


def test_a_request_may_come_byte_by_byte(agent):
    with agent.connect() as client:
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b'{"command":"ping"}\r\n':
            client.send(bytes([byte]))
        assert client.receive()["type"] == "pong"


def test_a_line_may_end_in_carriage_return_and_newline(agent):
    with agent.connect() as client:
        client.send(b'{"command":"ping"}\r\n{"command":"ping"}\n')
        assert [client.receive()["type"] for _ in range(2)] == ["pong", "pong"]


def test_a_quick_request_waits_for_a_slow_one_before_it(agent):
    with agent.connect() as client:
        client.send_request(**SLOW)
        client.send_request("ping")
        assert [client.receive()["type"] for _ in range(2)] == ["gpio_test", "pong"]


def test_a_request_with_an_id_may_overtake(agent):
    with agent.connect() as client:
        client.send(json.dumps({**SLOW, "id": "slow"}).encode() +
                    b'\n{"command":"ping","id":7}\n')
        replies = [client.receive() for _ in range(2)]
    assert [(reply["type"], reply["id"]) for reply in replies] == [
        ("pong", 7), ("gpio_test", "slow")]


@pytest.mark.parametrize("id_", [0, -1, 2 ** 53, "", "a", "ü\n\"", "x" * 256])
def test_an_id_is_repeated_as_it_came(agent, id_):
    assert agent.call({"command": "ping", "id": id_})["id"] == id_
    assert agent.call({"command": "no_such_command", "id": id_})["id"] == id_


@pytest.mark.parametrize("id_", [True, 1.5, [], {}, "x" * 257])
def test_an_id_that_cannot_be_repeated_is_refused(agent, id_):
    reply = agent.call({"command": "ping", "id": id_})
    assert is_refused(reply, "BAD_REQUEST", "id")
    assert "id" not in reply


# Lines that are wrong

@pytest.mark.parametrize("line, code, word", [
    (b"hello", "BAD_JSON", "at byte"),
    (b"{", "BAD_JSON", "at byte"),
    (b'{"command":"ping"', "BAD_JSON", "at byte"),
    (b'{"command":"ping"} x', "BAD_JSON", "at byte"),
    (b"{'command':'ping'}", "BAD_JSON", "at byte"),
    (b'{"command":"ping",}', "BAD_JSON", "at byte"),
    (b'{"command":"ping","a":01}', "BAD_JSON", "at byte"),
    (b'{"command":"echo","a":NaN}', "BAD_JSON", "at byte"),
    (b'{"command":"ping"}\x00', "BAD_JSON", "nul"),
    (b'\x00{"command":"ping"}', "BAD_JSON", "nul"),
    (b'{"command":"pi\x00ng"}', "BAD_JSON", "nul"),
    (b'{"command":"pi\\u0000ng"}', "BAD_JSON", "nul"),
    (b'{"command":"echo","a":"\xff"}', "BAD_JSON", "utf-8"),
    (b'{"command":"echo","a":"\xc0\xaf"}', "BAD_JSON", "utf-8"),
    (b'{"command":"echo","a":"\xed\xa0\x80"}', "BAD_JSON", "utf-8"),
    (b'{"command":"echo","a":"\\ud800"}', "BAD_JSON", "surrogate"),
    (b'{"command":"echo","a":' + b"[" * 1000 + b"]" * 1000 + b"}", "BAD_JSON", "deep"),
    (b"[" * 100000, "BAD_JSON", "deep"),
    (b'{"command":"echo","a":9007199254740993}', "BAD_JSON", "string"),
    (b'{"command":"echo","a":1e999}', "BAD_JSON", ""),
    (b"[]", "BAD_REQUEST", "object"),
    (b"7", "BAD_REQUEST", "object"),
    (b"null", "BAD_REQUEST", "object"),
    (b'"ping"', "BAD_REQUEST", "object"),
    (b"{}", "BAD_REQUEST", "command"),
    (b'{"Command":"ping"}', "BAD_REQUEST", "command"),
    (b'{"command":7}', "BAD_REQUEST", "command"),
    (b'{"command":null}', "BAD_REQUEST", "command"),
    (b'{"command":"ping","command":"echo"}', "BAD_REQUEST", "once"),
    (b'{"command":""}', "NO_METHOD", ""),
    (b'{"command":"' + b"x" * 5000 + b'"}', "NO_METHOD", ""),
    (b'{"command":"led_on"}', "BAD_PARAMS", "pin"),
    (b'{"command":"led_on","pin":true}', "BAD_PARAMS", "pin"),
])
def test_a_wrong_line_is_refused_and_the_connection_goes_on(agent, line, code, word):
    with agent.connect() as client:
        assert is_refused(client.exchange(line), code, word)
        assert client.call("ping")["type"] == "pong"


@pytest.mark.parametrize("typed, meant", [
    ("pnig", "ping"), ("get_stat", "get_status"), ("led_of", "led_off"),
    ("list_command", "list_commands"), ("PING", "ping"),
])
def test_an_unknown_command_is_told_what_may_have_been_meant(agent, typed, meant):
    assert is_refused(agent.call({"command": typed}), "NO_METHOD", typed, meant)


def test_blank_lines_are_ignored(agent):
    with agent.connect() as client:
        client.send(b'\n\r\n  \t \n{"command":"ping"}\n\n')
        assert client.receive()["type"] == "pong"
        assert client.call("echo")["type"] == "echo"


def test_refusals_keep_their_place_in_the_order(agent):
    with agent.connect() as client:
        client.send_request(**SLOW)
        client.send(b'nonsense\n{"command":"ping"}\n')
        assert [client.receive()["type"] for _ in range(3)] == ["gpio_test", "error", "pong"]


# Limits

def line_of(length):
    """An echo request of exactly `length` bytes, its newline not counted."""
    frame = b'{"command":"echo","a":""}'
    return frame[:-2] + b"a" * (length - len(frame)) + frame[-2:]


def test_a_line_of_the_limit_passes_and_one_byte_more_ends_the_connection(start_agent):
    agent = start_agent(config={"command": {"max_line": 100000}})
    with agent.connect() as client:
        assert len(client.exchange(line_of(100000))["echo"]["a"]) > 99000
        assert is_refused(client.exchange(line_of(100001)), "TOO_LARGE", "100000")
        assert client.is_at_end()
    assert agent.call({"command": "ping"})["type"] == "pong"


def test_an_over_long_line_is_refused_before_it_ends(start_agent):
    agent = start_agent(config={"command": {"max_line": 100000}})
    with agent.connect() as client:
        client.send(b"x" * 100003)
        assert is_refused(client.receive(), "TOO_LARGE")
        assert client.is_at_end()


def test_requests_before_an_over_long_line_are_answered_first(start_agent):
    agent = start_agent(config={"command": {"max_line": 100000}})
    with agent.connect() as client:
        client.send(json.dumps(SLOW).encode() + b"\n" + b"x" * 100003)
        assert client.receive()["type"] == "gpio_test"
        assert is_refused(client.receive(), "TOO_LARGE")
        assert client.is_at_end()


def test_the_default_limit_is_16_mib(agent):
    with agent.connect() as client:
        assert client.exchange(line_of(16 << 20))["type"] in ("echo", "error")
        assert client.call("ping")["type"] == "pong"
        assert is_refused(client.exchange(line_of((16 << 20) + 1)), "TOO_LARGE")
        assert client.is_at_end()


def test_before_authentication_a_line_has_64_kib(start_agent):
    agent = start_agent(config=TOKEN_MODE)
    with agent.connect() as client:
        assert is_refused(client.exchange(line_of(65536)), "UNAUTHORIZED")
        assert is_refused(client.exchange(line_of(65537)), "TOO_LARGE", "65536", "authenticat")
        assert client.is_at_end()
    with agent.connect() as client:
        assert client.call("auth", token=TOKEN)["success"] is True
        assert client.exchange(line_of(65537))["type"] == "echo"


def test_an_idle_connection_is_closed(start_agent):
    agent = start_agent(config={"command": {"idle_timeout": 1}})
    started = time.monotonic()
    with agent.connect() as idle, agent.connect() as halfway:
        halfway.send(b'{"command"')
        assert idle.is_at_end()
        assert halfway.is_at_end()
    assert 0.9 < time.monotonic() - started < 10


def test_a_connection_that_waits_for_its_reply_is_not_idle(start_agent):
    agent = start_agent(config={"command": {"idle_timeout": 1}})
    with agent.connect() as client:
        reply = client.call("gpio_test", pin=17, times=1, interval=1.2)
        assert reply["type"] == "gpio_test"


# Peers that behave badly

def test_a_peer_that_half_closes_still_gets_its_replies(agent):
    with agent.connect() as client:
        client.send(json.dumps(SLOW).encode() + b'\n{"command":"ping"}\n')
        client.half_close()
        assert [client.receive()["type"] for _ in range(2)] == ["gpio_test", "pong"]
        assert client.is_at_end()


def test_a_last_line_without_its_newline_counts(agent):
    with agent.connect() as client:
        client.send(b'{"command":"ping"}')
        client.half_close()
        assert client.receive()["type"] == "pong"
        assert client.is_at_end()


def test_a_peer_that_resets_harms_nobody(agent):
    for _ in range(20):
        client = agent.connect()
        client.send(json.dumps(SLOW).encode() + b"\n" + b'{"command":"list_commands"}\n' * 50)
        client.reset()
    assert agent.call({"command": "ping"})["type"] == "pong"


def test_a_peer_that_never_reads_delays_nobody(agent):
    with agent.connect() as greedy, agent.connect() as other:
        greedy.socket.setblocking(False)
        flood = b'{"command":"list_commands"}\n' * 1000
        sent = 0
        try:
            while sent < 64 << 20:
                sent += greedy.socket.send(flood)
        except BlockingIOError:
            pass
        started = time.monotonic()
        for _ in range(100):
            assert other.call("ping")["type"] == "pong"
        assert time.monotonic() - started < 10
        assert sent < 64 << 20, "the agent reads on although its replies are not read"


def test_silent_peers_delay_nobody(agent):
    silent = [agent.connect() for _ in range(200)]
    for client in silent:
        client.send(b'{"command":')
    assert agent.call({"command": "ping"})["type"] == "pong"
    for client in silent:
        client.send(b'"ping"}\n')
    for client in silent:
        assert client.receive()["type"] == "pong"
        client.close()


# The other ways in

def test_the_unix_socket_speaks_the_same_wire(agent):
    with agent.connect_unix() as client:
        assert client.call("ping")["type"] == "pong"
        assert is_refused(client.exchange(b"nonsense"), "BAD_JSON")
        client.send(json.dumps({**SLOW, "id": 1}).encode() + b'\n{"command":"ping","id":2}\n')
        assert [client.receive()["id"] for _ in range(2)] == [2, 1]


def test_on_the_unix_socket_the_kernel_vouches_for_the_agents_own_user(start_agent):
    agent = start_agent(config=TOKEN_MODE)
    with agent.connect_unix() as client:
        assert client.call("ping")["type"] == "pong"
    assert is_refused(agent.call({"command": "ping"}), "UNAUTHORIZED")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for localhost that is its own authority."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-noenc", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                    "-keyout", folder / "key.pem", "-out", folder / "certificate.pem"],
                   check=True, capture_output=True)
    return folder


def tls_agent(start_agent, certificate):
    return start_agent(tls=True, config={"tls": {"certificate": str(certificate / "certificate.pem"),
                                                 "key": str(certificate / "key.pem")}})


def test_tls_speaks_the_same_wire(start_agent, certificate):
    agent = tls_agent(start_agent, certificate)
    with connect_tls(agent.tls_port, certificate / "certificate.pem") as client:
        assert client.call("ping")["type"] == "pong"
        assert is_refused(client.exchange(b"nonsense"), "BAD_JSON")
        client.send(b'{"command":"ping"}\n' * 500)
        assert [client.receive()["type"] for _ in range(500)] == ["pong"] * 500
        reply = client.exchange(line_of(1 << 20))
        assert len(reply["echo"]["a"]) > 1000000


def test_plain_text_on_the_tls_port_is_turned_away(start_agent, certificate):
    agent = tls_agent(start_agent, certificate)
    with connect_tcp(agent.tls_port) as client:
        client.send(b'{"command":"ping"}\n')
        assert client.is_at_end()
    with connect_tls(agent.tls_port, certificate / "certificate.pem") as client:
        assert client.call("ping")["type"] == "pong"


# Starting and stopping

def test_a_port_of_zero_switches_the_listener_off(start_agent):
    agent = start_agent(arguments=["--port", "0"])
    with pytest.raises(ConnectionRefusedError):
        agent.connect()
    with agent.connect_unix() as client:
        assert client.call("ping")["type"] == "pong"


def test_flags_stand_over_the_file(start_agent):
    port = free_port()
    agent = start_agent(arguments=["--port", str(port)])
    with connect_tcp(port) as client:
        assert client.call("ping")["type"] == "pong"
    with pytest.raises(ConnectionRefusedError):
        agent.connect()


def test_check_config_names_the_sections_without_effect(tmp_path):
    path = tmp_path / "agent.yaml"
    path.write_text("lease: {ttl: 60}\ngpio: {backend: simulated}\n")
    done = subprocess.run([BUILD / "pifleet-agent", "--check-config", "--config", path],
                          capture_output=True, text=True, timeout=10, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"{path}: good", "the section `lease` is ignored: this release has no use for it"]


def test_a_port_that_is_taken_is_named(start_agent):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(DidNotStart) as failure:
            start_agent(arguments=["--port", str(port)])
    assert failure.value.status == 1
    assert str(port) in failure.value.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_answers_what_is_under_way_and_ends_connections(agent, number):
    with agent.connect() as busy, agent.connect() as idle:
        busy.send_request(**SLOW)
        assert idle.call("ping")["type"] == "pong"
        agent.process.send_signal(number)
        reply = busy.receive()
        assert reply["type"] in ("gpio_test", "error")
        assert busy.is_at_end()
        assert idle.is_at_end()
    assert agent.wait() == 0
    assert not agent.socket.exists()
    with pytest.raises(ConnectionRefusedError):
        agent.connect()


def test_a_stop_under_load_is_clean(agent):
    clients = [agent.connect() for _ in range(50)]
    for client in clients:
        client.send(b'{"command":"ping"}\n' * 200)
    assert clients[0].receive()["type"] == "pong"
    agent.process.send_signal(signal.SIGTERM)
    for client in clients:
        try:
            while True:
                assert client.receive()["type"] == "pong"
        except Closed:
            client.close()
    assert agent.wait() == 0


# What the agent counts

def test_connection_stats_counts_each_transport(agent):
    with agent.connect_unix() as local:
        all_before = local.call("connection_stats")
        with agent.connect() as tcp:
            tcp.call("ping")
            tcp.exchange(b"nonsense")
            local.call("ping")
            reply = tcp.call("connection_stats")
    before, counted = all_before["transports"]["tcp"], reply["transports"]["tcp"]
    assert (counted["connections"], counted["total_connections"]) == (
        1, before["total_connections"] + 1)
    assert (counted["requests"], counted["errors"]) == (before["requests"] + 2, 1)
    assert counted["bytes_received"] >= len(b'{"command":"ping"}\nnonsense\n')
    assert counted["bytes_sent"] > counted["bytes_received"]
    assert reply["transports"]["unix"]["connections"] == 1
    # Ours that asked before, two pings and the nonsense.
    assert reply["requests"] == all_before["requests"] + 4
    assert reply["commands"]["ping"]["calls"] == 2


def test_a_line_client_of_the_tests_notices_an_end():
    """The tool itself: what is_at_end() rests on."""
    here, there = socket.socketpair()
    with LineClient(here) as client:
        there.sendall(b'{"a":1}\nrest')
        there.close()
        assert client.receive() == {"a": 1}
        assert client.is_at_end()
