"""pifleet rpc: with an agent's part played by paho, and with the real agent."""

import hashlib
import json
import re
import signal
import threading

import paho.mqtt.client as paho
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from command_line import NO_CONNECTION, OK, REFUSED, SECONDS, Terminal, environment, needs_agent
from mqtt_command import Subscriber, mqtt, port


class Responder(paho.Client):
    """An agent's part of the conversation: `answer` makes the reply of a request."""

    def __init__(self, port, answer, topic="pi/rpc/request"):
        words = {"client_id": "responder", "protocol": paho.MQTTv5}
        if hasattr(paho, "CallbackAPIVersion"):  # paho 2, in Debian 13
            words["callback_api_version"] = paho.CallbackAPIVersion.VERSION1
        super().__init__(**words)
        self.requests, stands = [], threading.Event()

        def on_message(client, data, message):
            self.requests.append(message)
            for payload, correlation in answer(message):
                properties = Properties(PacketTypes.PUBLISH)
                properties.CorrelationData = correlation
                self.publish(message.properties.ResponseTopic, payload, 1, properties=properties)

        self.on_message = on_message
        self.on_subscribe = lambda *_: stands.set()
        self.connect("127.0.0.1", port)
        self.loop_start()
        self.subscribe(topic, 1)
        assert stands.wait(SECONDS)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.disconnect()
        self.loop_stop()


def replying(reply):
    return lambda message: [(json.dumps(reply), message.properties.CorrelationData)]


def test_an_rpc_goes_out_as_a_request_and_prints_its_reply(port):
    reply = {"success": True, "type": "echo", "timestamp": 1.5, "echo": {"a": [1]}}
    with Responder(port, replying(reply)) as responder:
        status, out, err = mqtt("rpc", "echo", "n=17", "t=two words", "l=[1,2]", "i=@-", "-i", "me",
                                "--timeout", "7.5", port=port, input=b"from a pipe")
    assert (status, err) == (OK, "")
    assert json.loads(out) == reply and out.count(b"\n") == 1
    request, = responder.requests
    assert json.loads(request.payload) == {"command": "echo", "n": 17, "t": "two words",
                                           "l": [1, 2], "i": "from a pipe"}
    assert request.qos == 1 and not request.retain
    assert re.fullmatch("pi/rpc/response/me/[0-9a-f]{8}", request.properties.ResponseTopic)
    assert len(request.properties.CorrelationData) == 16
    assert 0 < request.properties.MessageExpiryInterval <= 8


def test_an_agent_may_have_another_base_topic(port):
    with Responder(port, replying({"success": True, "n": 1}), "home/pi/rpc/request") as responder:
        assert mqtt("rpc", "x", "--text", "--topic", "home/pi", port=port) == (OK, b"n  1\n", "")
    assert responder.requests[0].properties.ResponseTopic.startswith("home/pi/rpc/response/")


def test_a_terminal_gets_a_readable_reply(port):
    with Responder(port, replying({"success": True, "uptime": 273840})):
        assert Terminal("rpc", "x", "--port", port, NO_COLOR="1").end() == (OK, "uptime  3d 4h\n")
        assert mqtt("rpc", "x", "--text", port=port) == (OK, b"uptime  3d 4h\n", "")


def test_a_refusal_is_the_agents_sentence_and_status_1(port):
    reply = {"success": False, "error": "unknown command `pnig`", "code": "NO_METHOD"}
    with Responder(port, replying(reply)):
        status, out, err = mqtt("rpc", "pnig", port=port)
    assert (status, json.loads(out)) == (REFUSED, reply)
    assert err == "pifleet: unknown command `pnig` (NO_METHOD)\n"


def test_only_the_message_with_our_correlation_is_the_reply(port):
    good = json.dumps({"success": True, "n": 1})

    def answer(message):
        ours = message.properties.CorrelationData
        return [("{}", b"x"), ("{}", ours + b"x"), ("{}", bytes(16)), (good, ours)]

    with Responder(port, answer):
        assert mqtt("rpc", "x", "--text", port=port) == (OK, b"n  1\n", "")


