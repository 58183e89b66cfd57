"""The real agent's MQTT broker: commands by request and response, logins, who may do what.

The clients are paho and mosquitto's programs. What each packet has to be is for the unit
tests in src/agent/gate/ and src/mqtt/.
"""

import contextlib
import hashlib
import json
import queue
import re
import signal
import socket
import subprocess
import threading
import time

import paho.mqtt.client as paho
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from agent_process import BUILD, DidNotStart

SECONDS = 20
GUESSES = 8
REQUEST = "pi/rpc/request"
SECRETS = {"viewer": "the viewer's secret", "operator": "the operator's secret",
           "admin": "the admin's secret"}


def token_hash(secret):
    """As `pifleet passwd` would, but of the fast kind, which any secret may have."""
    return "blake2b:" + hashlib.blake2b(secret.encode(), digest_size=32).hexdigest()


TOKENS = {"access": {"mode": "token",
                     "tokens": [{"name": name, "role": name, "hash": token_hash(secret)}
                                for name, secret in SECRETS.items()]}}


def mqtt_port(agent):
    return int(re.search(r"mqtt: listening address=127\.0\.0\.1:(\d+)", agent.stderr()).group(1))


def properties_of(packet, **values):
    properties = Properties(packet)
    for name, value in values.items():
        setattr(properties, name, value)
    return properties


class Client(paho.Client):
    """A paho client with a thread of its own, whose messages and answers can be waited for."""

    def __init__(self, port, name, version=paho.MQTTv5, user=None, password=None):
        words = {"client_id": name, "protocol": version}
        if hasattr(paho, "CallbackAPIVersion"):  # paho 2, in Debian 13
            words["callback_api_version"] = paho.CallbackAPIVersion.VERSION1
        super().__init__(**words)
        self.name, self.version = name, version
        self.messages, self.answers = queue.Queue(), queue.Queue()
        self.greetings, self.farewells = queue.Queue(), queue.Queue()
        self.on_message = lambda client, data, message: self.messages.put(message)
        self.on_subscribe = lambda client, data, mid, codes, *rest: self.answers.put(codes)
        self.on_connect = lambda client, data, flags, code, *rest: self.greetings.put(code)
        self.on_disconnect = lambda client, data, code, *rest: self.farewells.put(code)
        if user is not None:
            self.username_pw_set(user, password)
        self.connect("127.0.0.1", port)
        self.loop_start()
        self.greeting = reason(self.greetings.get(timeout=SECONDS))

    def follow(self, topic, qos=0):
        """Subscribes; the reason code."""
        self.subscribe(topic, qos)
        return reason(self.answers.get(timeout=SECONDS)[0])

    def follow_replies(self, qos=0):
        assert self.follow(f"pi/rpc/response/{self.name}/#", qos) == qos

    def ask(self, request, correlation=b"", topic=None, qos=0, **properties):
        """Sends a request that wants its reply at `topic`, by default one of its own."""
        if not isinstance(request, (bytes, str)):
            request = json.dumps(request)
        properties["ResponseTopic"] = topic or f"pi/rpc/response/{self.name}"
        if correlation:
            properties["CorrelationData"] = correlation
        return self.publish(REQUEST, request, qos,
                            properties=properties_of(PacketTypes.PUBLISH, **properties))

    def reply(self):
        message = self.messages.get(timeout=SECONDS)
        return json.loads(message.payload)

    def call(self, command, **arguments):
        self.ask({"command": command, **arguments})
        return self.reply()

    def leave(self):
        self.disconnect()
        self.loop_stop()


def reason(code):
    """A number, whatever paho's version makes of it."""
    return getattr(code, "value", code)


@contextlib.contextmanager
def client(agent, name="me", **words):
    made = Client(mqtt_port(agent), name, **words)
    try:
        yield made
    finally:
        made.leave()


def user(name):
    return {"user": name, "password": SECRETS[name]}


