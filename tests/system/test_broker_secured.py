"""Clients that others wrote, and a broker that does not let everybody do everything.

paho, mqtt.js and mosquitto's programs over TCP, TLS and WebSockets: with a password, a wrong
one and none; to topics that are theirs and that are not; and with certificates that are good,
strange, or have run out, on either side.
"""

import contextlib
import json
import os
import pathlib
import queue
import ssl
import subprocess

import paho.mqtt.client as paho
import pytest

from broker_process import SECONDS
from certificates import Authority
from secured_broker import PASSWORDS, secured_broker

VISIT = pathlib.Path(__file__).parent / "clients" / "mqtt-visit.js"
MODULES = "/usr/share/nodejs"
VERSIONS = {"311": paho.MQTTv311, "5": paho.MQTTv5}
ANN = ("ann", PASSWORDS["ann"])
NOT_AUTHORIZED, REFUSED_FILTER = 0x87, 0x80
# What a client is told who may not come in: 3.1.1 has a code of its own.
REFUSED = {"311": 5, "5": NOT_AUTHORIZED}

needs_node = pytest.mark.skipif(not pathlib.Path(MODULES, "mqtt").exists(),
                                reason="node-mqtt is not installed")
EACH_VERSION = pytest.mark.parametrize("version", VERSIONS)
EACH_CLIENT = pytest.mark.parametrize("visit", [
    pytest.param(lambda *words, **more: visit_by_paho(*words, **more), id="paho"),
    pytest.param(lambda *words, **more: visit_by_mqttjs(*words, **more), id="mqttjs",
                 marks=needs_node)])
EACH_WAY = pytest.mark.parametrize("way", ["mqtt", "mqtts", "ws", "wss"])
EACH_TLS = pytest.mark.parametrize("way", ["mqtts", "wss"])


@pytest.fixture(name="certificates", scope="module")
def made_certificates(tmp_path_factory):
    """Of a server, of clients, and of an authority that nobody knows."""
    authority = Authority(tmp_path_factory.mktemp("authority"))
    stranger = Authority(tmp_path_factory.mktemp("stranger"))
    return {"authority": authority.path, "server": authority.sign("server"),
            "expired": authority.sign("expired", expired=True),
            "sensor": authority.sign("sensor"),
            "expired-sensor": authority.sign("expired-sensor", expired=True),
            "unknown": stranger.sign("unknown")}


@pytest.fixture(name="broker")
def running_secured_broker(tmp_path, certificates):
    """Each test has its own, since failed logins slow down those that follow."""
    with secured_broker(tmp_path, certificates) as broker:
        yield broker


def new_paho(name, version, **words):
    if hasattr(paho, "CallbackAPIVersion"):  # paho 2, in Debian 13
        words["callback_api_version"] = paho.CallbackAPIVersion.VERSION1
    return paho.Client(client_id=name, protocol=VERSIONS[version], **words)


def number_of(code):
    """Of a reason, which is a number in 3.1.1."""
    return getattr(code, "value", code)


class Visitor:
    """A client of paho, and what it is told."""

    def __init__(self, broker, way, version, name="visitor", login=None, trust=None, shown=None):
        scheme = way.split("-")[0]
        web = scheme.startswith("ws")
        self.told, self.heard = queue.Queue(), queue.Queue()
        self.client = new_paho(name, version, transport="websockets" if web else "tcp")
        self.client.on_connect = lambda c, data, flags, code, *rest: self.told.put(number_of(code))
        self.client.on_disconnect = lambda c, data, code, *rest: self.told.put(None)
        self.client.on_subscribe = lambda c, data, mid, codes, *rest: self.told.put(
            number_of(codes[0]))
        self.client.on_publish = lambda c, data, mid, *rest: self.told.put(mid)
        self.client.on_message = lambda c, data, message: self.heard.put(
            (message.topic, message.payload.decode()))
        if web:
            self.client.ws_set_options(path="/mqtt")
        if scheme in ("mqtts", "wss"):
            self.client.tls_set(str(trust), *map(str, shown or ()))
        if login:
            self.client.username_pw_set(*login)
        self.client.connect("127.0.0.1", broker.ports[way])
        # Not a thread of ours: without its own, paho writes in that of who publishes, too, and two
        # in its WebSocket at once send one frame twice and lose the other.
        self.forever, self.client.loop_forever = self.client.loop_forever, self.loop
        self.client.loop_start()
        self.code = self.told.get(timeout=SECONDS)

    def loop(self, *arguments, **words):
        """paho's thread does not outlive an alert of TLS."""
        try:
            self.forever(*arguments, **words)
        except ssl.SSLError:
            self.told.put(None)

    def follow(self, topic):
        self.client.subscribe(topic, 1)
        return self.told.get(timeout=SECONDS)

    def tell(self, topic, payload="from the visitor"):
        """Returns when it is acknowledged: paho 1 says no more than that."""
        self.client.publish(topic, payload, 1)
        self.told.get(timeout=SECONDS)

    def leave(self):
        with contextlib.suppress(OSError):
            self.client.disconnect()
        self.client.loop_stop()


