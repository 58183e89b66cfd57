"""pifleet-broker and clients that others wrote: mosquitto's programs, and paho.

Both speak 3.1.1 and 5.0. What is checked here is that they understand one another; what
each packet has to be is for the unit tests in src/mqtt/.
"""

import contextlib
import os
import queue
import socket
import subprocess
import time

import paho.mqtt.client as paho
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from agent_process import BUILD
from broker_process import SECONDS, running_broker

VERSIONS = {"311": paho.MQTTv311, "5": paho.MQTTv5}
EACH_VERSION = pytest.mark.parametrize("version", VERSIONS)
EACH_QOS = pytest.mark.parametrize("qos", range(3))


@pytest.fixture
def port():
    with running_broker() as number:
        yield number


class Client(paho.Client):
    """A paho client with a thread of its own, whose messages and answers can be waited for."""

    def __init__(self, port, name, version, will=None, properties=None, websocket=None,
                 inflight=None, **connect):
        words = {"client_id": name, "protocol": VERSIONS[version]}
        if websocket:
            words["transport"] = "websockets"
        if hasattr(paho, "CallbackAPIVersion"):  # paho 2, in Debian 13
            words["callback_api_version"] = paho.CallbackAPIVersion.VERSION1
        if version == "311" and "clean_start" in connect:
            words["clean_session"] = connect.pop("clean_start")
        super().__init__(**words)
        self.messages, self.answers, self.greetings = queue.Queue(), queue.Queue(), queue.Queue()
        self.on_message = lambda client, data, message: self.messages.put(message)
        self.on_subscribe = lambda client, data, mid, *rest: self.answers.put(mid)
        self.on_connect = lambda client, data, flags, *rest: self.greetings.put((flags, rest))
        if inflight is not None:
            self.max_inflight_messages_set(inflight)
        if will:
            self.will_set(**will)
        if websocket:
            self.ws_set_options(path=websocket)
        if properties:
            connect["properties"] = properties
        self.connect("127.0.0.1", port, **connect)
        self.loop_start()
        self.greeting = self.greetings.get(timeout=SECONDS)

    def follow(self, topic, qos=0, **options):
        """Subscribes, and waits until the broker has said so."""
        if options:
            self.subscribe(topic, options=SubscribeOptions(qos=qos, **options))
        else:
            self.subscribe(topic, qos)
        self.answers.get(timeout=SECONDS)

    def tell(self, topic, payload, **words):
        """Publishes, and waits until it is acknowledged."""
        self.publish(topic, payload, **words).wait_for_publish(timeout=SECONDS)

    def next(self):
        message = self.messages.get(timeout=SECONDS)
        return message.topic, message.payload.decode(), message.qos, bool(message.retain)

    def leave(self):
        self.disconnect()
        self.loop_stop()

    def drop(self):
        """The connection ends without a DISCONNECT."""
        self.loop_stop()
        # By its descriptor, since a WebSocket's object is none of a socket.
        with socket.socket(fileno=os.dup(self.socket().fileno())) as plain:
            plain.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def clients(port, version, *names, **words):
    with contextlib.ExitStack() as stack:
        made = []
        for name in names:
            made.append(Client(port, name, version, **words))
            stack.callback(made[-1].leave)
        yield made if len(made) > 1 else made[0]


def properties_of(packet, **values):
    properties = Properties(packet)
    for name, value in values.items():
        setattr(properties, name, value)
    return properties


# mosquitto's programs.

