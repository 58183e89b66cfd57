"""What clients do that no broker wants. Each storm takes a port and a scale (1 for ./dev
test), checks that the answer is the decided one, and takes all that it left away again."""

import contextlib
import os
import random
import struct
import time

from mqtt_bytes import (DISCONNECT, NEVER_EXPIRES, PING, PINGRESP, PUBACK, PUBLISH, PUBREC,
                        SUBACK, Bytes, Ended, connect, length, packet, publish, session,
                        subscribe, subscriber, text, unsubscribe)

QUOTA, TOO_LARGE, MALFORMED, ALIAS, RECEIVE_MAXIMUM = 0x97, 0x95, 0x81, 0x94, 0x93
PROTOCOL, TAKEN_OVER = 0x82, 0x8e
NOBODY = b"\x10"  # in a PUBACK: no subscriber
KIB, MIB = 1 << 10, 1 << 20
# What a broker without a configuration announces.
PACKET, WINDOW, ALIASES = 2_000_000, 20, 10
BATCH = 200


def name(what, number=0):
    """Of a client; soaks run several storms of one kind at once."""
    return f"{what}-{os.urandom(4).hex()}-{number}"


def pumped(client):
    """All that was said before has been worked off."""
    client.say(PING)
    client.until(PINGRESP)


def ended_with(client):
    """The reason of the DISCONNECT that was the last packet."""
    last = client.ends()
    assert last and last[0] == DISCONNECT, last
    return last[2][0] if last[2] else 0


def batches(count):
    return (range(first, min(first + BATCH, count)) for first in range(0, count, BATCH))


# Readers.

def a_subscriber_that_stops_reading_loses_qos_0(port, scale):
    topic = name("flood")
    with subscriber(port, name("deaf"), topic, receive_buffer=4 * KIB), \
            session(port, name("sender")) as sender:
        for _ in range(600 * scale):
            sender.say(publish(topic, bytes(64 * KIB)))
        pumped(sender)


def a_subscriber_that_stops_reading_is_sent_away(port, scale):
    topic = name("flood")
    with session(port, name("sender")) as sender:
        # One after the other, and no longer than until nobody is there to have it: who does not
        # read for 5 s after that has no DISCONNECT, either.
        for _ in range(scale):
            with subscriber(port, name("deaf"), topic, qos=1, receive_buffer=4 * KIB) as deaf:
                for number in range(1, 600):
                    sender.say(publish(topic, bytes(64 * KIB), qos=1, number=number))
                    if sender.expect(PUBACK)[2:3] == NOBODY:
                        break
                assert ended_with(deaf) == QUOTA


def a_sender_that_reads_no_acknowledgements_is_paused(port, scale):
    # Of all questions the one with the longest answer: for a message that is not known.
    flood = packet(PUBREC, struct.pack(">H", 1)) * 20000
    with session(port, name("deaf"), words=True) as deaf:
        deaf.socket.setblocking(False)
        sent, quiet = 0, time.monotonic() + 1
        while time.monotonic() < quiet and sent < 100 * MIB:
            with contextlib.suppress(BlockingIOError):
                sent += deaf.socket.send(flood[sent % len(flood):])
                quiet = time.monotonic() + 1
        assert sent < 20 * MIB, "what it sends is read without end"
        deaf.vanish()


# Comers and goers.

def thousands_vanish_before_they_connect(port, scale):
    for numbers in batches(1000 * scale):
        clients = [Bytes(port, connect("x")[:random.randrange(1, 12)]) for _ in numbers]
        for client in clients:
            client.vanish()


def thousands_vanish_and_their_wills_come(port, scale):
    count, topic = 1000 * scale, name("will")
    with subscriber(port, name("heir"), topic, qos=1) as heir:
        heirs = set()
        for numbers in batches(count):
            clients = [session(port, f"{topic}-{number}", will=topic) for number in numbers]
            for client in clients:
                client.vanish()
            for _ in numbers:
                content = heir.until(PUBLISH)
                heirs.add(content[content.rindex(topic.encode()):])
        assert len(heirs) == count, f"{len(heirs)} of {count} wills"


