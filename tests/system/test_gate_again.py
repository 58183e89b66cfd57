"""Requests that come twice, because a client or the network says everything twice: the real agent
carries out each once."""

import json
import re
import struct

import pytest

from mqtt_bytes import (CONNACK, PUBACK, PUBLISH, PUBREC, Bytes, connect, packet, properties,
                        session, subscribe, text)
from test_gate_rpc import mqtt_port

PUBREL, PUBCOMP, SUBACK = 6, 7, 9
KEPT = {"clean": False, "expiry": 60}


def request(qos, number, command="led_on", duplicate=False):
    content = b"\x08" + text("pi/rpc/response/me") + b"\x09" + text("c-1")
    payload = json.dumps({"command": command, "pin": 17}).encode()
    return packet(PUBLISH, text("pi/rpc/request") + struct.pack(">H", number)
                  + properties(content) + payload, qos << 1 | (8 if duplicate else 0))


def carried_out(agent, command="led_on"):
    """How often. Hardware does one thing after the other, and what a round did is audited at its
    end: when two commands were answered that came later, all before them is in the log."""
    for _ in range(2):
        assert agent.call({"command": "led_on", "pin": 27})["success"]
    return len(re.findall(rf"audit: {command} outcome=ok .*transport=mqtt", agent.stderr()))


def follower(port):
    """Replies come with QoS 0."""
    me = session(port, "me", subscribe(1, "pi/rpc/response/me"), **KEPT)
    assert me.expect(SUBACK)[-1] == 0
    return me


def come_again(port):
    """Another connection of the same session."""
    me = Bytes(port, connect("me", **KEPT))
    assert me.expect(CONNACK)[:2] == b"\x01\x00"
    return me


def hear_both(me):
    """The PUBACK, and the reply beside it."""
    found = dict(me.hear()[::2] for _ in range(2))
    assert set(found) == {PUBACK, PUBLISH}
    return json.loads(found[PUBLISH][found[PUBLISH].index(b"{"):])


@pytest.mark.parametrize("qos", [1, 2])
def test_each_of_many_requests_is_carried_out_once_however_often_it_comes(agent, qos):
    port = mqtt_port(agent)
    with follower(port) as me:
        for number in range(1, 11):
            command = "led_on" if number % 2 else "led_off"
            me.say(request(qos, number, command),
                   *[request(qos, number, command, duplicate=True)] * 4)
            if qos == 2:
                for _ in range(5):
                    me.until(PUBREC)
                me.say(packet(PUBREL, struct.pack(">H", number), 2))
                me.until(PUBCOMP)
            else:
                for _ in range(5):
                    me.until(PUBACK)
    assert (carried_out(agent, "led_on"), carried_out(agent, "led_off")) == (5, 5)


def test_qos_1_whose_puback_was_lost_with_the_connection(agent):
    port = mqtt_port(agent)
    with follower(port) as me:
        me.say(request(1, 7))
        first = hear_both(me)
        me.vanish()
    with come_again(port) as me:
        me.say(request(1, 7, duplicate=True))
        assert hear_both(me) == first
        assert first["success"]
    assert carried_out(agent) == 1


def test_qos_2_whose_pubrec_was_lost_with_the_connection(agent):
    port = mqtt_port(agent)
    with follower(port) as me:
        me.say(request(2, 7))
        me.until(PUBREC)
        me.vanish()
    with come_again(port) as me:
        me.say(request(2, 7, duplicate=True))
        me.until(PUBREC)
        me.say(packet(PUBREL, struct.pack(">H", 7), 2))
        me.until(PUBCOMP)
    assert carried_out(agent) == 1


def test_a_repeat_whose_first_never_came_is_carried_out(agent):
    with follower(mqtt_port(agent)) as me:
        me.say(request(1, 7, duplicate=True))
        assert hear_both(me)["success"]
    assert carried_out(agent) == 1


def test_the_same_command_twice_is_carried_out_twice(agent):
    with follower(mqtt_port(agent)) as me:
        for _ in range(2):
            me.say(request(1, 7))
            assert hear_both(me)["success"]
    assert carried_out(agent) == 2