def run(program, port, *arguments, **words):
    done = subprocess.run([program, "-p", str(port), *arguments], capture_output=True, text=True,
                          timeout=SECONDS, check=False, **words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def subscriber(port, *arguments):
    """mosquitto_sub, once its subscription stands: its first message is this one's retained
    greeting."""
    run("mosquitto_pub", port, "-t", "greeting", "-m", "hello", "-r")
    process = subprocess.Popen(["mosquitto_sub", "-p", str(port), "-t", "greeting", *arguments],
                               stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline().endswith("hello\n")
    return process


@EACH_VERSION
@EACH_QOS
def test_mosquitto_sub_gets_what_mosquitto_pub_sends(port, version, qos):
    process = subscriber(port, "-t", "a/+", "-q", str(qos), "-C", "3", "-V", version, "-v")
    run("mosquitto_pub", port, "-t", "a/b", "-m", "one", "-q", str(qos), "-V", version)
    run("mosquitto_pub", port, "-t", "a/c", "-m", "two", "-q", str(qos), "-V", version)
    assert process.communicate(timeout=SECONDS)[0] == "a/b one\na/c two\n"


@EACH_VERSION
def test_many_lines_of_one_mosquitto_pub_come_in_order(port, version):
    count = 2000
    process = subscriber(port, "-t", "lines", "-q", "2", "-C", str(count + 1), "-V", version)
    text = "".join(f"{number}\n" for number in range(count))
    run("mosquitto_pub", port, "-t", "lines", "-q", "2", "-l", "-V", version, input=text)
    assert process.communicate(timeout=SECONDS)[0] == text


def test_mosquitto_sub_prints_retained_messages_and_properties(port):
    run("mosquitto_pub", port, "-t", "kept", "-m", "x", "-r", "-q", "1", "-V", "5",
        "-D", "publish", "user-property", "k", "v", "-D", "publish", "content-type", "text",
        "-D", "publish", "message-expiry-interval", "100")
    printed = run("mosquitto_sub", port, "-t", "#", "-C", "1", "-V", "5", "-F", "%t %p %r %P %C")
    assert printed == "kept x 1 k:v text\n"


@EACH_VERSION
@EACH_QOS
def test_mosquitto_sub_prints_what_was_retained_and_not_removed(port, version, qos):
    for topic in ("kept/a", "kept/b"):
        run("mosquitto_pub", port, "-t", topic, "-m", "x", "-r", "-q", str(qos), "-V", version)
    run("mosquitto_pub", port, "-t", "kept/a", "-n", "-r", "-q", str(qos), "-V", version)
    assert run("mosquitto_sub", port, "-t", "kept/#", "-q", "2", "-C", "1", "-V", version,
               "-F", "%t %p %q %r") == f"kept/b x {qos} 1\n"


@EACH_VERSION
@EACH_QOS
def test_mosquitto_rr_gets_its_reply(port, version, qos):
    with clients(port, version, "server") as server:
        def answer(client, data, message):
            topic, words = "reply/here", {}
            if version == "5":
                topic = message.properties.ResponseTopic
                words["properties"] = properties_of(
                    PacketTypes.PUBLISH, CorrelationData=message.properties.CorrelationData)
            client.publish(topic, b"re: " + message.payload, qos, **words)
        server.on_message = answer
        server.follow("question", 2)
        correlation = ("-D", "publish", "correlation-data", "1") if version == "5" else ()
        assert run("mosquitto_rr", port, "-t", "question", "-e", "reply/here", "-m", "what",
                   "-q", str(qos), "-V", version, *correlation) == "re: what\n"


@EACH_VERSION
@EACH_QOS
def test_the_will_of_a_killed_mosquitto_sub(port, version, qos):
    with clients(port, version, "heir") as heir:
        heir.follow("will", 2)
        process = subscriber(port, "--will-topic", "will", "--will-payload", "gone",
                             "--will-qos", str(qos), "--will-retain", "-V", version)
        process.kill()
        process.communicate()
        assert heir.next() == ("will", "gone", qos, False)
        assert run("mosquitto_sub", port, "-t", "will", "-q", "2", "-C", "1", "-V", version,
                   "-F", "%p %q %r") == f"gone {qos} 1\n"


# paho.

def test_a_broker_without_a_configuration_greets_as_mosquitto_does(port):
    with clients(port, "5", "guest") as guest:
        greeting = guest.greeting[1][-1]
        assert (greeting.ReceiveMaximum, greeting.TopicAliasMaximum,
                greeting.MaximumPacketSize) == (20, 10, 2000000)
    # 3.1.1 is not told, and sends what it has.
    with clients(port, "311", "hasty", "reader", inflight=0) as (hasty, reader):
        reader.follow("burst", 0)
        for number in range(100):
            hasty.publish("burst", str(number), 2)
        assert [reader.next()[1] for _ in range(100)] == [str(number) for number in range(100)]


@EACH_VERSION
def test_paho_talks_in_every_qos(port, version):
    with clients(port, version, "one", "two") as (one, two):
        two.follow("t/#", 2)
        for qos in range(3):
            for number in range(100):
                one.tell(f"t/{qos}", str(number), qos=qos)
        for qos in range(3):
            for number in range(100):
                assert two.next() == (f"t/{qos}", str(number), qos, False)


@EACH_VERSION
def test_a_session_that_stays_has_its_messages(port, version):
    stays = {"clean_start": False}
    if version == "5":
        stays["properties"] = properties_of(PacketTypes.CONNECT, SessionExpiryInterval=1000)
    first = Client(port, "sleeper", version, **stays)
    first.follow("t", 2)
    first.leave()
    with clients(port, version, "sender") as sender:
        for qos in (1, 2):
            for number in range(3):
                sender.tell("t", f"{qos}{number}", qos=qos)
    again = Client(port, "sleeper", version, **stays)
    flags = again.greeting[0]
    assert flags["session present"] == 1
    # paho hands QoS 2 on when it is released, which is later: in order among themselves.
    got = [again.next()[1] for _ in range(6)]
    assert sorted(got, key=lambda payload: payload[0]) == ["10", "11", "12", "20", "21", "22"]
    again.leave()


@EACH_VERSION
@EACH_QOS
def test_retained_messages_and_an_empty_one(port, version, qos):
    with clients(port, version, "one", "two") as (one, two):
        one.tell("kept/a", "1", qos=qos, retain=True)
        one.tell("kept/b", "2", qos=qos, retain=True)
        one.tell("kept/a", "", qos=qos, retain=True)
        one.tell("end", "all before it have come", qos=1)
        two.follow("kept/#", 2)
        assert two.next() == ("kept/b", "2", qos, True)


@EACH_VERSION
@EACH_QOS
def test_a_will_comes_when_a_connection_ends_without_a_word(port, version, qos):
    with clients(port, version, "heir") as heir:
        heir.follow("will", 2)
        will = {"topic": "will", "payload": "gone", "qos": qos, "retain": True}
        Client(port, "mortal", version, will=will).drop()
        assert heir.next() == ("will", "gone", qos, False)
        heir.follow("will", 2)
        assert heir.next() == ("will", "gone", qos, True)


def test_a_will_is_delayed_to_the_millisecond_and_never_early(port):
    with clients(port, "5", "heir") as heir:
        heir.follow("will", 1)
        client = Client(port, "mortal", "5",
                        will={"topic": "will", "payload": "gone", "qos": 1,
                              "properties": properties_of(PacketTypes.WILLMESSAGE,
                                                          WillDelayInterval=1)},
                        properties=properties_of(PacketTypes.CONNECT, SessionExpiryInterval=60))
        before = time.monotonic()
        client.drop()
        assert heir.next() == ("will", "gone", 1, False)
        assert time.monotonic() - before >= 1


@EACH_VERSION
def test_no_will_after_a_normal_end(port, version):
    with clients(port, version, "heir") as heir:
        heir.follow("will")
        Client(port, "polite", version, will={"topic": "will", "payload": "gone"}).leave()
        heir.tell("will", "nothing", qos=1)
        assert heir.next()[1] == "nothing"


def wait_for_end(port, name):
    """A client, and the reasons for which the broker disconnected it. paho 1 reads them only
    where they come with words, which has to be asked for."""
    ends = queue.Queue()
    client = Client(port, name, "5",
                    properties=properties_of(PacketTypes.CONNECT, RequestProblemInformation=1))

    def on_disconnect(client, data, reason, *rest):
        ends.put((getattr(reason, "value", reason), str(rest[0].ReasonString)))
        client.disconnect()

    client.on_disconnect = on_disconnect
    return client, ends


def test_who_takes_over_ends_the_other(port):
    first, ends = wait_for_end(port, "same")
    with clients(port, "5", "same") as second:
        assert ends.get(timeout=SECONDS) == (0x8e, "Session taken over")
        first.loop_stop()
        second.follow("t", 1)
        second.tell("t", "m", qos=1)
        assert second.next()[1] == "m"


def test_overlapping_filters_are_one_message_with_all_identifiers(port):
    with clients(port, "5", "one") as one:
        for number, topic in enumerate(("t/#", "t/+", "t/x"), 1):
            one.subscribe(topic, 1, properties=properties_of(PacketTypes.SUBSCRIBE,
                                                             SubscriptionIdentifier=number))
            one.answers.get(timeout=SECONDS)
        one.tell("t/x", "m", qos=1)
        one.tell("t/end", "end", qos=1)
        message = one.messages.get(timeout=SECONDS)
        assert sorted(message.properties.SubscriptionIdentifier) == [1, 2, 3]
        assert one.next()[1] == "end"


def test_members_of_a_shared_group_divide_the_messages(port):
    with clients(port, "5", "one", "two", "sender") as (one, two, sender):
        one.follow("$share/g/t", 1)
        two.follow("$share/g/t", 1)
        for number in range(20):
            sender.tell("t", str(number), qos=1)
        got = [int(client.next()[1]) for client in (one, two) for _ in range(10)]
        assert sorted(got) == list(range(20))


def test_no_local_and_retain_as_published(port):
    with clients(port, "5", "one", "two") as (one, two):
        one.follow("t", 1, noLocal=True, retainAsPublished=True)
        one.tell("t", "own", qos=1)
        two.tell("t", "other", qos=1, retain=True)
        assert one.next() == ("t", "other", 1, True)


# The program.

@pytest.mark.parametrize("arguments", [["-p", "x"], ["-p", "65536"], ["more"], ["--nonsense"]])
def test_options_that_make_no_sense_are_refused(arguments):
    done = subprocess.run([BUILD / "pifleet-broker", *arguments], capture_output=True, text=True,
                          timeout=SECONDS, check=False)
    assert done.returncode == 2 and done.stderr


def test_a_port_in_use_is_told(port):
    done = subprocess.run([BUILD / "pifleet-broker", "-p", str(port)], capture_output=True,
                          text=True, timeout=SECONDS, check=False)
    assert done.returncode == 1 and "Address already in use (`ss -ltnp`" in done.stderr


def test_a_broker_that_ends_tells_its_clients():
    with running_broker() as number:
        client, ends = wait_for_end(number, "one")
    assert ends.get(timeout=SECONDS) == (0x8b, "Server shutting down")
    client.loop_stop()
