"""What operators ask a broker over HTTP, and who may."""

import base64
import contextlib
import http.client
import json
import subprocess
import urllib.parse

import pytest

from agent_process import BUILD
from broker_configured import SECONDS, configured, login
from broker_configured import answer as connack
from mqtt_bytes import CONNACK, DISCONNECT, PUBACK, Bytes, publish, session, subscriber

SECRET = "long enough"
WORDS = """listeners:
  - {{port: 0, name: plain}}
  - {{port: 0, protocol: http, host: "{host}"}}
operations: {{{operations}}}
access:
  anonymous: all
  users:
    - {{name: boss, hash: "{hash}", role: admin}}
    - {{name: ann, hash: "{hash}", role: viewer}}
"""


def hash_of(password):
    """As `pifleet passwd` makes it."""
    made = subprocess.run([BUILD / "pifleet", "passwd", "--stdin"], input=password + "\n",
                          capture_output=True, text=True, check=True)
    return json.loads(made.stdout.strip().removeprefix("hash: "))


@pytest.fixture(scope="module")
def hashed():
    return hash_of(SECRET)


class Ports:
    """Where a broker listens."""

    def __init__(self, broker):
        self.broker = broker
        self.mqtt, self.http = broker.listening(), broker.listening()


@pytest.fixture
def start(tmp_path, hashed):
    opened = []

    def begin(operations="", host="localhost", more=""):
        words = WORDS.format(operations=operations, hash=hashed, host=host)
        context = configured(tmp_path, words + more)
        opened.append(context)
        return Ports(context.__enter__())

    yield begin
    for context in opened:
        context.__exit__(None, None, None)


def basic(user="boss", password=SECRET):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def ask(port, path, method="GET", host="127.0.0.1", **fields):
    connection = http.client.HTTPConnection(host, port, timeout=SECONDS)
    connection.request(method, path, headers=fields)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    kind = answer.headers.get("Content-Type", "")
    return answer.status, json.loads(body) if kind == "application/json" else body


PATHS = [("/api/v1/clients", "GET"), ("/api/v1/clients/a", "GET"),
         ("/api/v1/clients/a", "DELETE"), ("/api/v1/clients?id=a", "DELETE"),
         ("/api/v1/events", "GET")]


@pytest.mark.parametrize("path, method", PATHS)
def test_only_admins_may(start, path, method):
    ports = start()
    with session(ports.mqtt, "a"):
        assert ask(ports.http, path, method)[0] == 401
        assert ask(ports.http, path, method, **basic("ann"))[0] == 403
        assert ask(ports.http, path, method, **basic("nobody"))[0] == 401
        assert ask(ports.http, path, method, **basic(password="wrong"))[0] == 401
        assert ask(ports.http, path, method, Authorization="Basic !")[0] == 400
        assert ask(ports.http, path, method, Authorization="Bearer x")[0] == 401
        assert ask(ports.http, path, method, Origin="https://example.org", **basic())[0] == 403


@pytest.mark.parametrize("path, method", PATHS)
def test_this_machine_may_where_it_is_said_so_but_not_by_a_name(start, path, method):
    ports = start("local_admin: true")
    with session(ports.mqtt, "a"):
        assert ask(ports.http, path, method, Host="example.org")[0] == 403
        assert ask(ports.http, path, method, Origin="https://example.org")[0] == 403
        if path != "/api/v1/events":
            assert ask(ports.http, path, method, Host="localhost")[0] in (200, 204)


@pytest.mark.parametrize("metrics, local, admin", [
    ("off", 404, 404), ("admin", 401, 200), ("loopback", 200, 200), ("all", 200, 200)])
def test_metrics_are_for_whom_it_is_said(start, metrics, local, admin):
    ports = start(f"metrics: {metrics}")
    status, text = ask(ports.http, "/metrics")
    assert status == local
    assert ask(ports.http, "/metrics", **basic())[0] == admin
    if status == 200:
        assert "pifleet_mqtt_clients 0" in text
    # By a name that its owner lets point here; what all may read, its pages may read, too.
    assert ask(ports.http, "/metrics", Host="example.org")[0] == {
        "loopback": 403, "all": 200}.get(metrics, local)


