"""Users of MQTT in the real agent: passwords, rules, a guest, new users while clients stay, and
what a flood of wrong passwords does to others. What each packet has to be is for the unit tests in
src/access/ and src/agent/gate/."""

import hashlib
import json
import multiprocessing
import pathlib
import re
import select
import signal
import statistics
import struct
import subprocess
import time

import pytest

from agent_process import BUILD
from mqtt_bytes import (CONNACK, CONNECT, PUBACK, SUBACK, Bytes, packet, properties, publish,
                        subscribe, subscriber, text)

SECRET = "battery staple"
PHASE_S = 2
PHASES = 2
WAITING = 400  # more than can wait to be verified


def fast_hash(secret):
    """Of the kind that costs nothing to verify."""
    return "blake2b:" + hashlib.blake2b(secret.encode(), digest_size=32).hexdigest()


@pytest.fixture(scope="module")
def slow_hash():
    """Of the kind that people's passwords have."""
    done = subprocess.run([BUILD / "pifleet", "passwd"], input=SECRET, capture_output=True,
                          text=True, check=True)
    return re.search(r"\$argon2id[^\"]+", done.stdout).group(0)


def users(*names, role="operator"):
    return [{"name": name, "role": role, "hash": fast_hash(f"the secret of {name}")}
            for name in names]


def login(name, user, secret):
    return packet(CONNECT, text("MQTT") + struct.pack(">BBH", 5, 0xc2, 0) + properties() +
                  text(name) + text(user) + text(secret))


def port_of(agent):
    return int(re.search(r"mqtt: listening address=127\.0\.0\.1:(\d+)", agent.stderr()).group(1))


def logged_in(port, name, user, secret=None):
    """A connection, or the reason why there is none."""
    client = Bytes(port, login(name, user, secret or f"the secret of {user}"))
    reason = client.expect(CONNACK)[1]
    return client if reason == 0 else reason


def acknowledged(client, topic, number=1):
    """The reason code of a PUBACK; 0: good."""
    client.say(publish(topic, b"x", qos=1, number=number))
    answer = client.until(PUBACK)
    return answer[2] if len(answer) > 2 else 0


def config(**mqtt):
    return {"access": {"mode": "token"}, "mqtt": {"port": 0, **mqtt}}


def test_users_rules_and_a_guest(start_agent, slow_hash):
    people = [{"name": "ann", "role": "operator", "hash": slow_hash}, *users("fred")]
    rules = [{"allow": "readwrite", "topic": "home/#"}, {"allow": "write", "topic": "of/%u"},
             {"role": "viewer", "deny": "read", "topic": "home/cellar"}]
    port = port_of(start_agent(config=config(users=people, acl=rules, guest="viewer")))
    ann = logged_in(port, "a", "ann", SECRET)
    assert logged_in(port, "b", "ann", "wrong") == 0x87
    assert logged_in(port, "b", "nobody", SECRET) == 0x87
    assert acknowledged(ann, "of/ann") in (0, 0x10)
    assert acknowledged(ann, "of/fred") == 0x87
    guest = subscriber(port, "g", "home/#")
    ann.say(publish("home/cellar", b"1"), publish("home/hall", b"2"))
    assert guest.expect(3).endswith(b"home/hall\x002")
    guest.say(subscribe(2, "home/cellar"))
    assert guest.expect(SUBACK)[-1] == 0x87
    assert acknowledged(guest, "home/hall") == 0x87


def test_users_and_rules_are_read_again_and_nobody_is_dropped(start_agent):
    agent = start_agent(config=config(users=users("fred", "gina")))
    port = port_of(agent)
    fred, gina = logged_in(port, "f", "fred"), logged_in(port, "g", "gina")
    gina.say(subscribe(1, "+"))
    assert gina.expect(SUBACK)[-1] == 0
    assert acknowledged(fred, "a") == 0
    assert gina.expect(3).endswith(b"a\x00x")

    def read_again(**mqtt):
        path = agent.directory / "agent.yaml"
        whole = json.loads(path.read_text())
        whole["mqtt"] = {"port": 0, **mqtt}
        path.write_text(json.dumps(whole))
        lines = agent.stderr().count("users and rules")
        agent.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 20
        while agent.stderr().count("users and rules") == lines:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    read_again(users=users("fred", "gina"), acl=[{"allow": "write", "topic": "#"}])
    assert acknowledged(fred, "b") in (0, 0x10)
    read_again(users=users("gina"))
    assert acknowledged(fred, "c") == 0x87
    assert logged_in(port, "h", "fred") == 0x87
    read_again(users=[{"name": "gina", "role": "nonsense"}])
    assert "going on with the users and rules of before" in agent.stderr()
    read_again(users=users("fred", "gina"))
    assert acknowledged(fred, "d") == 0
    assert gina.expect(3).endswith(b"d\x00x")