def thousands_vanish_with_the_greeting_unread(port, scale):
    for numbers in batches(1000 * scale):
        clients = [Bytes(port, connect(name("hasty", number)), subscribe(1, f"hasty/{number}"))
                   for number in numbers]
        for client in clients:
            client.vanish()


def more_connect_than_may_be_silent(port, scale):
    clients = [Bytes(port, b"\x10") for _ in range(4200)]
    ended = 0
    for client in reversed(clients):
        client.socket.settimeout(0.01 if ended else 10)
        try:
            ended += client.socket.recv(1) == b""
        except ConnectionResetError:
            ended += 1
        except TimeoutError:
            break
    assert ended >= 4200 - 4096
    for client in clients:
        client.vanish()


def sessions_pile_up(port, scale):
    count, topic = 1000 * scale, name("pile")
    for numbers in batches(count):
        for number in numbers:
            subscriber(port, f"{topic}-{number}", topic, f"{topic}/{number}", qos=1,
                       expiry=NEVER_EXPIRES).vanish()
    with session(port, name("sender")) as sender:
        for number in range(1, 51):
            sender.say(publish(topic, bytes(100), qos=1, number=number))
            sender.expect(PUBACK)
    # A clean start without expiry ends each.
    for numbers in batches(count):
        for client in [session(port, f"{topic}-{number}") for number in numbers]:
            client.close()


def members_of_a_group_die(port, scale):
    topic = name("work")
    shared = f"$share/group/{topic}"
    dead = [name("dead", number) for number in range(20)]
    for one in dead:
        subscriber(port, one, shared, qos=1, expiry=NEVER_EXPIRES).vanish()
    with subscriber(port, name("alive"), shared, qos=1) as alive, \
            session(port, name("sender")) as sender:
        for number in range(1, 200 * scale):
            sender.say(publish(topic, str(number).encode(), qos=1, number=number))
            sender.expect(PUBACK)
            content = alive.expect(PUBLISH)
            assert content.endswith(str(number).encode())
            alive.say(b"\x40\x02" + content[2 + len(topic):4 + len(topic)])
    for one in dead:
        session(port, one).close()


# Filters and topics.

def wildcards_by_the_thousand(port, scale):
    top = name("deep")
    filters = [top + "".join(random.choice(("/+", "/x", f"/{number}")) for _ in range(20)) + "/#"
               for number in range(2000 * scale)]
    with session(port, name("stormer")) as stormer, session(port, name("sender")) as sender:
        for numbers in batches(len(filters)):
            stormer.say(subscribe(1, *filters[numbers[0]:numbers[-1] + 1]))
            stormer.expect(SUBACK)
        others = [subscriber(port, name("other"), "+/" * depth + "#") for depth in range(1, 50)]
        for number in range(50):
            sender.say(publish(top + "/x" * random.randrange(20, 60), qos=1, number=number + 1))
            sender.expect(PUBACK)
        for other in others:
            other.close()


def subscriptions_come_and_go(port, scale):
    top = name("churn")
    with session(port, name("churner")) as client:
        for numbers in batches(10000 * scale):
            filters = [f"{top}/{number}/+/x" for number in numbers]
            client.say(subscribe(1, *filters), unsubscribe(2, *filters))
        pumped(client)


def topics_of_65535_bytes(port, scale):
    topic, slashes = name("long").ljust(65535, "t"), "/" * 65535
    with subscriber(port, name("long"), topic, qos=1) as client:
        for number in range(1, 20 * scale):
            client.say(publish(topic, b"m", qos=1, number=number))
            assert {client.hear()[0], client.hear()[0]} == {PUBLISH, PUBACK}
    for said in (subscribe(1, slashes), subscribe(1, "+/" * 32767 + "#"),
                 publish(slashes, qos=1, number=1)):
        with session(port, name("slashes")) as client:
            client.say(said)
            assert ended_with(client) == MALFORMED