def test_clients_are_listed_a_page_at_a_time(start):
    ports = start("local_admin: true")
    names = [f"client-{number}" for number in range(7)]
    clients = [session(ports.mqtt, name) for name in names]
    got, cursor = [], ""
    while cursor is not None:
        status, page = ask(ports.http, f"/api/v1/clients?limit=3&cursor={cursor or 0}")
        assert status == 200
        assert len(page["clients"]) <= 3
        got += [client["client_id"] for client in page["clients"]]
        cursor = page["next"]
    assert got == names
    for query in ("limit=0", "limit=1001", "limit=x", "cursor=-1", "what=1", "limit=%ff"):
        assert ask(ports.http, f"/api/v1/clients?{query}")[0] == 400
    for client in clients:
        client.close()


def test_a_client_is_shown_with_what_it_has(start):
    ports = start("local_admin: true")
    with subscriber(ports.mqtt, "sub/1 ü", "a/+", "b", qos=1, expiry=60) as client:
        client.say(publish("b", b"four", qos=1, number=1))
        client.until(PUBACK)
        status, shown = ask(ports.http, "/api/v1/clients/sub/1%20%C3%BC")
        assert status == 200
        assert shown["connected"] and shown["version"] == "5.0" and shown["user"] == ""
        assert shown["expiry_seconds"] == 60
        assert shown["received_messages"] == 1 and shown["received_bytes"] == 4
        assert {one["filter"]: one["qos"] for one in shown["subscriptions"]} == {"a/+": 1, "b": 1}
    assert ask(ports.http, "/api/v1/clients/nobody")[0] == 404


def test_the_user_of_a_client_is_the_one_who_logged_in(start):
    ports = start("local_admin: true")
    with Bytes(ports.mqtt, login("a", "ann", SECRET)) as client:
        assert client.expect(CONNACK)[1] == 0
        assert ask(ports.http, "/api/v1/clients/a")[1]["user"] == "ann"


def test_a_connection_is_ended_and_its_session_stays_unless_it_is_to_go(start):
    ports = start()
    client = session(ports.mqtt, "a", expiry=600)
    assert ask(ports.http, "/api/v1/clients/a", "DELETE", **basic()) == (204, "")
    kind, _, content = client.ends()
    assert (kind, content[0]) == (DISCONNECT, 0x98)
    assert ask(ports.http, "/api/v1/clients/a", **basic())[1]["connected"] is False
    assert ask(ports.http, "/api/v1/clients/a?session=what", "DELETE", **basic())[0] == 400
    assert ask(ports.http, "/api/v1/clients/a?session=end", "DELETE", **basic())[0] == 204
    assert ask(ports.http, "/api/v1/clients/a", **basic())[0] == 404
    assert ask(ports.http, "/api/v1/clients/a", "DELETE", **basic())[0] == 404
    ports.broker.until("ended session client=a")


# What no path holds, or not as it is: a client calls itself as it likes.
NAMES = ["..", "a/../b", ".", "a//b", "a/", "/", "back\\slash", "a?b&c=d", "1+1 %", "x" * 1024]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_client_is_found_whatever_it_calls_itself(start, name):
    ports = start("local_admin: true")
    path = "/api/v1/clients?" + urllib.parse.urlencode({"id": name})
    with session(ports.mqtt, "a", expiry=600):
        client = session(ports.mqtt, name, expiry=600)
        status, shown = ask(ports.http, path)
        assert (status, shown["client_id"], shown["subscriptions"]) == (200, name, [])
        assert ask(ports.http, path, "DELETE") == (204, "")
        assert client.ends()[0] == DISCONNECT
        assert ask(ports.http, path)[1]["connected"] is False
        assert ask(ports.http, path + "&session=end", "DELETE")[0] == 204
        assert ask(ports.http, path)[0] == 404
        assert ask(ports.http, "/api/v1/clients/a")[1]["connected"] is True


def test_which_client_is_meant_is_said_once(start):
    ports = start("local_admin: true")
    with session(ports.mqtt, "a"), session(ports.mqtt, "b"):
        for query in ("", "?id=", "?id=a&id=b", "?id=a&limit=1", "?session=end", "?id=%ff",
                      "?id=a&session=", "?id=" + "x" * 5000):
            assert ask(ports.http, "/api/v1/clients" + query, "DELETE")[0] == 400
        for query in ("?id=", "?id=a&id=b", "?id=a&limit=1", "?limit=1&id=a", "?id=a&session=end"):
            assert ask(ports.http, "/api/v1/clients" + query)[0] == 400
        assert ask(ports.http, "/api/v1/clients/a?id=b", "DELETE")[0] == 400
        assert len(ask(ports.http, "/api/v1/clients")[1]["clients"]) == 2


