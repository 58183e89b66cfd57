"""The agent's broker over TLS and over its Unix socket: who comes in as whom, certificates that
are read again, and peers that do not finish what they began."""

import contextlib
import json
import os
import queue
import re
import signal
import socket
import ssl
import subprocess
import time

import paho.mqtt.client as paho
import pytest

from agent_process import DidNotStart
from certificates import Authority, common_name
from ports import free_port
from test_gate_rpc import SECONDS, SECRETS, TOKENS, Client, mqtt_port

CONNECT = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a"
CONNACK = b"\x20\x02\x00\x00"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls"))


def tls_agent(start_agent, authority, **more):
    """One with a TLS port, whose certificate says "first"."""
    folder = authority.folder
    certificate, key = authority.sign("first")
    (folder / "in-use.pem").write_bytes(certificate.read_bytes())
    (folder / "in-use.key").write_bytes(key.read_bytes())
    agent = start_agent(config={"mqtt": {"tls_port": free_port()}, **more,
                                "tls": {"certificate": str(folder / "in-use.pem"),
                                        "key": str(folder / "in-use.key")}})
    agent.mqtt_tls_port = int(re.search(r"mqtts: listening address=127\.0\.0\.1:(\d+)",
                                        agent.stderr())[1])
    return agent


def replace(authority, name):
    certificate, key = authority.sign(name)
    (authority.folder / "in-use.pem").write_bytes(certificate.read_bytes())
    (authority.folder / "in-use.key").write_bytes(key.read_bytes())


def until_logged(agent, text):
    end = time.monotonic() + SECONDS
    while text not in agent.stderr():
        assert time.monotonic() < end
        time.sleep(0.01)


@contextlib.contextmanager
def handshaken(agent, authority):
    with socket.create_connection(("127.0.0.1", agent.mqtt_tls_port), timeout=SECONDS) as plain, \
            authority.context().wrap_socket(plain, server_hostname="localhost") as connection:
        yield connection


def mosquitto(program, agent, authority, *words):
    return subprocess.run([program, "-h", "localhost", "-p", str(agent.mqtt_tls_port), "--cafile",
                           authority.path, *words], capture_output=True, text=True,
                          timeout=SECONDS, check=False)


def test_commands_are_called_over_tls(start_agent, authority):
    agent = tls_agent(start_agent, authority)
    done = mosquitto("mosquitto_rr", agent, authority, "-V", "5", "-i", "me", "-t",
                     "pi/rpc/request", "-e", "pi/rpc/response/me", "-m", '{"command":"ping"}',
                     "-W", "10")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["type"] == "pong"
    status = agent.call({"command": "get_status"})["mqtt"]
    assert status["tls_port"] == agent.mqtt_tls_port


def test_a_client_that_trusts_somebody_else_does_not_connect(start_agent, authority, tmp_path):
    agent = tls_agent(start_agent, authority)
    done = mosquitto("mosquitto_pub", agent, Authority(tmp_path), "-t", "x", "-m", "y")
    assert done.returncode != 0
    assert "onnected" not in agent.stderr()


def test_passwords_count_over_tls_too(start_agent, authority):
    agent = tls_agent(start_agent, authority, **TOKENS)
    words = ["-t", "x", "-m", "y", "-q", "1"]
    good = ["-u", "operator", "-P", SECRETS["operator"]]
    assert mosquitto("mosquitto_pub", agent, authority, *words, *good).returncode == 0
    assert mosquitto("mosquitto_pub", agent, authority, *words).returncode != 0
    assert mosquitto("mosquitto_pub", agent, authority, *words, "-u", "operator", "-P",
                     "a wrong one").returncode != 0


def test_a_new_certificate_is_for_those_who_come_later(start_agent, authority):
    agent = tls_agent(start_agent, authority)
    with handshaken(agent, authority) as early:
        early.sendall(CONNECT)
        assert early.recv(4) == CONNACK
        # One that is in the middle of its handshake finishes with the old.
        with socket.create_connection(("127.0.0.1", agent.mqtt_tls_port),
                                      timeout=SECONDS) as halfway:
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            late = authority.context().wrap_bio(incoming, outgoing, server_hostname="localhost")
            with pytest.raises(ssl.SSLWantReadError):
                late.do_handshake()
            halfway.sendall(outgoing.read())
            incoming.write(halfway.recv(65536))
            replace(authority, "second")
            agent.process.send_signal(signal.SIGHUP)
            until_logged(agent, "tls: new certificate")
            while True:
                try:
                    late.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    incoming.write(halfway.recv(65536))
            halfway.sendall(outgoing.read())
            assert common_name(late) == "first"
        early.sendall(b"\xc0\x00")
        assert early.recv(2) == b"\xd0\x00"
        assert common_name(early) == "first"
    with handshaken(agent, authority) as later:
        assert common_name(later) == "second"


