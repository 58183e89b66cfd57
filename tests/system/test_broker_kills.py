"""What the broker acknowledged survives a kill at any system call of its store thread.

A publisher with a session sends messages of QoS 1 and 2, some of them retained, for a subscriber
that is away; strace kills the broker in the middle, or fails its calls. It starts again, the
publisher sends again what was not acknowledged, and the subscriber gets all of it, of QoS 2
once. A sample in `./dev test`, all calls in `./dev test-long`.
"""

import collections
import contextlib
import shutil
import struct

import pytest

from broker_configured import Configured
from mqtt_bytes import CONNACK, PUBACK, PUBLISH, PUBREC, SUBACK, Bytes, Ended, packet, subscribe
from mqtt_bytes import connect as connect_packet
from mqtt_bytes import publish
from system_calls import KILL, Fault, each_point, thread_of

PUBREL, PUBCOMP = 6, 7
MESSAGES = 400
# So that the log becomes long enough for an image, and the queue of a session not too long.
PAYLOAD, RETAINED_PAYLOAD = 40000, 900000
WINDOW = 8
NEVER = 0xffffffff
THREAD = "store"
SAMPLE = (("write", 1), ("write", 40), ("fdatasync", 1), ("fdatasync", 2), ("fdatasync", 30),
          ("fsync", 1), ("renameat", 1), ("unlinkat", 1), ("openat", 2))
CALLS = ("openat", "write", "fsync", "fdatasync", "renameat", "unlinkat", "close")


@contextlib.contextmanager
def broker(folder, killed=False):
    """A broker on its folder, and its port; one that is not killed has to end well."""
    path = folder / "broker.yaml"
    path.write_text(f"state_dir: {folder / 'state'}\n"
                    "mqtt: {durability: fsync, retained_durability: fsync}\n"
                    "listeners:\n  - port: 0\n")
    # The leak sanitizer cannot work in a process that is traced.
    running = Configured(path, environment={"ASAN_OPTIONS": "detect_leaks=0"})
    try:
        yield running, running.listening()
    except BaseException:
        running.process.kill()
        raise
    if killed:
        running.process.kill()
        running.process.wait()
    else:
        status, said = running.end()
        assert status == 0, said
        assert "left out" not in said and "damaged" not in said, said


def join(port, name):
    """A client whose session stays; was it there?"""
    client = Bytes(port, connect_packet(name, clean=False, expiry=NEVER))
    answer = client.expect(CONNACK)
    assert answer[1] == 0, answer
    return client, bool(answer[0] & 1)


def acknowledgement(kind, number):
    return packet(kind, struct.pack(">H", number), 2 if kind == PUBREL else 0)


class Publisher:
    """Sends messages 0 to MESSAGES - 1, and knows which were taken."""

    def __init__(self):
        self.taken = set()  # PUBACK or PUBREC came
        self.under_way = collections.OrderedDict()  # packet identifier: message
        self.released = {}  # PUBREC came, PUBCOMP did not: packet identifier: message
        self.next = 0
        self.joined = False

    @staticmethod
    def qos(message):
        return 1 + message % 2

    def _send(self, client, number, again):
        message = self.under_way[number]
        retain = message % 10 == 0
        payload = b"%08d" % message + b"x" * (RETAINED_PAYLOAD if retain else PAYLOAD)
        said = bytearray(publish("r" if retain else "t", payload, qos=self.qos(message),
                                 number=number, retain=retain))
        said[0] |= 8 if again else 0
        client.say(bytes(said))

    def _more(self, client):
        while self.next < MESSAGES and len(self.under_way) + len(self.released) < WINDOW:
            number = next(one for one in range(1, WINDOW + 1)
                          if one not in self.under_way and one not in self.released)
            self.under_way[number] = self.next
            self.next += 1
            self._send(client, number, False)

    def _hear(self, client):
        kind, _, content = client.hear()
        number = struct.unpack(">H", content[:2])[0]
        assert len(content) == 2 or content[2] < 0x80 or kind == PUBCOMP, content.hex()
        if kind in (PUBACK, PUBREC):
            message = self.under_way.pop(number)
            assert kind == (PUBACK if self.qos(message) == 1 else PUBREC)
            self.taken.add(message)
        if kind == PUBREC:
            self.released[number] = message
            client.say(acknowledgement(PUBREL, number))
        elif kind == PUBCOMP:
            del self.released[number]

    def run(self, port):
        """Until all is sent and acknowledged, or the broker ends."""
        client, was_there = join(port, "p")
        assert was_there or not self.joined, "the publisher's session is lost"
        self.joined = True
        for number in self.released:
            client.say(acknowledgement(PUBREL, number))
        for number in self.under_way:
            self._send(client, number, True)
        while self.next < MESSAGES or self.under_way or self.released:
            self._more(client)
            self._hear(client)
        client.close()


def prepare(port):
    """The subscriber's session is there, and waits for messages."""
    client, _ = join(port, "s")
    client.say(subscribe(1, "t", qos=2))
    assert client.expect(SUBACK)[3:] == b"\x02"
    client.close()


def collect(port):
    """How often each message comes."""
    heard = collections.Counter()
    client, was_there = join(port, "s")
    assert was_there, "the subscriber's session is lost"
    wanted = sum(message % 10 != 0 for message in range(MESSAGES))
    while len(heard) < wanted:
        kind, flags, content = client.hear()
        if kind == PUBREL:
            client.say(packet(PUBCOMP, content[:2]))
            continue
        assert kind == PUBLISH, kind
        heard[int(content[6:14])] += 1
        number = struct.unpack(">H", content[3:5])[0]
        client.say(acknowledgement(PUBREC if flags & 6 == 4 else PUBACK, number))
    client.close()
    return heard


def live_under(call, fault, number, folder):
    """A life with a fault, and one after it; True: the call was reached."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    publisher = Publisher()
    where = f"{call} {number} {fault}"
    with broker(folder, killed=True) as (running, port):
        prepare(port)
        thread = thread_of(running.process.pid, THREAD)
        with Fault(thread, call, fault, number, folder.with_suffix(".trace")) as injected:
            with contextlib.suppress(Ended, ConnectionError):
                publisher.run(port)
        reached = injected.reached
    with broker(folder) as (running, port):
        publisher.run(port)
        heard = collect(port)
    for message in range(MESSAGES):
        assert message in publisher.taken, where
        if message % 10 == 0:
            continue
        assert heard[message] > 0, f"{where}: {message} is lost"
        if publisher.qos(message) == 2:
            assert heard[message] == 1, f"{where}: {message} of QoS 2 came {heard[message]} times"
    return reached


@pytest.mark.sample
def test_a_kill_at_some_calls_loses_nothing_that_was_acknowledged(tmp_path):
    reached = sum(live_under(call, KILL, number, tmp_path / "broker") for call, number in SAMPLE)
    assert reached == len(SAMPLE)


@pytest.mark.long
@pytest.mark.parametrize("call", CALLS)
def test_a_kill_at_any_call_loses_nothing_that_was_acknowledged(tmp_path, call, tell):
    def attempt(call, number, folder):
        return live_under(call, KILL, number, folder)

    points = each_point(call, attempt, tmp_path / "broker", tell)
    tell(f"broker: killed at {points} calls of {call}")
    assert points > 0