@pytest.mark.parametrize("qos", ["0", "1", "2"])
def test_mosquitto_rr_gets_the_reply_of_the_command_server(agent, qos):
    done = subprocess.run(["mosquitto_rr", "-p", str(mqtt_port(agent)), "-V", "5", "-i", "me", "-q",
                           qos, "-t", REQUEST, "-e", "pi/rpc/response/me/1", "-m",
                           '{"command":"echo","text":"ü","id":7}', "-W", "10"],
                          capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    reply = json.loads(done.stdout)
    expected = agent.call({"command": "echo", "text": "ü", "id": 7})
    assert list(reply) == list(expected)
    del reply["timestamp"], expected["timestamp"]
    assert reply == expected
    assert done.stdout.count("\n") == 1  # mosquitto_rr's own


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_correlation_data_comes_back_byte_for_byte(agent, qos):
    with client(agent) as me:
        me.follow_replies(qos=2)
        me.ask({"command": "ping"}, bytes(range(256)), "pi/rpc/response/me/a/b", qos)
        message = me.messages.get(timeout=SECONDS)
        assert message.topic == "pi/rpc/response/me/a/b"
        assert message.properties.CorrelationData == bytes(range(256))
        assert message.qos == min(qos, 1)
        assert not message.retain
        assert json.loads(message.payload)["type"] == "pong"


def test_a_client_of_3_1_1_says_in_the_payload_that_it_waits(agent):
    with client(agent, version=paho.MQTTv311) as me:
        assert me.follow("pi/rpc/response/me") == 0
        me.publish(REQUEST, '{"command":"ping","id":1}')  # which nobody answers
        me.publish(REQUEST, '{"command":"ping","id":"c-2","reply":true}', 1)
        message = me.messages.get(timeout=SECONDS)
        assert message.topic == "pi/rpc/response/me"
        assert json.loads(message.payload)["id"] == "c-2"


def test_the_hardware_is_driven_and_audited(agent):
    with client(agent) as me:
        me.follow_replies()
        assert me.call("led_on", pin=17)["success"]
    assert agent.call({"command": "gpio_status", "pin": 17})["pins"]["17"]["value"] == 1
    assert re.search(r"audit: led_on outcome=ok .*transport=mqtt origin=127\.0\.0\.1:",
                     agent.stderr())


def test_status_says_where_it_listens_and_who_is_there(agent):
    with client(agent) as me:
        me.follow_replies()
        me.call("ping")
        mqtt = agent.call({"command": "get_status"})["mqtt"]
        assert mqtt["listening"] and mqtt["port"] == mqtt_port(agent)
        assert (mqtt["clients"], mqtt["subscriptions"]) == (1, 1)
        counts = agent.call({"command": "connection_stats"})["transports"]["mqtt"]
        assert (counts["connections"], counts["requests"]) == (1, 1)
        assert counts["bytes_sent"] > 0


# Who is there.

def test_users_come_in_with_their_tokens(start_agent):
    agent = start_agent(config=TOKENS)
    for name in SECRETS:
        with client(agent, name, **user(name)) as me:
            assert me.greeting == 0
            me.follow_replies()
            auth = me.call("auth")
            assert (auth["role"], auth["name"]) == (name, name)
    assert 'connected client="admin" who="admin" role=admin' in agent.stderr()
    # No client writes members of the line for us.
    with client(agent, 'x" who="root" role=admin origin="1.2.3.4', **user("viewer")):
        pass
    assert 'connected client="x? who=?root? role=admin origin=?1.2.3.4" who="viewer"' in \
        agent.stderr()
    for secret in SECRETS.values():
        assert secret not in agent.stderr()


@pytest.mark.parametrize("version, refused", [(paho.MQTTv5, 0x87), (paho.MQTTv311, 5)])
def test_nobody_else_does(start_agent, version, refused):
    agent = start_agent(config=TOKENS)
    for words in [{"user": "admin", "password": "nonsense at all"},
                  {"user": "admin", "password": SECRETS["viewer"]}, {"user": "admin"}, {}]:
        with client(agent, version=version, **words) as me:
            assert me.greeting == refused
    # Guessing is slowed down, here and at the command server together.
    for _ in range(3):
        assert agent.call({"command": "auth", "token": "another guess"})["success"] is False
    # The waits double from half a second on: who is slow finds one that is long enough.
    for _ in range(GUESSES):
        with client(agent, version=version, user="admin", password="nonsense at all") as me:
            if me.greeting != refused:
                break
    assert me.greeting == (0x89 if version == paho.MQTTv5 else 3)


def test_a_secret_that_a_person_chose_is_verified_off_the_loop(start_agent):
    passwd = subprocess.run([BUILD / "pifleet", "passwd"], input="a slow secret\n",
                            capture_output=True, text=True, check=False, timeout=SECONDS)
    assert passwd.returncode == 0, passwd.stderr
    hashed = re.search(r"\$argon2id\S+", passwd.stdout).group(0).strip('"')
    agent = start_agent(config={"access": {"mode": "token", "tokens": [
        {"name": "ann", "role": "operator", "hash": hashed}]}})
    with client(agent, user="ann", password="a slow secret") as me:
        assert me.greeting == 0
        me.follow_replies()
        assert me.call("auth")["name"] == "ann"
    with client(agent, user="ann", password="a slow guess") as me:
        assert me.greeting == 0x87


def test_roles_hold(start_agent):
    agent = start_agent(config=TOKENS)
    with client(agent, "viewer", **user("viewer")) as viewer, \
            client(agent, "operator", **user("operator")) as operator:
        viewer.follow_replies()
        operator.follow_replies()
        assert viewer.call("ping")["success"]
        assert viewer.call("led_on", pin=17)["code"] == "FORBIDDEN"
        assert operator.call("led_on", pin=17)["success"]
        assert operator.call("restart_pi")["code"] == "FORBIDDEN"
        # A token in a request makes nobody somebody else.
        viewer.ask({"command": "led_on", "pin": 17, "token": SECRETS["operator"]})
        assert viewer.reply()["code"] == "FORBIDDEN"


def acknowledged(sender, topic, payload="x", **words):
    """The reason code of the PUBACK, which paho's callbacks don't tell in all of its versions."""
    codes = queue.Queue()
    original = sender._handle_pubackcomp  # pylint: disable=protected-access

    def handle(name):
        packet = bytes(sender._in_packet["packet"])  # pylint: disable=protected-access
        codes.put(packet[2] if len(packet) > 2 else 0)
        return original(name)
    sender._handle_pubackcomp = handle  # pylint: disable=protected-access
    sender.publish(topic, payload, 1, **words)
    try:
        return codes.get(timeout=SECONDS)
    finally:
        del sender._handle_pubackcomp


def test_topics_of_ours_are_read_and_not_written(start_agent):
    agent = start_agent(config=TOKENS)
    with client(agent, "operator", **user("operator")) as operator, \
            client(agent, "viewer", **user("viewer")) as viewer:
        assert viewer.follow("pi/status") == 0
        assert viewer.messages.get(timeout=SECONDS).payload == b"online"
        for topic in ["pi/status", "pi/rpc/response/viewer", "pi/gpio/17/set", "pi/rpc/request/a/b",
                      "$SYS/x"]:
            assert acknowledged(operator, topic) == 0x87
        assert acknowledged(operator, "our/own") in (0, 0x10)
        assert acknowledged(viewer, "our/own") == 0x87
        assert viewer.follow("pi/rpc/request") == 0x87
        assert viewer.follow("pi/rpc/response/operator") == 0x87
        assert viewer.follow("pi/rpc/response/#") == 0x87
        # All that one may read, and no more, is behind a wide filter.
        assert viewer.follow("#") == 0
        operator.follow_replies()
        operator.call("ping")
        acknowledged(operator, "our/own", "seen")
        seen = []
        while not seen or seen[-1] != "our/own":
            seen.append(viewer.messages.get(timeout=SECONDS).topic)
        assert set(seen) == {"pi/status", "our/own"}


def test_a_reply_goes_nowhere_but_to_its_client(agent):
    with client(agent) as me:
        me.follow_replies()
        before = agent.call({"command": "connection_stats"})["commands"]
        for topic in ["pi/rpc/response/other", "pi/gpio/17/set", "pi/rpc/request"]:
            properties = properties_of(PacketTypes.PUBLISH, ResponseTopic=topic)
            assert acknowledged(me, REQUEST, '{"command":"echo"}', properties=properties) == 0x87
        assert acknowledged(me, REQUEST, '{"command":"echo"}', retain=True) == 0x87
        after = agent.call({"command": "connection_stats"})["commands"]
        assert "echo" not in before and "echo" not in after
        assert me.follow("our/answers") == 0
        me.ask({"command": "echo"}, topic="our/answers")
        assert me.messages.get(timeout=SECONDS).topic == "our/answers"
    assert "request denied" in agent.stderr()


def test_a_retained_request_is_not_there_for_the_next_agent_or_subscriber(agent):
    with client(agent, "admin") as admin:
        admin.publish(REQUEST, '{"command":"echo"}', 1, retain=True).wait_for_publish(SECONDS)
        assert admin.follow(REQUEST) == 0
        admin.publish(REQUEST, '{"command":"ping"}')
        message = admin.messages.get(timeout=SECONDS)
        assert (message.payload, message.retain) == (b'{"command":"ping"}', 0)


def test_message_expiry(agent):
    with client(agent) as me:
        me.follow_replies()
        me.ask({"command": "echo", "id": 1}, MessageExpiryInterval=0)
        reply = me.reply()
        assert (reply["id"], reply["code"]) == (1, "EXPIRED")
        me.ask({"command": "echo", "id": 2}, MessageExpiryInterval=5)
        assert me.reply()["success"]


# What may come.

HOSTILE = [b"", b"{", b"\xff\xfe", b"null", b"[]", b"7", b'"x"', b"{}", b'{"command":null}',
           b'{"command":"\\u0000"}', b'{"command":"ping"}{', b"[" * 100000, b'{"a":' * 1000,
           b'{"command":"echo","x":1e999}', b'{"command":"echo","id":{}}',
           b'{"command":"nonsense"}',
           b'{"command":"ping","command":"ping"}', b'{"method":[]}', b'{"method":"on","device":{}}',
           b'{"command":"echo","token":[]}', b'{"reply":true}', b"\x00" * 1000]


def test_hostile_payloads_get_a_refusal_and_harm_nobody(agent):
    with client(agent) as me, client(agent, "other") as other:
        me.follow_replies()
        other.follow_replies()
        for payload in HOSTILE:
            me.ask(payload)
            reply = me.reply()
            assert reply.get("success") is False or reply.get("ok") is False, payload
            if b"reply" not in payload:
                me.publish(REQUEST, payload)  # and for nobody
        assert me.call("ping")["type"] == "pong"
        assert other.call("ping")["type"] == "pong"


def test_methods_have_their_envelope_and_no_devices_yet(agent):
    with client(agent) as me:
        me.follow_replies()
        me.ask({"v": 1, "id": "c1-42", "device": "led1", "method": "on"})
        reply = me.reply()
        assert (reply["v"], reply["id"], reply["ok"]) == (1, "c1-42", False)
        assert reply["error"]["code"] == "NO_DEVICE" and reply["error"]["number"] == 4040
        assert reply["error"]["type"] == "GPIOZeroError"


def test_a_method_without_a_device_is_the_command_of_that_name(agent):
    with client(agent) as me:
        me.follow_replies()
        me.ask({"v": 1, "id": 7, "method": "ping", "params": {}})
        reply = me.reply()
        assert (reply["v"], reply["id"], reply["ok"]) == (1, 7, True)
        assert reply["result"]["type"] == "pong" and reply["result"]["uptime"] >= 0
        me.ask({"method": "led_on", "params": {"pin": 17}})
        assert me.reply()["result"]["pin"] == 17
        me.ask({"method": "led_on", "params": {"pin": 999}, "id": "far"})
        reply = me.reply()
        assert reply["id"] == "far" and reply["ok"] is False
        assert reply["error"]["code"] in ("BAD_PARAMS", "NO_PIN") and reply["error"]["message"]
        me.ask({"method": "list_command"})
        error = me.reply()["error"]
        assert (error["code"], error["number"]) == ("NO_METHOD", 4041)
        assert "list_commands" in error["message"]


def test_a_packet_and_a_payload_have_bounds(start_agent):
    agent = start_agent(config={"command": {"max_line": 2048}, "mqtt": {"packet_bytes": 8192}})
    with client(agent) as me:
        me.follow_replies()
        me.ask({"command": "echo", "x": "y" * 4096})
        assert me.reply()["code"] == "TOO_LARGE"
        me.ask({"command": "echo", "x": "y" * 16384})
        # paho 2 knows no reason (None) for a connection that ends while it writes.
        assert reason(me.farewells.get(timeout=SECONDS)) in (0x95, 1, 7, None)


def test_64_requests_of_one_client_are_in_flight_at_once(agent):
    with client(agent) as me:
        me.follow_replies(qos=1)
        began = time.monotonic()
        for number in range(64):
            me.ask({"command": "gpio_test", "pin": number % 2 + 20, "times": 1, "interval": 2,
                    "id": number} if
                   number < 2 else {"command": "echo", "id": number, "n": number},
                   str(number).encode(), f"pi/rpc/response/me/{number}", qos=1)
        replies = {}
        while len(replies) < 64:
            message = me.messages.get(timeout=SECONDS)
            reply = json.loads(message.payload)
            assert message.topic == f"pi/rpc/response/me/{reply['id']}"
            assert message.properties.CorrelationData == str(reply["id"]).encode()
            replies[reply["id"]] = reply
        # The slow ones were overtaken, and nobody waited for them in turn.
        assert list(replies)[-2:] in ([0, 1], [1, 0])
        assert time.monotonic() - began < SECONDS
        assert all(replies[number]["echo"]["n"] == number for number in range(2, 64))


def test_a_client_that_goes_before_its_reply_harms_nobody(agent):
    for _ in range(20):
        me = Client(mqtt_port(agent), "me")
        me.ask({"command": "gpio_test", "pin": 22, "times": 1}, qos=1)
        me.loop_stop()
        me.socket().close()
    with client(agent, "other") as other:
        other.follow_replies()
        assert other.call("ping")["success"]
        assert agent.call({"command": "get_status"})["mqtt"]["clients"] == 1


def test_many_clients_ask_at_once(agent):
    def work(number):
        with client(agent, f"client{number}") as me:
            me.follow_replies()
            for turn in range(20):
                reply = me.call("echo", n=number * 1000 + turn)
                assert reply["echo"]["n"] == number * 1000 + turn
            done.append(number)
    done = []
    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert len(done) == 16


# Beginning and end.

def test_an_agent_that_ends_says_so_and_answers_what_is_under_way(start_agent):
    agent = start_agent(arguments=["--log-level", "debug"])
    with client(agent) as me:
        assert me.follow("pi/status", 1) == 1
        assert me.messages.get(timeout=SECONDS).payload == b"online"
        me.follow_replies()
        # Longer than any test takes to say that it is to end.
        me.ask({"command": "gpio_test", "pin": 23, "times": 50, "id": "under way"}, qos=1)
        me.call("ping")
        agent.process.send_signal(signal.SIGTERM)
        said = [me.messages.get(timeout=SECONDS) for _ in range(2)]
        assert said[0].payload == b"offline" and said[0].topic == "pi/status"
        assert json.loads(said[1].payload)["id"] == "under way"
        me.farewells.get(timeout=SECONDS)
    assert agent.wait() == 0
    assert 'disconnected client="me" reason=0x8b' in agent.stderr()


def test_clients_that_do_not_go_hold_up_no_end(start_agent):
    agent = start_agent()
    sockets = []
    for number in range(5):
        silent = socket.create_connection(("127.0.0.1", mqtt_port(agent)))
        silent.sendall(b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x01" +
                       str(number).encode() if number else b"\x10")
        sockets.append(silent)
    assert sockets[1].recv(4)[0] == 0x20
    began = time.monotonic()
    assert agent.stop() == 0
    assert time.monotonic() - began < 10
    for silent in sockets:
        silent.close()


def test_a_port_that_is_in_use_costs_mqtt_and_nothing_else(start_agent):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        agent = start_agent(config={"mqtt": {"port": port}})
        status = agent.call({"command": "get_status"})
        assert status["mqtt"]["listening"] is False and "port" not in status["mqtt"]
        assert re.search(rf"error mqtt: cannot listen on 127\.0\.0\.1:{port}: another program does "
                         r"already, such as mosquitto; .*mqtt\.port", agent.stderr())


def test_mqtt_can_be_off(start_agent):
    agent = start_agent(config={"mqtt": {"enabled": False}})
    assert "mqtt" not in agent.call({"command": "get_status"})
    assert "mqtt:" not in agent.stderr()
    flagged = start_agent(config={"mqtt": {"enabled": False}}, arguments=["--mqtt-port", "0"])
    assert flagged.call({"command": "get_status"})["mqtt"]["listening"]


def test_another_base_topic(start_agent):
    agent = start_agent(config={"mqtt": {"topic": "home/pi"}})
    with client(agent) as me:
        assert me.follow("home/pi/status") == 0
        assert me.messages.get(timeout=SECONDS).topic == "home/pi/status"
        assert me.follow("home/pi/rpc/response/me") == 0
        me.publish("home/pi/rpc/request", '{"command":"ping","reply":true}')
        assert me.messages.get(timeout=SECONDS).topic == "home/pi/rpc/response/me"


def test_an_open_agent_is_not_served_to_the_network(start_agent):
    with pytest.raises(DidNotStart) as failure:
        start_agent(config={"mqtt": {"host": "0.0.0.0"}})
    assert "allow_open_network" in failure.value.stderr