def visit_by_paho(broker, way, version, topics=(), **words):
    """What a visitor sees, in the form that mqtt-visit.js has."""
    try:
        visitor = Visitor(broker, way, version, **words)
    except (ssl.SSLError, OSError) as error:
        return {"failed": str(error)}
    try:
        if visitor.code is None:
            return {"failed": "closed"}
        if visitor.code != 0:
            return {"refused": visitor.code}
        granted = {topic: visitor.follow(topic) for topic in topics}
        for topic in topics:
            visitor.tell(topic)
        return {"granted": granted}
    finally:
        visitor.leave()


def visit_by_mqttjs(broker, way, version, topics=(), login=None, trust=None, shown=None):
    paths = [MODULES, os.environ.get("NODE_PATH")]
    certificate, key = map(str, shown or ("", ""))
    visit = {"login": login, "trust": trust and str(trust), "certificate": certificate,
             "key": key, "topics": topics}
    done = subprocess.run(
        ["node", VISIT, broker.url(way), {"311": "4"}.get(version, version), json.dumps(visit)],
        env={**os.environ, "NODE_PATH": os.pathsep.join(filter(None, paths))},
        capture_output=True, text=True, timeout=3 * SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Witness(Visitor):
    """Sees all that goes through the broker."""

    def __init__(self, broker):
        super().__init__(broker, "mqtt", "5", "witness",
                         login=("witness", PASSWORDS["witness"]))
        assert (self.code, self.follow("#")) == (0, 1)

    def next(self):
        return self.heard.get(timeout=SECONDS)


# Logins.

@EACH_CLIENT
@EACH_WAY
@EACH_VERSION
def test_who_knows_the_password_does_what_is_allowed_and_nothing_else(
        broker, certificates, visit, way, version):
    witness = Witness(broker)
    seen = visit(broker, way, version, login=ANN, trust=certificates["authority"],
                 topics=["room/one", "secret/one", "room/two"])
    forbidden = NOT_AUTHORIZED if version == "5" else REFUSED_FILTER
    assert seen["granted"] == {"room/one": 1, "secret/one": forbidden, "room/two": 1}
    if "acknowledged" in seen:
        # 3.1.1 has no word for it: the message is acknowledged, and goes to nobody.
        forbidden = NOT_AUTHORIZED if version == "5" else 0
        assert seen["acknowledged"] == {"room/one": 0, "secret/one": forbidden, "room/two": 0}
    assert [witness.next() for _ in range(2)] == [("room/one", "from the visitor"),
                                                  ("room/two", "from the visitor")]
    witness.leave()


@EACH_CLIENT
@EACH_WAY
@EACH_VERSION
@pytest.mark.parametrize("login", [("ann", "a wrong one"), ("nobody", PASSWORDS["ann"]), None],
                         ids=["wrong", "unknown", "none"])
def test_who_does_not_know_it_is_refused(broker, certificates, visit, way, version, login):
    seen = visit(broker, way, version, login=login, trust=certificates["authority"])
    assert seen == {"refused": REFUSED[version]}


# Certificates of the broker.

@EACH_CLIENT
@EACH_TLS
def test_a_client_does_not_talk_to_a_broker_whose_certificate_has_run_out(
        broker, certificates, visit, way):
    seen = visit(broker, f"{way}-expired", "5", login=ANN, trust=certificates["authority"])
    assert "expired" in seen["failed"]


@EACH_CLIENT
@EACH_TLS
def test_a_client_does_not_talk_to_a_broker_of_another_authority(
        broker, certificates, visit, way):
    stranger = certificates["unknown"][0].parent / "authority.pem"
    seen = visit(broker, way, "5", login=ANN, trust=stranger)
    assert "certificate" in seen["failed"]


# Certificates of clients.

@EACH_CLIENT
@EACH_TLS
@EACH_VERSION
def test_a_certificate_is_who_its_client_is(broker, certificates, visit, way, version):
    witness = Witness(broker)
    seen = visit(broker, f"{way}-shown", version, trust=certificates["authority"],
                 shown=certificates["sensor"], topics=["room/other", "room/sensor"])
    forbidden = NOT_AUTHORIZED if version == "5" else REFUSED_FILTER
    assert seen["granted"] == {"room/other": forbidden, "room/sensor": 1}
    assert witness.next() == ("room/sensor", "from the visitor")
    witness.leave()


@EACH_CLIENT
@EACH_TLS
@pytest.mark.parametrize("shown, why", [("expired-sensor", "certificate has expired"),
                                        ("unknown", "issuer certificate"),
                                        (None, "did not return a certificate")],
                         ids=["expired", "unknown", "none"])
def test_a_broker_does_not_talk_to_a_client_without_a_good_certificate(
        broker, certificates, visit, way, shown, why):
    seen = visit(broker, f"{way}-shown", "5", login=ANN, trust=certificates["authority"],
                 shown=certificates[shown] if shown else None)
    assert "failed" in seen
    broker.find(why)


# mosquitto's programs.

def run(program, broker, way, version, *words, login=ANN, trust=None, status=0):
    who = ("-u", login[0], "-P", login[1]) if login else ()
    tls = ("--cafile", trust) if trust else ()
    done = subprocess.run(
        [program, "-h", "127.0.0.1", "-p", str(broker.ports[way]), "-V", version, *who, *tls,
         *words], capture_output=True, text=True, timeout=SECONDS, check=False)
    assert (done.returncode == 0) == (status == 0), done.stderr
    return done.stdout + done.stderr


@pytest.fixture(name="trust", params=["mqtt", "mqtts"])
def way_and_trust(request, certificates):
    """mosquitto's programs speak TCP and TLS."""
    return request.param, certificates["authority"] if request.param == "mqtts" else None


@EACH_VERSION
def test_mosquittos_programs_may_do_what_is_allowed(broker, trust, version):
    way, authority = trust
    answerer = Visitor(broker, "mqtt", version, "answerer", login=ANN)
    answerer.client.on_message = lambda client, data, message: client.publish(
        "room/answer", b"re: " + message.payload, 1)
    assert answerer.follow("room/question") == 1
    assert run("mosquitto_rr", broker, way, version, "-t", "room/question", "-e", "room/answer",
               "-m", "what", "-q", "1", trust=authority) == "re: what\n"
    answerer.leave()
    run("mosquitto_pub", broker, way, version, "-t", "room/kept", "-m", "x", "-r", "-q", "1",
        trust=authority)
    assert run("mosquitto_sub", broker, way, version, "-t", "room/kept", "-C", "1",
               trust=authority) == "x\n"


@EACH_VERSION
def test_mosquittos_programs_are_told_what_is_not(broker, trust, version):
    way, authority = trust
    witness = Witness(broker)
    said = run("mosquitto_pub", broker, way, version, "-t", "secret/x", "-m", "x", "-q", "1",
               trust=authority)
    assert ("Not authorized" in said) == (version == "5")
    said = run("mosquitto_sub", broker, way, version, "-t", "secret/x", trust=authority)
    assert "denied" in said
    run("mosquitto_pub", broker, way, version, "-t", "room/x", "-m", "y", trust=authority)
    assert witness.next() == ("room/x", "y")
    witness.leave()


@EACH_VERSION
@pytest.mark.parametrize("login", [("ann", "a wrong one"), None], ids=["wrong", "none"])
@pytest.mark.parametrize("program", [("mosquitto_pub", "-t", "room/x", "-m", "x"),
                                     ("mosquitto_sub", "-t", "room/x"),
                                     ("mosquitto_rr", "-t", "room/x", "-e", "room/y", "-m", "x")],
                         ids=["pub", "sub", "rr"])
def test_mosquittos_programs_need_the_password(broker, trust, version, login, program):
    way, authority = trust
    said = run(program[0], broker, way, version, *program[1:], login=login, trust=authority,
               status=1)
    assert "Connection error" in said


def test_mosquitto_pub_looks_at_the_brokers_certificate(broker, certificates):
    said = run("mosquitto_pub", broker, "mqtts-expired", "5", "-t", "room/x", "-m", "x",
               trust=certificates["authority"], status=1)
    # How it calls that depends on its version; why it left is what it told the broker.
    assert "rror" in said
    broker.find("certificate expired")


def test_mosquitto_pub_shows_a_certificate(broker, certificates):
    witness = Witness(broker)
    certificate, key = certificates["sensor"]
    run("mosquitto_pub", broker, "mqtts-shown", "5", "-t", "room/sensor", "-m", "x", "--cert",
        certificate, "--key", key, login=None, trust=certificates["authority"])
    assert witness.next() == ("room/sensor", "x")
    witness.leave()