def test_a_certificate_that_has_expired_is_not_taken(start_agent, authority):
    agent = tls_agent(start_agent, authority)
    certificate, key = authority.sign("expired", expired=True)
    (authority.folder / "in-use.pem").write_bytes(certificate.read_bytes())
    (authority.folder / "in-use.key").write_bytes(key.read_bytes())
    agent.process.send_signal(signal.SIGHUP)
    until_logged(agent, "going on with the certificate of before")
    with handshaken(agent, authority) as connection:
        assert common_name(connection) == "first"


def test_many_who_begin_no_handshake_keep_nobody_out(start_agent, authority):
    agent = tls_agent(start_agent, authority)
    with contextlib.ExitStack() as idle:
        for _ in range(300):
            idle.enter_context(socket.create_connection(("127.0.0.1", agent.mqtt_tls_port),
                                                        timeout=SECONDS))
        with handshaken(agent, authority) as connection:
            connection.sendall(CONNECT)
            assert connection.recv(4) == CONNACK
        assert agent.call({"command": "ping"})["type"] == "pong"


def test_what_is_no_handshake_ends(start_agent, authority):
    agent = tls_agent(start_agent, authority)
    with socket.create_connection(("127.0.0.1", agent.mqtt_tls_port), timeout=SECONDS) as plain:
        plain.sendall(CONNECT)
        with contextlib.suppress(ConnectionResetError):
            while plain.recv(4096):
                pass  # an alert
    assert mosquitto("mosquitto_pub", agent, authority, "-t", "x", "-m", "y").returncode == 0


def test_without_a_certificate_there_is_no_tls(start_agent):
    with pytest.raises(DidNotStart, match=r"mqtt\.tls_port .* tls\.certificate"):
        start_agent(config={"mqtt": {"tls_port": free_port()}})


def test_a_certificate_that_cannot_be_read_stops_the_start(start_agent):
    with pytest.raises(DidNotStart, match="/nowhere"):
        start_agent(config={"mqtt": {"tls_port": free_port()},
                            "tls": {"certificate": "/nowhere.pem", "key": "/nowhere.key"}})


class LocalClient(paho.Client):
    """Over a Unix socket, which paho of Debian 12 does not know."""

    def __init__(self, path, **words):
        if hasattr(paho, "CallbackAPIVersion"):  # paho 2, in Debian 13
            words["callback_api_version"] = paho.CallbackAPIVersion.VERSION1
        self.path = str(path)
        super().__init__(client_id="local", **words)

    def _create_socket_connection(self):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self.path)
        return connection

    def _create_socket(self):
        return self._create_socket_connection()


def greeting_over(path, **credentials):
    client = LocalClient(path)
    greetings = queue.Queue()
    client.on_connect = lambda client, data, flags, code: greetings.put(code)
    if credentials:
        client.username_pw_set(**credentials)
    client.connect("local")
    client.loop_start()
    code = greetings.get(timeout=SECONDS)
    client.disconnect()
    client.loop_stop()
    return code


def test_on_the_unix_socket_the_kernel_says_who_comes(start_agent, tmp_path):
    path = tmp_path / "mqtt.sock"
    agent = start_agent(config={**TOKENS, "mqtt": {"socket": str(path)}})
    assert greeting_over(path) == 0
    who = "root" if os.geteuid() == 0 else "local"
    assert f'connected client="local" who="{who}" role=admin origin=unix:' in agent.stderr()
    # A password is one all the same.
    assert greeting_over(path, username="viewer", password=SECRETS["viewer"]) == 0
    assert greeting_over(path, username="viewer", password="a wrong one") != 0
    # Nobody vouches for those who come by TCP.
    refused = Client(mqtt_port(agent), "tcp", version=paho.MQTTv311)
    refused.leave()  # or it would come again and again, perhaps to another test's server
    assert refused.greeting == 5
    assert agent.call({"command": "get_status",
                       "token": SECRETS["viewer"]})["mqtt"]["socket"] == f"unix:{path}"
    assert agent.stop() == 0
    assert not path.exists()
