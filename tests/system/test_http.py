"""HTTP of the real agent: commands, events, figures, WebSockets, over plain TCP and TLS.

What each request and answer has to be is for the unit tests in src/agent/web/ and src/http/;
tricks are in test_http_tricks.py.
"""

import http.client
import json
import queue
import re
import signal
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request

import paho.mqtt.client as paho
import pytest

from agent_process import DidNotStart
from certificates import Authority, common_name
from ports import free_port
from test_gate_rpc import SECRETS, TOKENS

SECONDS = 20
GUESSES = 8
JSON = {"Content-Type": "application/json"}


def port_of(agent, area="http"):
    return int(re.search(rf" {area}: listening address=127\.0\.0\.1:(\d+)", agent.stderr())[1])


def bearer(name):
    # A field holds no line end, but any other secret.
    return {"Authorization": f"Bearer {SECRETS[name]}"}


def post(agent, request, fields=None, connection=None):
    """The status and the reply, of a connection of its own."""
    own = connection or http.client.HTTPConnection("127.0.0.1", port_of(agent), timeout=SECONDS)
    own.request("POST", "/api/command", json.dumps(request), {**JSON, **(fields or {})})
    answer = own.getresponse()
    reply = answer.read()
    if not connection:
        own.close()
    return answer.status, json.loads(reply)


def get(agent, path, fields=None):
    request = urllib.request.Request(f"http://127.0.0.1:{port_of(agent)}{path}",
                                     headers=fields or {})
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


