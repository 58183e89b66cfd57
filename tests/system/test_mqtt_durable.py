"""What of MQTT survives the agent's end: sessions, what waits in them, retained messages.

Which record of the journal does what, and power cuts, are for the tests of src/mqtt and
src/store.
"""

import os
import signal
import subprocess
import time

from paho.mqtt.packettypes import PacketTypes

from test_gate_rpc import SECONDS, Client, mqtt_port, properties_of
from test_handlers_disk import fixture_small_disk, needs_root  # noqa: F401 (a fixture)

FOREVER = 0xffffffff


class Durable(Client):
    """One whose session stays, and that waits for what it publishes."""

    def __init__(self, agent, name, clean=False):
        self.clean = clean
        self.resumed = None
        super().__init__(mqtt_port(agent), name)

    def connect(self, host, port):
        """As paho's, and the session is to stay."""
        greet = self.on_connect

        def on_connect(client, data, flags, code, *rest):
            self.resumed = bool(flags["session present"] if isinstance(flags, dict)
                                else flags.session_present)
            greet(client, data, flags, code, *rest)

        self.on_connect = on_connect
        super().connect(host, port, clean_start=self.clean, properties=properties_of(
            PacketTypes.CONNECT, SessionExpiryInterval=FOREVER))

    def put(self, topic, payload, qos=1, retain=False):
        """Returns once it is acknowledged."""
        sent = self.publish(topic, payload, qos, retain)
        sent.wait_for_publish(SECONDS)
        assert sent.is_published()

    def next(self):
        message = self.messages.get(timeout=SECONDS)
        return message.topic, message.payload.decode(), message.retain


def retained(agent, topic):
    """What a new client gets at once; None: nothing."""
    client = Client(mqtt_port(agent), "onlooker")
    client.follow(topic)
    client.follow("pi/status")
    message = client.messages.get(timeout=SECONDS)
    client.leave()
    return None if message.topic == "pi/status" else message.payload.decode()


def durability(agent):
    return agent.call({"command": "get_status"})["mqtt"]


def crash(agent):
    assert agent.stop(signal.SIGKILL) == -signal.SIGKILL


def test_what_was_acknowledged_survives_kill_9(start_agent):
    agent = start_agent(config={"mqtt": {"durability": "fsync"}})
    reader = Durable(agent, "reader")
    reader.follow("news/#", qos=1)
    reader.leave()
    writer = Durable(agent, "writer")
    for number in range(20):
        writer.put("news/a", str(number), qos=1 + number % 2)
    writer.put("state/lamp", "on", retain=True)
    crash(agent)
    writer.leave()

    agent.restart()
    assert retained(agent, "state/lamp") == "on"
    reader = Durable(agent, "reader")
    assert reader.resumed
    assert [reader.next()[:2] for _ in range(20)] == [("news/a", str(n)) for n in range(20)]
    # Its subscription is there, too.
    writer = Durable(agent, "writer")
    writer.put("news/b", "later")
    assert reader.next()[:2] == ("news/b", "later")
    reader.leave()
    writer.leave()


def test_by_default_sessions_lose_a_second_at_most_and_retained_messages_nothing(start_agent):
    agent = start_agent()
    status = durability(agent)
    assert (status["durability"], status["retained_durability"]) == ("interval", "fsync")
    reader = Durable(agent, "reader")
    reader.follow("news", qos=1)
    reader.leave()
    writer = Durable(agent, "writer")
    writer.put("news", "old")
    time.sleep(2.5)  # of which the interval is one
    writer.put("state/lamp", "off", retain=True)
    crash(agent)
    writer.leave()

    agent.restart()
    assert retained(agent, "state/lamp") == "off"
    reader = Durable(agent, "reader")
    assert reader.resumed
    assert reader.next()[:2] == ("news", "old")
    reader.leave()


def test_a_clean_end_loses_nothing(start_agent):
    agent = start_agent(config={"mqtt": {"durability_interval": 3600}})
    reader = Durable(agent, "reader")
    reader.follow("news", qos=2)
    reader.leave()
    writer = Durable(agent, "writer")
    writer.put("news", "x", qos=2)
    writer.leave()
    assert agent.stop() == 0
    agent.restart()
    reader = Durable(agent, "reader")
    assert reader.resumed
    assert reader.next()[:2] == ("news", "x")
    reader.leave()


def test_a_retained_message_that_was_deleted_does_not_come_back(start_agent):
    agent = start_agent()
    writer = Durable(agent, "writer")
    writer.put("state/lamp", "on", retain=True)
    writer.put("state/lamp", "", retain=True)
    crash(agent)
    writer.leave()
    agent.restart()
    assert retained(agent, "state/lamp") is None


def test_in_memory_nothing_is_written(start_agent):
    agent = start_agent(config={"mqtt": {"durability": "memory"}})
    writer = Durable(agent, "writer")
    writer.put("state/lamp", "on", retain=True)
    crash(agent)
    writer.leave()
    assert not (agent.state / "mqtt").exists()
    agent.restart()
    assert durability(agent)["retained_durability"] == "memory"
    assert retained(agent, "state/lamp") is None