def retained_messages_come_and_go(port, scale):
    top = name("kept")
    with session(port, name("keeper")) as client:
        for numbers in batches(5000 * scale):
            client.say(*(publish(f"{top}/{number}", bytes(200), retain=True) for number in numbers))
        with subscriber(port, name("reader"), f"{top}/#") as reader:
            for _ in range(5000 * scale):
                reader.expect(PUBLISH)
        for numbers in batches(5000 * scale):
            client.say(*(publish(f"{top}/{number}", retain=True) for number in numbers))
        pumped(client)


# Packets.

def packets_of_the_largest_size_and_one_byte_more(port, scale):
    topic = name("large")
    header = len(publish(topic, bytes(PACKET))) - PACKET
    with subscriber(port, name("reader"), topic) as reader, \
            session(port, name("sender")) as sender:
        for _ in range(10 * scale):
            sender.say(publish(topic, bytes(PACKET - header)))
            assert len(reader.expect(PUBLISH)) > PACKET - 10
        sender.say(publish(topic, bytes(PACKET - header + 1)))
        assert ended_with(sender) == TOO_LARGE


def garbage(port, scale):
    chance = random.Random(scale)
    for number in range(200 * scale):
        with Bytes(port) as client:
            said = chance.randbytes(chance.randrange(1, 2000))
            try:
                client.say(connect(name("noise")) + said if number % 2 else said)
                client.socket.shutdown(1)
                client.ends()
            except (Ended, OSError):
                pass


def lengths_that_lie(port, scale):
    """A promise of 1 MiB costs nothing until its bytes are there."""
    liars = []
    for number in range(300 * scale):
        liars.append(session(port, name("liar", number)))
        liars[-1].say(bytes([0x30]) + length(MIB - 10) + text("t") + bytes(10))
    with session(port, name("five")) as five:
        five.say(b"\x30\xff\xff\xff\xff\x01")
        assert five.ends() is None  # without a word
    with session(port, name("short")) as short:
        short.say(b"\x30\x03" + struct.pack(">H", 500) + b"a")
        assert ended_with(short) == MALFORMED
    for liar in liars:
        liar.vanish()


def qos_2_is_never_released(port, scale):
    one = name("keeper")
    with session(port, one, expiry=NEVER_EXPIRES) as keeper:
        for number in range(1, WINDOW + 1):
            keeper.say(publish("held", qos=2, number=number))
            keeper.expect(PUBREC)
        keeper.say(publish("held", qos=2, number=WINDOW + 1))
        assert ended_with(keeper) == RECEIVE_MAXIMUM
    session(port, one).close()


def aliases_are_abused(port, scale):
    long = "l" * 10000
    with session(port, name("alias")) as client:
        for number in range(500 * scale):
            client.say(publish(long + str(number), alias=number % ALIASES + 1), publish("", alias=1))
        pumped(client)
    for said in (publish("t", alias=0), publish("t", alias=ALIASES + 1), publish("", alias=ALIASES)):
        with session(port, name("alias")) as client:
            client.say(said)
            assert ended_with(client) in (ALIAS, PROTOCOL)


def connect_again_and_again(port, scale):
    """Takeovers: each ends the one before."""
    one, last = name("same"), None
    for _ in range(300 * scale):
        client = session(port, one, expiry=NEVER_EXPIRES, clean=False)
        if last:
            assert ended_with(last) == TAKEN_OVER
            last.close()
        last = client
    last.close()
    session(port, one).close()


STORMS = [
    a_subscriber_that_stops_reading_loses_qos_0, a_subscriber_that_stops_reading_is_sent_away,
    a_sender_that_reads_no_acknowledgements_is_paused, thousands_vanish_before_they_connect,
    thousands_vanish_and_their_wills_come, thousands_vanish_with_the_greeting_unread,
    more_connect_than_may_be_silent, sessions_pile_up, members_of_a_group_die,
    wildcards_by_the_thousand, subscriptions_come_and_go, topics_of_65535_bytes,
    retained_messages_come_and_go, packets_of_the_largest_size_and_one_byte_more, garbage,
    lengths_that_lie, qos_2_is_never_released, aliases_are_abused, connect_again_and_again,
]
