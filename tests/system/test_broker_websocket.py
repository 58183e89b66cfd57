"""pifleet-broker over HTTP: MQTT in WebSockets, and what is no such request.

paho has a WebSocket client of its own; mqtt.js plays its scenes over both (test_broker_mqttjs).
"""

import contextlib
import http.client
import socket
import subprocess

import pytest

from agent_process import BUILD
from broker_process import SECONDS, broker_process
from ports import hold_port
from test_broker_clients import Client

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
HANDSHAKE = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
             "Sec-WebSocket-Key": KEY, "Sec-WebSocket-Protocol": "mqtt"}


@pytest.fixture
def broker():
    with broker_process() as process:
        yield process


def ask(broker, path="/mqtt", host=None, **fields):
    """The status and the fields of an answer; underscores in names are hyphens."""
    connection = http.client.HTTPConnection("127.0.0.1", broker.http_port, timeout=SECONDS)
    connection.request("GET", path, headers={
        **({"Host": host} if host else {}),
        **{name.replace("_", "-"): value for name, value in fields.items()}})
    answer = connection.getresponse()
    connection.close()
    return answer.status, answer.headers


def handshake(**changes):
    fields = {name.replace("-", "_"): value for name, value in HANDSHAKE.items()}
    return {name: value for name, value in {**fields, **changes}.items() if value is not None}


@pytest.mark.parametrize("version", ["311", "5"])
@pytest.mark.parametrize("qos", range(3))
def test_paho_talks_over_websockets_to_clients_of_tcp(broker, version, qos):
    reader = Client(broker.port, "reader", version)
    reader.follow("t", 2)
    writer = Client(broker.http_port, "writer", version, websocket="/mqtt")
    writer.follow("back", 2)
    for payload in ("first", "x" * 100000, "last"):
        writer.tell("t", payload, qos=qos)
        assert reader.next() == ("t", payload, qos, False)
        reader.tell("back", payload, qos=qos)
        assert writer.next() == ("back", payload, qos, False)
    writer.leave()
    reader.leave()


def test_a_client_that_drops_its_websocket_leaves_its_will(broker):
    reader = Client(broker.port, "reader", "5")
    reader.follow("will")
    lost = Client(broker.http_port, "lost", "5", websocket="/mqtt",
                  will={"topic": "will", "payload": "gone"})
    lost.drop()
    assert reader.next() == ("will", "gone", 0, False)
    reader.leave()


def test_the_handshake_is_answered_as_the_standards_say(broker):
    status, fields = ask(broker, **handshake())
    assert status == 101
    assert fields["Sec-WebSocket-Accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert fields["Sec-WebSocket-Protocol"] == "mqtt"


@pytest.mark.parametrize("status, changes", [
    (404, {"path": "/"}),
    (404, {"path": "/mqtt/more"}),
    (426, {"Upgrade": None}),
    (426, {"Sec_WebSocket_Version": "8"}),
    (400, {"Sec_WebSocket_Key": "short"}),
    (400, {"Sec_WebSocket_Protocol": None}),
    (400, {"Sec_WebSocket_Protocol": "chat"}),
    # A page of somebody else, and a name that somebody else lets point here.
    (403, {"Origin": "http://evil.example"}),
    (403, {"Origin": "null"}),
    (403, {"Origin": "http://evil.example", "host": "evil.example"}),
])
def test_what_is_no_client_is_told_why(broker, status, changes):
    assert ask(broker, **handshake(**changes))[0] == status


def test_a_page_of_its_own_may_connect(broker):
    host = f"localhost:{broker.http_port}"
    assert ask(broker, **handshake(Origin=f"http://{host}", host=host))[0] == 101


def websocket(broker):
    """A socket that has shaken hands."""
    client = socket.create_connection(("127.0.0.1", broker.http_port), timeout=SECONDS)
    lines = [f"{name}: {value}\r\n" for name, value in HANDSHAKE.items()]
    client.sendall(f"GET /mqtt HTTP/1.1\r\nHost: localhost\r\n{''.join(lines)}\r\n".encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += client.recv(4096)
    return client


def frame(opcode, payload):
    """A frame of a client, masked with zeros."""
    return bytes((0x80 | opcode, 0x80 | len(payload), 0, 0, 0, 0)) + payload


def test_text_frames_end_the_connection(broker):
    with websocket(broker) as client:
        client.sendall(frame(1, b"a"))
        end = b""
        while piece := client.recv(4096):
            end += piece
    assert end == b"\x88\x02\x03\xeb"


def test_packets_and_frames_need_not_begin_together(broker):
    connect = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01a"
    with websocket(broker) as client:
        client.sendall(frame(2, connect[:5]) + frame(9, b"!") + frame(2, connect[5:] + b"\xc0"))
        client.sendall(frame(2, b"\x00\xc0\x00"))
        heard = b""
        while heard.count(b"\xd0\x00") < 2:
            heard += client.recv(4096)
    # A pong for the ping between, CONNACK and two PINGRESP, in frames as they come.
    assert b"\x8a\x01!" in heard
    assert b"\x20\x02\x00\x00" in heard


@contextlib.contextmanager
def taken_at(host):
    """A port that a server has there, and nobody at localhost's other address."""
    other = {"127.0.0.1": "::1", "::1": "127.0.0.1"}[host]
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    while True:
        with socket.create_server((host, 0), family=family) as taken:
            try:
                holder = hold_port(other, taken.getsockname()[1])
            except OSError:
                continue
            with holder:
                yield taken
                return


@pytest.mark.parametrize("option", ["-p", "-w"])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_port_that_somebody_has_is_an_error(option, host):
    """Also where only localhost's other address is taken: clients may call either."""
    with taken_at(host) as taken:
        ports = {"-p": "0", "-w": "0", option: str(taken.getsockname()[1])}
        ended = subprocess.run([BUILD / "pifleet-broker", *sum(ports.items(), ())],
                               stderr=subprocess.PIPE, text=True, timeout=SECONDS, check=False)
    assert ended.returncode == 1
    address = f"[{host}]" if ":" in host else host
    assert f"cannot listen at {address}:{ports[option]}" in ended.stderr