@pytest.mark.parametrize("payload", ["", "no json", "[1]", "\xff"])
def test_a_reply_that_is_none(port, payload):
    def answer(message):
        return [(payload.encode("latin-1"), message.properties.CorrelationData)]

    with Responder(port, answer):
        status, out, err = mqtt("rpc", "x", port=port)
    assert (status, out) == (NO_CONNECTION, b"")
    assert "what answers is not an agent" in err


def test_where_nobody_replies_it_is_told_at_once(port):
    status, _, err = mqtt("rpc", "ping", port=port)
    assert status == NO_CONNECTION
    assert "nobody has subscribed to pi/rpc/request" in err and "agent's broker" in err


# ---- a real agent ----


SECRETS = {name: f"the {name}'s secret" for name in ("viewer", "operator")}
TOKENS = {"access": {"mode": "token", "tokens": [
    {"name": name, "role": name,
     "hash": "blake2b:" + hashlib.blake2b(secret.encode(), digest_size=32).hexdigest()}
    for name, secret in SECRETS.items()]}}


def mqtt_port(agent):
    return int(re.search(r"mqtt: listening address=127\.0\.0\.1:(\d+)", agent.stderr()).group(1))


def shown_by(name):
    return {"environment": {"PIFLEET_TOKEN": SECRETS[name]}}


@needs_agent
def test_rpc_says_what_call_says(start_agent):
    agent = start_agent()
    port = mqtt_port(agent)
    for words in (["echo", "n=17", "t=two words"], ["led_on", "pin=17"], ["gpio_status", "pin=17"],
                  ["pnig"], ["led_on", "pin=99"]):
        over_mqtt, by_call = mqtt("rpc", *words, port=port), mqtt("call", *words, port=agent.port)
        assert over_mqtt[0] == by_call[0] and over_mqtt[2] == by_call[2]
        replies = [json.loads(out) for out in (over_mqtt[1], by_call[1])]
        for reply in replies:
            reply.pop("timestamp")
        assert replies[0] == replies[1]


@needs_agent
def test_a_large_request_and_its_reply(start_agent, tmp_path):
    agent = start_agent()
    (tmp_path / "text").write_text("x" * 500_000)
    status, out, err = mqtt("rpc", "echo", f"t=@{tmp_path}/text", port=mqtt_port(agent))
    assert (status, err) == (OK, "") and "x" * 500_000 in out.decode()


@needs_agent
def test_an_agents_topics(start_agent):
    port = mqtt_port(start_agent())
    assert mqtt("sub", "pi/status", "--count", "1", port=port) == (OK, b"online\n", "")
    status, _, err = mqtt("pub", "pi/status", "offline", port=port)
    assert status == REFUSED and "the broker refused the message: Not authorized (0x87)" in err
    status, _, err = mqtt("sub", "pi/rpc/response/somebody/#", port=port)
    assert status == REFUSED and "refused pi/rpc/response/somebody/#: Not authorized (0x87)" in err


@needs_agent
def test_an_agents_roles(start_agent):
    port = mqtt_port(start_agent(config=TOKENS))
    status, _, err = mqtt("rpc", "ping", port=port)
    assert status == REFUSED and "Not authorized (0x87)" in err and "Say who you are" in err
    status, _, err = mqtt("rpc", "ping", port=port, environment={"PIFLEET_TOKEN": "a guess"})
    assert status == REFUSED and "(0x87)" in err and "to an agent it is a token" in err
    assert mqtt("rpc", "ping", port=port, **shown_by("viewer"))[0] == OK
    status, _, err = mqtt("rpc", "led_on", "pin=17", port=port, **shown_by("viewer"))
    assert status == REFUSED and "FORBIDDEN" in err
    assert mqtt("rpc", "led_on", "pin=17", "--user", "operator", port=port,
                **shown_by("operator"))[0] == OK


@needs_agent
def test_an_agent_that_stops_is_waited_for(start_agent):
    agent = start_agent()
    follower = Subscriber("pi/status", port=mqtt_port(agent), greet=False)
    assert follower.line() == b"online\n"
    assert agent.stop() == 0
    assert follower.line() == b"offline\n"
    assert b"Server shutting down (0x8b). Trying again in" in follower.process.stderr.readline()
    assert follower.end(signal.SIGINT)[0] == -signal.SIGINT