class Events:
    """A reader of server-sent events."""

    def __init__(self, port, **fields):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        self.connection.request("GET", "/api/v1/events", headers=fields)
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200
        assert self.answer.headers["Content-Type"] == "text/event-stream"

    def next(self):
        kind = None
        while True:
            line = self.answer.readline().decode().rstrip("\n")
            if line.startswith("event: "):
                kind = line[7:]
            elif line.startswith("data: "):
                event = json.loads(line[6:])
                assert event["type"] == kind
                return event

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()


def test_events_say_who_comes_who_goes_and_what_is_dropped(start):
    ports = start()
    with Events(ports.http, **basic()) as events:
        client = session(ports.mqtt, "a")
        event = events.next()
        assert (event["type"], event["client_id"], event["version"]) == ("connected", "a", "5.0")
        assert event["peer"].startswith("127.0.")
        client.vanish()
        event = events.next()
        assert (event["type"], event["client_id"]) == ("disconnected", "a")
        assert event["why"]
        subscriber(ports.mqtt, "away", "t", expiry=60).close()
        assert events.next()["type"] == "connected"
        assert events.next()["type"] == "disconnected"
        with session(ports.mqtt, "writer") as writer:
            assert events.next()["client_id"] == "writer"
            writer.say(*[publish("t", b"lost")] * 5)
            event = events.next()
            assert (event["type"], event["client_id"], event["cause"], event["count"],
                    event["topic"]) == ("dropped", "away", "dropped_away", 5, "t")


def test_readers_of_events_are_bounded(start):
    ports = start("local_admin: true")
    readers = [Events(ports.http) for _ in range(64)]
    assert ask(ports.http, "/api/v1/events")[0] == 503
    readers.pop().connection.close()
    with session(ports.mqtt, "a"):
        for reader in readers:
            assert reader.next()["client_id"] == "a"
    for reader in readers:
        reader.connection.close()


def test_a_broker_that_ends_ends_its_streams(start):
    ports = start("local_admin: true")
    with Events(ports.http) as events:
        ports.broker.process.terminate()
        # Streams have no end of their own; readers come again.
        with contextlib.suppress(http.client.IncompleteRead):
            events.answer.read()
    assert ports.broker.process.wait(timeout=SECONDS) == 0


def test_guesses_are_slowed_down(start):
    ports = start()
    seen = {ask(ports.http, "/api/v1/clients", **basic(password=f"wrong-{number}"))[0]
            for number in range(6)}
    assert seen == {401, 503}


def test_a_client_cannot_write_members_of_a_log_line(start):
    """Its id and its name are words, or stand between quotes that they cannot end."""
    ports = start(more="log: {connections: true}\n")
    forged = 'x" peer=10.0.0.1 user=boss'
    assert connack(ports.mqtt, login(forged, "ann peer=10.0.0.2", "wrong wrong"))[0] == 0x87
    ports.broker.until(r'refused client="x\? peer=10\.0\.0\.1 user=boss" '
                       r'user="ann peer=10\.0\.0\.2" peer=127\.0\.0\.1:\d+ why=')
    assert connack(ports.mqtt, login("y", "ann" * 1000, "wrong wrong"))[0] == 0x87
    ports.broker.until(r'refused client=y user="(ann){80,}\S*\.\.\." peer=127\.0\.0\.1:\d+ why=')
    assert ask(ports.http, PATHS[0][0], **basic("boss why=x", "wrong"))[0] == 401
    ports.broker.until('refused user="boss why=x" why=')
    with session(ports.mqtt, "a b"):
        ports.broker.until('connect client="a b" user= version=5')
        path = "/api/v1/clients?id=a%20b"
        assert ask(ports.http, path, "DELETE", **basic())[0] == 204
        said = {ports.broker.until(r'(\S+) client="a b"').group(1) for _ in range(2)}
        assert said == {"connection", "disconnect"}