def test_a_will_that_waits_is_published_by_the_next_agent(start_agent):
    agent = start_agent(config={"mqtt": {"durability": "fsync"}})
    port = str(mqtt_port(agent))
    lost = subprocess.Popen(["mosquitto_sub", "-p", port, "-V", "5", "-i", "lost", "-t", "x",
                             "-q", "1", "-c", "-x", "3600", "-W", "60",
                             "--will-topic", "gone", "--will-payload", "lost", "--will-qos", "1",
                             "-D", "will", "will-delay-interval", "2"])
    reader = Durable(agent, "reader")
    reader.follow("gone", qos=1)
    reader.leave()
    until_connected(agent, 1)
    lost.kill()
    lost.wait()
    until_connected(agent, 0)
    # What is acknowledged now stands behind it on the disk.
    writer = Durable(agent, "writer")
    writer.put("state/any", "1", retain=True)
    crash(agent)
    writer.leave()
    agent.restart()
    reader = Durable(agent, "reader")
    assert reader.next()[:2] == ("gone", "lost")
    reader.leave()


def until_connected(agent, count):
    end = time.monotonic() + SECONDS
    while durability(agent)["clients"] != count:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_presence_is_told_anew(start_agent):
    agent = start_agent()
    assert retained(agent, "pi/#") is None  # pi/status itself is what came
    crash(agent)
    agent.restart()
    client = Client(mqtt_port(agent), "me")
    client.follow("pi/status")
    message = client.messages.get(timeout=SECONDS)
    assert (message.payload, bool(message.retain)) == (b"online", True)
    client.leave()


def is_served(agent):
    """All but what is kept."""
    assert agent.call({"command": "ping"})["type"] == "pong"
    client = Client(mqtt_port(agent), "me")
    client.follow_replies()
    assert client.call("ping")["type"] == "pong"
    client.leave()


def test_a_folder_that_cannot_be_used_stops_nothing(start_agent):
    agent = start_agent()
    assert agent.stop() == 0
    for path in (agent.state / "mqtt").iterdir():
        path.unlink()
    (agent.state / "mqtt").rmdir()
    (agent.state / "mqtt").write_text("in the way")
    agent.restart()
    status = durability(agent)
    assert (status["durability"], status["retained_durability"]) == ("memory", "memory")
    assert "cannot use" in status["trouble"]
    assert agent.stderr().count("are kept in memory only") == 1
    is_served(agent)


def test_damaged_files_are_reported_and_the_rest_is_served(start_agent):
    agent = start_agent()
    writer = Durable(agent, "writer")
    for number in range(50):
        writer.put(f"state/{number}", "x" * 200, retain=True)
    crash(agent)
    writer.leave()
    files = [path for path in (agent.state / "mqtt").iterdir() if path.stat().st_size > 4000]
    assert files
    for path in files:
        with open(path, "r+b") as file:
            file.seek(path.stat().st_size // 2)
            file.write(os.urandom(64))
    agent.restart()
    assert " error mqtt: " in agent.stderr()
    is_served(agent)
    # What comes now is kept again.
    writer = Durable(agent, "writer")
    writer.put("state/new", "y", retain=True)
    crash(agent)
    writer.leave()
    agent.restart()
    assert retained(agent, "state/new") == "y"


@needs_root
def test_a_read_only_disk_stops_nothing(start_agent, small_disk):
    place = small_disk("size=16m")
    arguments = ["--state-dir", str(place / "state")]
    agent = start_agent(arguments=arguments)
    writer = Durable(agent, "writer")
    writer.put("state/lamp", "on", retain=True)
    writer.leave()
    assert agent.stop() == 0
    subprocess.run(["mount", "-o", "remount,ro", place], check=True)
    agent.restart()
    status = durability(agent)
    assert "Read-only file system" in status["trouble"]
    assert (status["durability"], status["retained_durability"]) == ("memory", "memory")
    assert agent.stderr().count("are kept in memory only") == 1
    is_served(agent)
    # Who wants a session to stay gets one, and what is retained is, as long as the agent is there.
    writer = Durable(agent, "writer")
    writer.put("state/door", "open", retain=True)
    assert retained(agent, "state/door") == "open"
    writer.leave()
    assert agent.stop() == 0
    subprocess.run(["mount", "-o", "remount,rw", place], check=True)
    agent.restart()
    assert retained(agent, "state/lamp") == "on"


@needs_root
def test_a_disk_that_is_full_for_a_while_loses_nothing_that_was_acknowledged(start_agent,
                                                                           small_disk):
    place = small_disk("size=4m")
    agent = start_agent(arguments=["--state-dir", str(place / "state")],
                        config={"mqtt": {"durability": "fsync"}})
    writer = Durable(agent, "writer")
    writer.put("state/before", "1", retain=True)
    with open(place / "filler", "wb", buffering=0) as filler:
        try:
            while filler.write(bytes(4096)):
                pass
        except OSError:
            pass
    acknowledged = []
    end = time.monotonic() + SECONDS
    while "trouble" not in durability(agent):
        assert time.monotonic() < end
        sent = writer.publish(f"state/{len(acknowledged)}", "x" * 1000, 1, retain=True)
        try:
            sent.wait_for_publish(0.5)
        except RuntimeError:
            pass
        if not sent.is_published():
            continue
        acknowledged.append(len(acknowledged))
    assert agent.call({"command": "ping"})["type"] == "pong"
    (place / "filler").unlink()
    while "trouble" in durability(agent):
        assert time.monotonic() < end + 40
        time.sleep(0.05)
    writer.put("state/after", "2", retain=True)
    crash(agent)
    writer.leave()
    agent.restart()
    assert retained(agent, "state/before") == "1"
    assert retained(agent, "state/after") == "2"
    for number in acknowledged[-3:]:
        assert retained(agent, f"state/{number}") == "x" * 1000