def test_they_are_read_again_by_a_command_that_says_what_is_wrong(start_agent):
    agent = start_agent(config=config(users=[*users("fred"),
                                             {**users("gina")[0], "role": "admin"}]))
    port = port_of(agent)
    fred, gina = logged_in(port, "f", "fred"), logged_in(port, "g", "gina")
    gina.say(subscribe(1, "pi/rpc/response/g"))
    assert gina.expect(SUBACK)[-1] == 0
    path = agent.directory / "agent.yaml"
    whole = json.loads(path.read_text())

    def reload(client=gina):
        client.say(publish("pi/rpc/request", b'{"command":"config.reload","reply":true}'))
        return json.loads(client.expect(3).split(b"pi/rpc/response/g\0", 1)[1])

    whole["mqtt"]["acl"] = [{"deny": "write", "topic": "b"}]
    path.write_text(json.dumps(whole))
    assert acknowledged(fred, "b") in (0, 0x10)
    assert reload()["success"] is True
    assert acknowledged(fred, "b") == 0x87
    path.write_text(json.dumps({**whole, "mqtt": {"users": 7}}))
    answer = reload()
    assert answer["code"] == "BAD_VALUE" and "mqtt.users" in answer["error"]
    assert acknowledged(fred, "b") == 0x87
    # The one who asks may be the one who goes.
    whole["mqtt"]["users"] = users("fred")
    path.write_text(json.dumps(whole))
    gina.say(publish("pi/rpc/request", b'{"command":"config.reload"}', qos=1, number=9))
    gina.until(4)
    assert acknowledged(gina, "c") == 0x87
    assert acknowledged(fred, "b") == 0x87


def flood(port, user, seconds, counts):
    """Wrong passwords from many addresses, as many as go, for so long."""
    end = time.monotonic() + seconds
    waiting = {}
    while time.monotonic() < end:
        while len(waiting) < WAITING:
            client = Bytes(port, login("", user, "a wrong one"))
            waiting[client.socket] = client
        for one in select.select(list(waiting), [], [], 60)[0]:
            with waiting.pop(one) as client:
                counts[client.expect(CONNACK)[1]] += 1
    for client in waiting.values():
        client.close()


def waited(agent):
    """Seconds for which the agent's loop, or this thread, could have run and had no processor."""
    files = (f"/proc/{agent.process.pid}/schedstat", "/proc/thread-self/schedstat")
    return sum(int(pathlib.Path(name).read_text().split()[1]) for name in files) / 1e9


def round_trips(agent, client, seconds):
    """How long each acknowledgement took, without what the machine had no time for."""
    end = time.monotonic() + seconds
    taken = []
    while time.monotonic() < end:
        before, begin = waited(agent), time.monotonic()
        assert acknowledged(client, "t") in (0, 0x10)
        took = time.monotonic() - begin
        taken.append(max(0, took - (waited(agent) - before)))
    return taken


def flooded(agent, client, user):
    """Round trips beside a flood; how many were refused and how many were put off."""
    counts = multiprocessing.Array("i", 0x100)
    other = multiprocessing.get_context("fork").Process(
        target=flood, args=(port_of(agent), user, PHASE_S, counts))
    other.start()
    taken = round_trips(agent, client, PHASE_S)
    other.join(60)
    assert other.exitcode == 0
    return taken, counts[0x87], counts[0x89]


def late(taken, bound):
    return sum(one > bound for one in taken) / len(taken)


def test_a_flood_of_wrong_passwords_delays_no_acknowledgement(start_agent, slow_hash):
    """Were hashes verified in the broker's thread, nearly each round trip would take as long as
    one, or more. Thousands of connections cost what they cost: a flood of passwords that are
    compared at once tells how much."""
    people = [{"name": "ann", "role": "operator", "hash": slow_hash}, *users("fred", "gina")]
    agent = start_agent(config=config(users=people))
    port = port_of(agent)
    begin = time.monotonic()
    logged_in(port, "a", "ann", SECRET).close()
    hash_s = time.monotonic() - begin
    fred = logged_in(port, "f", "fred")
    quiet, fast, slow, refused, put_off = round_trips(agent, fred, PHASE_S), [], [], 0, 0
    for _ in range(PHASES):
        fast += flooded(agent, fred, "gina")[0]
        taken, more_refused, more_put_off = flooded(agent, fred, "ann")
        slow, refused, put_off = slow + taken, refused + more_refused, put_off + more_put_off
    assert refused > 0 and refused + put_off > 1000, (refused, put_off)
    late_fast, late_slow = late(fast, hash_s / 2), late(slow, hash_s / 2)
    print(f"hash {hash_s * 1e3:.1f} ms; refused {refused} and put off {put_off}; round trips "
          f"{len(quiet)} in quiet, {len(fast)} and {len(slow)}, their medians "
          f"{statistics.median(quiet) * 1e6:.0f}, {statistics.median(fast) * 1e6:.0f} and "
          f"{statistics.median(slow) * 1e6:.0f} us, late {late_fast:.4f} and {late_slow:.4f}")
    assert late_slow <= late_fast + 0.1
    # And who has the right one comes in as soon as it is over.
    deadline = time.monotonic() + 60
    while logged_in(port, "a", "ann", SECRET) == 0x89:
        assert time.monotonic() < deadline