class Events:
    """Reads /api/events in a thread of its own."""

    def __init__(self, agent, fields=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", port_of(agent), timeout=SECONDS)
        self.connection.request("GET", "/api/events", headers=fields or {})
        self.socket = self.connection.sock  # which the answer takes along
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200
        self.came = queue.Queue()
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _read(self):
        event = {}
        try:
            while line := self.answer.readline().decode():
                name, _, value = line.rstrip("\n").partition(": ")
                if name:
                    event[name] = value
                elif event:
                    self.came.put(event)
                    event = {}
        except (OSError, http.client.HTTPException):
            pass
        self.came.put(None)

    def next(self):
        return self.came.get(timeout=SECONDS)

    def next_of(self, kind):
        """What comes before it is passed over."""
        while (event := self.next()).get("event") != kind:
            assert event is not None
        return json.loads(event["data"])

    def close(self):
        # Its reader wakes up with the end of the stream.
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has ended already
        self.thread.join(SECONDS)
        assert not self.thread.is_alive()
        self.connection.close()


def test_a_command_has_the_reply_of_the_command_server(agent):
    status, reply = post(agent, {"command": "echo", "text": "ü", "id": 7})
    expected = agent.call({"command": "echo", "text": "ü", "id": 7})
    assert status == 200
    assert list(reply) == list(expected)
    assert reply["echo"] == expected["echo"]


def test_a_pin_is_driven_and_the_audit_says_from_where(agent):
    events = Events(agent)
    assert events.next() == {"retry": "3000"}
    status, reply = post(agent, {"command": "led_on", "pin": 17})
    assert (status, reply["state"]) == (200, "on")
    line = events.next_of("gpio.line")
    assert (line["pin"], line["value"]) == (17, 1)
    audit = events.next_of("command.audit")
    assert (audit["command"], audit["transport"], audit["outcome"]) == ("led_on", "http", "ok")
    events.close()
    assert "audit: led_on outcome=ok who=\"open\" role=admin transport=http" in agent.stderr()


def test_roles_hold_over_http(start_agent):
    agent = start_agent(config=TOKENS)
    ping, change = {"command": "ping"}, {"command": "led_on", "pin": 17}
    assert post(agent, ping)[0] == 401
    assert post(agent, ping, bearer("viewer"))[0] == 200
    assert post(agent, change, bearer("viewer"))[0] == 403
    assert post(agent, change, bearer("operator"))[0] == 200
    assert get(agent, "/api/events")[0] == 401
    assert get(agent, "/metrics")[0] == 401
    assert get(agent, "/metrics", bearer("viewer"))[0] == 200
    assert post(agent, {"command": "auth"}, bearer("operator"))[1]["role"] == "operator"
    # In the body, as on the command server.
    assert post(agent, {**ping, "token": SECRETS["viewer"]})[0] == 200


def test_wrong_tokens_are_slowed_down_together_with_those_of_other_transports(start_agent):
    agent = start_agent(config=TOKENS)
    wrong = {"Authorization": "Bearer a wrong secret"}
    seen = [post(agent, {"command": "ping"}, wrong)[0] for _ in range(4)]
    assert seen[:3] == [401] * 3
    # The waits double from half a second on: who is slow finds one that is long enough.
    for _ in range(GUESSES):
        if post(agent, {"command": "ping"}, wrong)[0] == 429 and \
                agent.call({"command": "auth", "token": "a wrong secret"})["code"] == "BUSY":
            return
    pytest.fail("nobody is slowed down")


def test_no_other_page_controls_the_agent(agent):
    ping = {"command": "ping"}
    port = port_of(agent)
    assert post(agent, ping, {"Origin": "http://evil.example"})[0] == 403
    assert post(agent, ping, {"Host": f"evil.example:{port}"})[0] == 403
    assert post(agent, ping, {"Host": f"evil.example:{port}",
                              "Origin": f"http://evil.example:{port}"})[0] == 403
    assert post(agent, ping, {"Origin": f"http://127.0.0.1:{port}"})[0] == 200
    assert get(agent, "/api/events", {"Host": "evil.example"})[0] == 403
    assert get(agent, "/metrics", {"Host": "evil.example"})[0] == 403
    # What a form can send is no command.
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert http_status(agent, {"Content-Type": kind}) == 415


def http_status(agent, fields):
    connection = http.client.HTTPConnection("127.0.0.1", port_of(agent), timeout=SECONDS)
    connection.request("POST", "/api/command", '{"command":"led_on","pin":17}', fields)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def test_a_command_that_takes_time_is_answered_when_it_is_done(agent):
    began = time.monotonic()
    slow = threading.Thread(target=post, args=(agent, {"command": "gpio_test", "pin": 17,
                                                       "times": 1, "interval": 1}))
    slow.start()
    await_holder(agent, 17)
    assert post(agent, {"command": "ping"})[0] == 200
    assert slow.is_alive()
    slow.join()
    assert time.monotonic() - began >= 2


def await_holder(agent, pin):
    """A command that drives the pin is under way."""
    end = time.monotonic() + SECONDS
    while not agent.call({"command": "gpio_status", "pin": pin})["pins"][str(pin)]["holder"]:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_one_connection_carries_many_commands(agent):
    connection = http.client.HTTPConnection("127.0.0.1", port_of(agent), timeout=SECONDS)
    for number in range(200):
        assert post(agent, {"command": "ping", "id": number}, connection=connection)[1]["id"] == \
            number
    transport = agent.call({"command": "connection_stats"})["transports"]["http"]
    assert (transport["requests"], transport["connections"]) == (200, 1)
    connection.close()


def test_figures_count_what_was_done(agent):
    for _ in range(3):
        post(agent, {"command": "ping"})
    post(agent, {"command": "led_on", "pin": "x"})
    status, figures = get(agent, "/metrics")
    assert status == 200
    values = dict(line.rsplit(" ", 1) for line in figures.splitlines() if line[0] != "#")
    assert values['pifleet_command_calls_total{command="ping"}'] == "3"
    assert values['pifleet_command_errors_total{command="led_on"}'] == "1"
    assert values['pifleet_requests_total{transport="http"}'] == "4"
    assert float(values["pifleet_uptime_seconds"]) > 0
    assert values["pifleet_mqtt_clients"] == "0"
    # Each family stands there once, and every sample belongs to one.
    families = re.findall(r"^# TYPE (\S+) (?:counter|gauge)$", figures, re.M)
    assert len(families) == len(set(families))
    for name in values:
        assert re.split(r"[{ ]", name)[0] in families


def test_files_of_a_folder_are_served(start_agent, tmp_path):
    page = tmp_path / "page"
    page.mkdir()
    (page / "index.html").write_text("<p>hello</p>")
    (page / ".secret").write_text("no")
    (page / "link").symlink_to("/etc/passwd")
    agent = start_agent(config={"http": {"page": str(page)}})
    assert get(agent, "/") == (200, "<p>hello</p>")
    for path in ("/.secret", "/link", "/nothing"):
        assert get(agent, path)[0] == 404
    connection = http.client.HTTPConnection("127.0.0.1", port_of(agent), timeout=SECONDS)
    connection.request("GET", "/index.html")
    answer = connection.getresponse()
    answer.read()
    connection.request("GET", "/index.html", headers={"If-None-Match": answer.headers["ETag"]})
    again = connection.getresponse()
    assert (again.status, again.read()) == (304, b"")
    connection.close()


def test_a_folder_that_is_not_there_is_a_mistake(start_agent):
    with pytest.raises(DidNotStart, match=r"http\.page: /nowhere"):
        start_agent(config={"http": {"page": "/nowhere"}})


def test_a_port_that_another_program_has_stops_nothing_else(start_agent):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        agent = start_agent(config={"http": {"port": port}})
    assert re.search(rf"error http: cannot listen on 127\.0\.0\.1:{port}: .* http\.port",
                     agent.stderr())
    assert agent.call({"command": "get_status"})["http"]["listening"] is False


def test_without_a_token_the_network_is_not_listened_to(start_agent):
    agent = start_agent(config={"access": {"mode": "token"}, "http": {"host": "0.0.0.0"}})
    assert port_of(agent) > 0  # on 127.0.0.1, as its log says
    assert "pifleet setup" in agent.stderr()


def test_it_is_switched_off(start_agent):
    for options in ({"config": {"http": {"enabled": False}}}, {"arguments": ["--http-port", "0"]}):
        agent = start_agent(**options)
        assert " http: listening" not in agent.stderr()
        assert "http" not in agent.call({"command": "get_status"})


def test_an_appliance_has_no_port(start_agent):
    agent = start_agent(config={"profile": "appliance"})
    assert not re.search(r"listening address=127", agent.stderr())
    with agent.connect_unix() as client:
        assert "http" not in client.call("get_status")


def test_what_is_under_way_is_answered_before_the_end(agent):
    events = Events(agent)
    events.next()
    connection = http.client.HTTPConnection("127.0.0.1", port_of(agent), timeout=SECONDS)
    # Longer than any test takes to say that it is to end.
    connection.request("POST", "/api/command",
                       json.dumps({"command": "gpio_test", "times": 50, "interval": 1}), JSON)
    events.next_of("gpio.line")
    agent.process.send_signal(signal.SIGTERM)
    answer = connection.getresponse()
    assert answer.headers["Connection"] == "close"
    answer.read()
    connection.close()
    while events.next() is not None:
        pass
    events.close()
    assert agent.wait() == 0


def test_who_comes_again_learns_what_it_missed(agent):
    first, other = Events(agent), Events(agent)
    post(agent, {"command": "led_on", "pin": 17})
    while "id" not in (event := first.next()):
        pass
    first.close()
    post(agent, {"command": "led_off", "pin": 17})
    again = Events(agent, {"Last-Event-ID": event["id"]})
    post(agent, {"command": "led_on", "pin": 18})
    assert again.next_of("missed")["count"] >= 2
    assert again.next_of("gpio.line")["pin"] == 18
    again.close()
    other.close()


def test_clients_that_go_leave_nothing_behind(agent):
    for _ in range(50):
        connection = http.client.HTTPConnection("127.0.0.1", port_of(agent), timeout=SECONDS)
        connection.request("POST", "/api/command",
                           json.dumps({"command": "gpio_test", "interval": 0.01, "times": 1}),
                           JSON)
        connection.close()
    end = time.monotonic() + SECONDS
    while agent.call({"command": "connection_stats"})["transports"]["http"]["connections"] > 0:
        assert time.monotonic() < end
        time.sleep(0.01)


def websocket_client(port, name, tls=None):
    words = {"client_id": name, "transport": "websockets"}
    if hasattr(paho, "CallbackAPIVersion"):  # paho 2, in Debian 13
        words["callback_api_version"] = paho.CallbackAPIVersion.VERSION1
    client = paho.Client(**words)
    client.ws_set_options(path="/mqtt")
    if tls:
        client.tls_set_context(tls)
    greetings, messages = queue.Queue(), queue.Queue()
    client.on_connect = lambda client, data, flags, code: greetings.put(code)
    client.on_message = lambda client, data, message: messages.put(message)
    client.on_subscribe = lambda client, data, mid, codes: greetings.put(codes)
    client.connect("localhost", port)
    client.loop_start()
    assert greetings.get(timeout=SECONDS) == 0
    return client, greetings, messages


def ask_over_websocket(port, tls=None):
    client, greetings, messages = websocket_client(port, "web", tls)
    client.subscribe("pi/rpc/response/web")
    greetings.get(timeout=SECONDS)
    client.publish("pi/rpc/request", '{"command":"ping","reply":true}')
    reply = json.loads(messages.get(timeout=SECONDS).payload)
    client.disconnect()
    client.loop_stop()
    return reply


def handshake(port, host, origin):
    """The status of GET /mqtt as a page's browser sends it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    connection.request("GET", "/mqtt", headers={
        "Host": host, "Origin": f"http://{origin}", "Connection": "Upgrade",
        "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Protocol": "mqtt",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_page_of_ours_may_connect_by_each_of_our_names(start_agent):
    port = port_of(start_agent(config={"http": {"port": 0, "names": ["garden.example"]}}))
    names = ["127.0.0.1", "localhost", "garden.example", socket.gethostname(),
             f"{socket.gethostname()}.local"]
    for name in names:
        assert handshake(port, f"{name}:{port}", f"{name}:{port}") == 101, name
    assert handshake(port, f"evil.example:{port}", f"evil.example:{port}") == 403
    assert handshake(port, f"garden.example:{port}", f"evil.example:{port}") == 403


def test_mqtt_is_spoken_over_a_websocket(agent):
    assert ask_over_websocket(port_of(agent))["type"] == "pong"


def test_all_of_it_is_there_with_tls(start_agent, tmp_path):
    authority = Authority(tmp_path)
    certificate, key = authority.sign("first")
    port = free_port()
    agent = start_agent(config={"http": {"tls_port": port},
                                "tls": {"certificate": str(certificate), "key": str(key)}})
    assert port_of(agent, "https") == port
    connection = http.client.HTTPSConnection("localhost", port, timeout=SECONDS,
                                             context=authority.context())
    assert post(agent, {"command": "ping"}, connection=connection)[0] == 200
    assert common_name(connection.sock) == "first"
    assert ask_over_websocket(port, authority.context())["type"] == "pong"

    # Another certificate: who is there goes on, who comes gets the new one.
    second = authority.sign("second")
    certificate.write_bytes(second[0].read_bytes())
    key.write_bytes(second[1].read_bytes())
    agent.process.send_signal(signal.SIGHUP)
    end = time.monotonic() + SECONDS
    while "tls: new certificate" not in agent.stderr():
        assert time.monotonic() < end
        time.sleep(0.01)
    assert post(agent, {"command": "ping"}, connection=connection)[0] == 200
    assert common_name(connection.sock) == "first"
    connection.close()
    later = http.client.HTTPSConnection("localhost", port, timeout=SECONDS,
                                        context=authority.context())
    assert post(agent, {"command": "ping"}, connection=later)[0] == 200
    assert common_name(later.sock) == "second"
    later.close()

    # One that is none is not taken.
    key.write_text("no key")
    agent.process.send_signal(signal.SIGHUP)
    while "going on with the certificate of before" not in agent.stderr():
        assert time.monotonic() < end
        time.sleep(0.01)
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as plain, \
            authority.context().wrap_socket(plain, server_hostname="localhost") as client:
        assert common_name(client) == "second"


def test_who_does_not_trust_the_certificate_gets_nothing(start_agent, tmp_path):
    certificate, key = Authority(tmp_path).sign("stranger")
    port = free_port()
    agent = start_agent(config={"http": {"tls_port": port},
                                "tls": {"certificate": str(certificate), "key": str(key)}})
    connection = http.client.HTTPSConnection("localhost", port, timeout=SECONDS)
    with pytest.raises(ssl.SSLCertVerificationError):
        post(agent, {"command": "ping"}, connection=connection)
    connection.close()
