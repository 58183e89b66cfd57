"""pifleet pub and sub: with our own broker, with mosquitto's programs on the other side, and
with brokers that say no, nothing, or nonsense."""

import base64
import contextlib
import json
import re
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest

from agent_process import SANITIZER_REPORT, free_port
from broker_process import running_broker
from command_line import (NO_CONNECTION, OK, PROGRAM, REFUSED, SECONDS, USAGE, Terminal,
                          environment, run)
from fake_broker import CONNECT, CONNECTED, DISCONNECT, PUBLISH, SUBSCRIBE, FakeBroker, packet, text
from mqtt_command import Subscriber, mosquitto, mqtt, port

BYTES = bytes(range(256)) + b"\n\xff\x00end"
HOSTILE = "\033]0;owned\007\u009b31m\u202e\nsecond line"


# ---- pub ----


@pytest.mark.parametrize("qos", ["0", "1", "2"])
def test_what_pub_sends_mosquitto_sub_receives(port, qos):
    process = subprocess.Popen(["mosquitto_sub", "-p", str(port), "-V", "5", "-t", "a/#", "-q", "2",
                                "-C", "2", "-F", "%t %q %r %p"], stdout=subprocess.PIPE)
    mqtt("pub", "a/greeting", "x", "--retain", port=port)
    assert process.stdout.readline().startswith(b"a/greeting 1 ")
    assert mqtt("pub", "a/b", "17", "--qos", qos, port=port) == (OK, b"", "")
    assert process.communicate(timeout=SECONDS)[0] == f"a/b {qos} 0 17\n".encode()


@pytest.mark.parametrize("way", ["word", "stdin", "file", "file from stdin"])
def test_a_payload_comes_from_where_it_is_said(port, way, tmp_path):
    payload = b"two words" if way == "word" else BYTES
    (tmp_path / "file").write_bytes(payload)
    words = {"word": ["two words"], "stdin": ["-"], "file": ["--file", tmp_path / "file"],
             "file from stdin": ["-f", "-"]}[way]
    assert mqtt("pub", "t", *words, "-r", port=port, input=payload) == (OK, b"", "")
    assert mosquitto("mosquitto_sub", "-t", "t", "-C", "1", "-N", port=port) == payload


def test_each_line_is_a_message(port):
    count = 500
    follower = Subscriber("lines", "--count", str(count + 1), port=port)
    lines = "".join(f"line {number}\n" for number in range(count - 1)) + "without an end"
    assert mqtt("pub", "lines", "--lines", "--qos", "2", port=port, input=lines.encode())[0] == OK
    assert follower.end() == (OK, lines.encode() + b"\n", "")


def test_lines_are_sent_as_they_come(port):
    follower = Subscriber("lines", port=port)
    process = subprocess.Popen([PROGRAM, "pub", "lines", "-l", "--port", str(port)],
                               stdin=subprocess.PIPE, env=environment())
    for number in range(3):
        process.stdin.write(f"{number}\n".encode())
        process.stdin.flush()
        assert follower.line() == f"{number}\n".encode()
    process.stdin.close()
    assert process.wait(timeout=SECONDS) == OK
    follower.end(signal.SIGTERM)


def test_null_removes_what_is_retained(port):
    mqtt("pub", "kept", "x", "--retain", port=port)
    assert mqtt("sub", "kept", "--retained-only", port=port) == (OK, b"x\n", "")
    assert mqtt("pub", "kept", "--null", "--retain", port=port)[0] == OK
    assert mqtt("sub", "kept", "--retained-only", port=port) == (OK, b"", "")


def test_properties_are_sent_along(port):
    assert mqtt("pub", "t", "x", "-r", "--expiry", "100", "--content-type", "text/plain",
                "--response-topic", "reply/here", "--user-property", "a=1", "--user-property",
                "a=2=3", port=port)[0] == OK
    shown = mosquitto("mosquitto_sub", "-t", "t", "-C", "1", "-F", "%C %R %P", port=port)
    assert shown == b"text/plain reply/here a:1 a:2=3\n"


def test_a_will_is_published_when_the_connection_breaks_and_only_then(port):
    words = ["--will-topic", "will", "--will-payload", "gone", "--will-qos", "1"]
    heir = Subscriber("will", "-v", port=port)
    assert mqtt("pub", "t", "x", *words, port=port)[0] == OK
    polite = Subscriber(*words, port=port)
    assert polite.end(signal.SIGINT)[0] == -signal.SIGINT
    mqtt("pub", "will", "not yet", port=port)
    Subscriber(*words, port=port).end(signal.SIGKILL)
    assert heir.line() == b"will not yet\n"
    assert heir.line() == b"will gone\n"
    heir.end(signal.SIGTERM)


# ---- sub ----


@pytest.mark.parametrize("qos", ["0", "1", "2"])
def test_what_mosquitto_pub_sends_sub_prints_at_once(port, qos):
    follower = Subscriber("a/+", "b/#", "--verbose", "--qos", "2", port=port)
    assert follower.greeting == b"greeting/%d hello\n" % int(follower.greeting.split()[0][9:])
    for topic in ("a/b", "b/c/d", "a/c"):
        mosquitto("mosquitto_pub", "-t", topic, "-m", f"of {topic}", "-q", qos, port=port)
        assert follower.line() == f"{topic} of {topic}\n".encode()
    assert follower.end(signal.SIGTERM) == (-signal.SIGTERM, b"", "")


def test_payloads_of_any_bytes_and_size(port):
    big = bytes(range(256)) * 3900  # a little below our broker's bound for a packet
    for payload in (BYTES, big, b""):
        follower = Subscriber("bytes", "--count", "2", "--raw", port=port, greet=False)
        mosquitto("mosquitto_pub", "-t", "bytes", "-r", "-q", "1", "-s", port=port, input=b"first")
        assert follower.process.stdout.read(5) == b"first"
        mosquitto("mosquitto_pub", "-t", "bytes", "-q", "1", "-s" if payload else "-n", port=port,
                  input=payload)
        assert follower.end() == (OK, payload, "")
        mosquitto("mosquitto_pub", "-t", "bytes", "-r", "-n", port=port)


def test_json_has_all_of_a_message(port):
    mosquitto("mosquitto_pub", "-t", "kept/a", "-m", "x\u20ac", "-r", "-q", "1",
              "-D", "publish", "user-property", "k", "v",
              "-D", "publish", "user-property", "k", "w",
              "-D", "publish", "content-type", "text", "-D", "publish", "response-topic", "r",
              "-D", "publish", "correlation-data", "c\u20ac",
              "-D", "publish", "payload-format-indicator", "1",
              "-D", "publish", "message-expiry-interval", "100", port=port)
    mosquitto("mosquitto_pub", "-t", "kept/b", "-s", "-r", port=port, input=BYTES)
    before = time.time()
    status, out, err = mqtt("sub", "kept/#", "--json", "--count", "2", port=port)
    assert (status, err) == (OK, "")
    found = {message["topic"]: message for message in map(json.loads, out.splitlines())}
    assert before - 1 < found["kept/a"].pop("time") < time.time() + 1
    expiry = found["kept/a"]["properties"].pop("expiry")
    assert 90 <= expiry <= 100
    assert found["kept/a"] == {
        "topic": "kept/a", "qos": 1, "retain": True, "payload": "x\u20ac",
        "properties": {"payload_format": 1, "content_type": "text", "response_topic": "r",
                       "correlation_base64": base64.b64encode("c\u20ac".encode()).decode(),
                       "user": [["k", "v"], ["k", "w"]]}}
    assert base64.b64decode(found["kept/b"]["payload_base64"]) == BYTES
    assert found["kept/b"]["properties"] == {} and found["kept/b"]["qos"] == 0


def test_retained_only_and_no_retained(port):
    for name in ("a", "b", "c"):
        mqtt("pub", f"kept/{name}", name, "--retain", port=port)
    status, out, err = mqtt("sub", "kept/#", "--retained-only", port=port)
    assert (status, sorted(out.split()), err) == (OK, [b"a", b"b", b"c"], "")
    assert mqtt("sub", "kept/#", "-R", "--timeout", "0.5", port=port) == (OK, b"", "")


def test_retained_only_ends_where_others_go_on_publishing(port):
    mqtt("pub", "kept/a", "a", "--retain", port=port)
    busy = subprocess.Popen([PROGRAM, "pub", "kept/b", "--lines", "--port", str(port)],
                            stdin=subprocess.PIPE)
    with busy:
        ended = threading.Event()

        def speak():
            while not ended.wait(0.05):
                busy.stdin.write(b"news\n")
                busy.stdin.flush()

        speaker = threading.Thread(target=speak)
        speaker.start()
        try:
            assert mqtt("sub", "kept/#", "--retained-only", port=port) == (OK, b"a\n", "")
        finally:
            ended.set()
            speaker.join()
            busy.stdin.close()


def test_too_few_messages_in_time_are_a_failure(port):
    mqtt("pub", "kept", "x", "--retain", port=port)
    status, out, err = mqtt("sub", "kept", "--count", "2", "--timeout", "0.5", port=port)
    assert (status, out) == (REFUSED, b"x\n")
    assert err == "pifleet: 1 of 2 messages came within 0.5 s\n"


def test_a_session_keeps_messages_between_two_runs(port):
    words = ["t", "--client-id", "sleeper", "--session-expiry", "100", "--count", "1"]
    mqtt("pub", "t", "first", "--retain", port=port)
    assert mqtt("sub", *words, port=port) == (OK, b"first\n", "")
    mqtt("pub", "t", "meanwhile", port=port)
    assert mqtt("sub", *words, port=port) == (OK, b"meanwhile\n", "")


@pytest.mark.parametrize("shape", [[], ["--verbose"], ["--json"]])
def test_nothing_in_a_message_commands_the_terminal(port, shape):
    topic = "t/\u202e"
    mosquitto("mosquitto_pub", "-t", topic, "-s", "-r", "-D", "publish", "user-property", "k",
              "\u202e", port=port, input=HOSTILE.encode())
    terminal = Terminal("sub", "t/+", "--retained-only", "--port", port, *shape)
    status, shown = terminal.end()
    assert status == OK and "owned" in shown and shown.count("\n") == 1
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", shown)
    if shape == ["--json"]:
        assert json.loads(shown)["payload"] == HOSTILE


def test_a_reader_that_has_seen_enough_ends_it(port):
    follower = Subscriber("t", port=port)
    follower.process.stdout.close()
    # No message has to come for that.
    assert follower.process.wait(timeout=SECONDS) == OK
    assert follower.process.stderr.read() == b""


def test_output_that_cannot_be_written_ends_it():
    message = packet(PUBLISH, text("t") + b"\0" + b"one")
    with FakeBroker(after=message, connections=2) as fake, open("/dev/full", "wb") as full:
        done = subprocess.run([PROGRAM, "sub", "t", "--port", str(fake.port)], stdout=full,
                              stderr=subprocess.PIPE, env=environment(), timeout=SECONDS,
                              check=False)
    assert done.returncode == REFUSED
    assert done.stderr == b"pifleet: a message cannot be printed: No space left on device\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_quietly(number):
    with FakeBroker() as fake:
        follower = Subscriber("t", port=fake.port, greet=False)
        wait_for(lambda: len(fake.packets) >= 2)
        assert follower.end(number) == (-number, b"", "")
    assert [kind for kind, *_ in fake.packets] == [CONNECT, SUBSCRIBE, DISCONNECT]


def test_a_signal_ends_it_while_nobody_answers():
    with FakeBroker(connack=None) as fake:
        follower = Subscriber("t", port=fake.port, greet=False)
        wait_for(lambda: fake.packets)
        assert follower.end(signal.SIGINT) == (-signal.SIGINT, b"", "")


def wait_for(condition):
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_broker_that_comes_back_is_found_again():
    message = packet(PUBLISH, text("t") + b"\0" + b"one")
    with FakeBroker(after=message + packet(DISCONNECT, b"\x8b\0"), connections=2) as fake:
        follower = Subscriber("t", "--count", "2", port=fake.port, greet=False)
        status, out, err = follower.end()
    assert (status, out) == (OK, b"one\none\n")
    assert "the broker ended the connection: Server shutting down (0x8b). Trying again in 0." in err
    assert err.endswith("Connected again.\n")


def test_the_words_of_a_broker_that_is_waited_for_command_no_terminal():
    with FakeBroker(after=packet(DISCONNECT, b"\x8b\0"), words="later \u202e",
                    connections=2) as fake:
        follower = Subscriber("t", port=fake.port, greet=False)
        assert b"shutting down" in follower.process.stderr.readline()
        fake.connack = 0x89
        line = follower.process.stderr.readline().decode()
    assert "later \\u{202e}. Trying again in" in line


def test_a_broker_that_is_killed_is_waited_for():
    with running_broker() as number:
        follower = Subscriber("t", port=number)
    line = follower.process.stderr.readline().decode()
    assert re.search(r"Trying again in 0\.[2-5] s\.$", line.strip()), line
    line = follower.process.stderr.readline().decode()
    assert "Connection refused" in line and "Trying again in" in line
    assert follower.end(signal.SIGINT)[0] == -signal.SIGINT


def test_time_runs_while_a_broker_is_waited_for():
    with FakeBroker(after=packet(DISCONNECT, b"\x8b\0")) as fake:
        follower = Subscriber("t", "--timeout", "1.5", port=fake.port, greet=False)
        wait_for(lambda: len(fake.packets) >= 2)
    assert follower.end()[:2] == (OK, b"")


def test_two_with_one_client_id_do_not_fight():
    with FakeBroker(after=packet(DISCONNECT, b"\x8e\0"), connections=2) as fake:
        status, _, err = mqtt("sub", "t", port=fake.port)
    assert status == REFUSED and "Session taken over" in err and "--client-id" in err
    assert [kind for kind, *_ in fake.packets].count(CONNECT) == 1


# ---- brokers that say no ----


@pytest.mark.parametrize("code, words, sentence, status", [
    (0x87, [], "Not authorized (0x87): sorry. Say who you are: --user NAME, and its password; to an agent a "
     "token in $PIFLEET_PASSWORD",
     REFUSED),
    (0x87, ["--user", "anna"], "in the broker's own configuration", REFUSED),
    (0x86, ["--user", "anna"], "--user and at $PIFLEET_PASSWORD or --password-file", REFUSED),
    (0x85, [], "--client-id gives another one", REFUSED),
    (0x84, [], "MQTT 5 is what pifleet speaks", REFUSED),
    (0x88, [], "Server unavailable (0x88)", NO_CONNECTION),
])
@pytest.mark.parametrize("command", [["pub", "t", "x"], ["sub", "t"], ["rpc", "ping"]])
def test_a_refused_connection_names_the_next_step(command, code, words, sentence, status):
    with FakeBroker(connack=code, words="sorry") as fake:
        done, out, err = mqtt(*command, *words, port=fake.port)
    assert (done, out) == (status, b"")
    assert sentence in err and err.count("\n") == 1


def test_a_broker_of_an_older_mqtt():
    with FakeBroker(greeting=packet(2, b"\0\1")) as fake:
        status, _, err = mqtt("pub", "t", "x", port=fake.port)
    # Its two bytes are no CONNACK of MQTT 5: libmosquitto before 2.0.19 makes a refusal of
    # them, later ones see nonsense.
    assert status in (REFUSED, NO_CONNECTION) and "MQTT 5 is what pifleet speaks" in err


@pytest.mark.parametrize("command", [["pub", "t", "x"], ["sub", "t"], ["rpc", "ping"]])
@pytest.mark.parametrize("greeting", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0" * 100])
def test_what_is_no_broker(command, greeting):
    with FakeBroker(greeting=greeting) as fake:
        status, _, err = mqtt(*command, "--timeout", "1", port=fake.port)
    assert status == NO_CONNECTION and "pifleet: " in err


@pytest.mark.parametrize("command", [["pub", "t", "x"], ["rpc", "ping"]])
def test_a_refused_message_is_told(command):
    with FakeBroker(puback=0x87, suback=(1,), words="not here") as fake:
        status, out, err = mqtt(*command, port=fake.port)
    assert (status, out) == (REFUSED, b"")
    assert "the broker refused the message: Not authorized (0x87): not here. Say who you are" in err


def test_nobody_to_read_it_is_no_failure():
    with FakeBroker(puback=0x10) as fake:
        assert mqtt("pub", "t", "x", port=fake.port) == (OK, b"", "")


def test_refused_filters_are_told_one_by_one():
    message = packet(PUBLISH, text("b") + b"\0" + b"one")
    with FakeBroker(suback=(0x87, 0, 0x9e), after=message) as fake:
        status, out, err = mqtt("sub", "a", "b", "$share/g/c", "--count", "1", port=fake.port)
    assert (status, out) == (REFUSED, b"one\n")
    assert err == ("pifleet: the broker refused a: Not authorized (0x87)\n"
                   "pifleet: the broker refused $share/g/c: Shared Subscriptions not supported "
                   "(0x9e)\n")
    with FakeBroker(suback=(0x87,)) as fake:
        status, _, err = mqtt("sub", "a", port=fake.port)
    assert status == REFUSED and err == "pifleet: the broker refused a: Not authorized (0x87)\n"


# ---- brokers that say nothing ----


@pytest.mark.parametrize("command", [["pub", "t", "x"], ["sub", "t"], ["rpc", "ping"]])
def test_a_broker_that_never_answers(command):
    with FakeBroker(connack=None) as fake:
        status, out, err = mqtt(*command, "--timeout", "0.3", port=fake.port)
    assert (status, out) == (NO_CONNECTION, b"")
    assert "took the connection but did not answer in time. If it is a TLS port, add --tls" in err


def test_a_broker_that_never_acknowledges():
    with FakeBroker(puback=None) as fake:
        status, _, err = mqtt("pub", "t", "x", "--timeout", "0.3", port=fake.port)
    assert status == NO_CONNECTION and "did not acknowledge the message in time" in err


def test_an_agent_that_never_replies():
    with FakeBroker(suback=(1,)) as fake:
        status, _, err = mqtt("rpc", "ping", "--timeout", "0.3", port=fake.port)
    assert status == NO_CONNECTION and "no reply came in time" in err


@pytest.mark.parametrize("command", [["pub", "t", "x"], ["sub", "t"], ["rpc", "ping"]])
def test_nobody_there_names_the_next_step(command):
    status, out, err = mqtt(*command, port=free_port())
    assert (status, out) == (NO_CONNECTION, b"")
    assert "Connection refused" in err and "pifleet-broker" in err


def test_a_host_that_is_not_there():
    status, _, err = run("pub", "t", "x", "--host", "no-such-host.invalid")
    assert status == NO_CONNECTION and "no-such-host.invalid" in err


def test_a_payload_that_is_too_large_for_the_broker(port):
    status, _, err = mqtt("pub", "t", "-", port=port, input=b"x" * (2 << 20))
    assert status == REFUSED and "that is larger than 127.0.0.1" in err


def test_all_that_a_session_kept_may_come_before_the_suback():
    count = 50_000
    message = packet(PUBLISH, text("t") + b"\0" + b"one")
    with FakeBroker(greeting=CONNECTED + message * count) as fake:
        status, out, err = mqtt("sub", "t", "--count", count, port=fake.port)
    assert (status, out, err) == (OK, b"one\n" * count, "")


def test_a_flood_in_place_of_a_suback_has_an_end():
    message = packet(PUBLISH, text("t") + b"\0" + bytes(16_000))
    with FakeBroker(greeting=CONNECTED + message * 4500, suback=None) as fake:
        status, out, err = mqtt("sub", "t", port=fake.port)
    assert (status, out) == (NO_CONNECTION, b"")
    assert "sends messages faster than they are taken" in err


def test_lines_end_when_the_broker_goes_away():
    with FakeBroker(greeting=CONNECTED + packet(DISCONNECT, b"\x8b\0")) as fake:
        # Its standard input stays open, and nothing comes from there.
        process = subprocess.Popen([PROGRAM, "pub", "t", "--lines", "--port", str(fake.port)],
                                   stdin=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=environment())
        assert process.wait(timeout=SECONDS) == NO_CONNECTION
    assert b"Server shutting down (0x8b)" in process.stderr.read()
    process.stdin.close()
    process.stderr.close()


def test_the_next_address_of_a_name_is_tried():
    with FakeBroker() as fake:  # at 127.0.0.1, and not at ::1
        assert mqtt("pub", "t", "x", "--host", "localhost", port=fake.port) == (OK, b"", "")


# ---- who one is ----


def strings_of_connect(body):
    """The texts of a CONNECT without a will: client id, user, password."""
    flags, rest, found = body[7], body[11 + body[10]:], []
    for bit in (0, 0x80, 0x40):
        if bit and not flags & bit:
            found.append(None)
            continue
        length = int.from_bytes(rest[:2], "big")
        found.append(rest[2:2 + length].decode())
        rest = rest[2 + length:]
    return found


@pytest.mark.parametrize("way", ["file", "stdin", "environment", "none"])
def test_a_password_comes_from_anywhere_but_the_command_line(way, tmp_path):
    (tmp_path / "password").write_text("s3cret\n")
    words, more = {
        "file": (["--password-file", tmp_path / "password"], {}),
        "stdin": (["--password-file", "-"], {"input": b"s3cret\r\n"}),
        "environment": ([], {"environment": {"PIFLEET_PASSWORD": "s3cret"}}),
        "none": ([], {"input": b""}),
    }[way]
    with FakeBroker() as fake:
        done = mqtt("pub", "t", "x", "-u", "anna", "-i", "me", *words, port=fake.port, **more)
    assert done == (OK, b"", "")
    password = None if way == "none" else "s3cret"
    assert strings_of_connect(fake.packets[0][2]) == ["me", "anna", password]


def test_a_token_is_shown_to_agents_only():
    with FakeBroker(puback=0x10, suback=(1,)) as fake:
        mqtt("rpc", "ping", port=fake.port, environment={"PIFLEET_TOKEN": "t0ken"})
    assert strings_of_connect(fake.packets[0][2])[1:] == [None, "t0ken"]
    for command in (["pub", "t", "x"], ["sub", "t", "--timeout", "0.1"]):
        with FakeBroker() as fake:
            mqtt(*command, port=fake.port, environment={"PIFLEET_TOKEN": "t0ken"})
        assert strings_of_connect(fake.packets[0][2])[1:] == [None, None]


def test_a_terminal_is_asked_for_the_password():
    with FakeBroker() as fake:
        terminal = Terminal("pub", "t", "x", "--user", "anna", "--port", fake.port)
        terminal.read_until(b"Password: ")
        terminal.type(b"s3cret\n")
        status, shown = terminal.end()
    assert status == OK and "s3cret" not in shown
    assert strings_of_connect(fake.packets[0][2])[1:] == ["anna", "s3cret"]


def test_a_client_id_is_made_when_none_is_given():
    ids = set()
    for _ in range(3):
        with FakeBroker() as fake:
            mqtt("pub", "t", "x", port=fake.port)
        ids.add(strings_of_connect(fake.packets[0][2])[0])
    assert len(ids) == 3 and all(re.fullmatch("pifleet-[0-9a-f]{12}", name) for name in ids)


# ---- TLS and Unix sockets: what they carry goes on to a broker that has neither ----


@contextlib.contextmanager
def relay(listener, port, context=None):
    """Carries bytes between one connection at `listener` and the broker at `port`."""
    def carry(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)

    def serve():
        with contextlib.suppress(OSError):
            accepted = listener.accept()[0]
            with (context.wrap_socket(accepted, server_side=True) if context
                  else accepted) as near, socket.create_connection(("127.0.0.1", port)) as far:
                back = threading.Thread(target=carry, args=(far, near))
                back.start()
                carry(near, far)
                back.join()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=SECONDS)
        listener.close()


def test_a_unix_socket_is_an_address_too(port, tmp_path):
    mqtt("pub", "t", "x", "--retain", port=port)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "s"))
    listener.listen()
    with relay(listener, port) as path:
        assert run("sub", "t", "--count", "1", "--socket", path) == (OK, "x\n", "")
    status, _, err = run("sub", "t", "--socket", tmp_path / "none")
    assert status == NO_CONNECTION and str(tmp_path / "none") in err


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    directory = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
                    directory / "key.pem", "-out", directory / "cert.pem"], check=True,
                   capture_output=True)
    return directory / "cert.pem", directory / "key.pem"


def test_tls_trusts_whom_it_is_told_to(port, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    mqtt("pub", "t", "x" * 100000, "--retain", port=port)

    def follow(*words):
        with relay(socket.create_server(("127.0.0.1", 0)), port, context) as address:
            return run("sub", "t", "--count", "1", "--port", address[1], "--timeout", "10", *words)

    assert follow("--host", "localhost", "--ca", certificate[0]) == (OK, "x" * 100000 + "\n", "")
    assert follow("--insecure")[0] == OK
    for words in (["--tls"], ["--host", "127.0.0.1", "--ca", certificate[0]]):
        status, out, err = follow(*words)
        assert (status, out) == (NO_CONNECTION, "")
        assert "--ca FILE" in err


# ---- words ----


@pytest.mark.parametrize("words, sentence", [
    (["pub"], "something is missing: pifleet pub TOPIC [PAYLOAD]"),
    (["pub", "t"], "what is to be published?"),
    (["pub", "t", "x", "--lines"], "exclude one another"),
    (["pub", "t", "--null", "--file", "f"], "exclude one another"),
    (["pub", "a/#", "x"], "+ and # are for subscribing"),
    (["pub", "", "x"], "a topic cannot be empty"),
    (["pub", "t" * 65536, "x"], "a topic has at most 65535 bytes"),
    (["pub", b"\xff", "x"], "a topic is text in UTF-8"),
    (["pub", "/" * 300, "x"], "a topic has at most 201 levels"),
    (["pub", "t", "x", "--qos", "3"], "--qos takes a whole number from 0 to 2"),
    (["pub", "t", "x", "--user-property", "=v"], "takes NAME=VALUE"),
    (["pub", "t", "x", "--response-topic", "a/+"], "--response-topic: "),
    (["pub", "t", "x", "--will-qos", "1"], "--will-topic TOPIC"),
    (["pub", "t", "x", "--will-topic", "#"], "--will-topic: "),
    (["pub", "t", "x", "--user", "a", "--password-file", "/nonexistent"], "cannot be read"),
    (["pub", "t", "-", "--password-file", "-"], "--password-file - takes standard input"),
    (["pub", "t", "--file", "-", "--password-file", "-"], "--password-file - takes"),
    (["pub", "t", "--lines", "--password-file", "-"], "--password-file - takes"),
    (["pub", "t", "x", "--socket", "s", "--host", "h"], "--socket excludes"),
    (["pub", "t", "x", "--ca", "f", "--insecure"], "exclude each other"),
    (["pub", "t", "x", "--ca", "/nonexistent"], "/nonexistent cannot be read"),
    (["pub", "t", "x", "--content-type", b"\xff"], "cannot be sent"),
    (["pub", "-t", "t", "-m", "x"], '"-t" is no option; pifleet pub --help lists them'),
    (["sub"], "something is missing: pifleet sub FILTER ..."),
    (["sub", "a/#/b"], "# for the rest"),
    (["sub", "$share/g"], "$share/GROUP/FILTER"),
    (["sub", "t", "--json", "--raw"], "exclude one another"),
    (["sub", "t", "--retained-only", "-R"], "exclude each other"),
    (["rpc"], "something is missing: pifleet rpc COMMAND [KEY=VALUE ...]"),
    (["rpc", "ping", "17"], '"17" is not KEY=VALUE'),
    (["rpc", "ping", "--client-id", "a/b"], "--client-id cannot hold"),
    (["rpc", "ping", "--topic", "a/#"], "--topic: "),
    (["rpc", "ping", "--topic", "a" * 1020], "--topic has at most 1011 bytes here"),
])
def test_wrong_usage_is_told_with_what_would_be_right(words, sentence):
    with FakeBroker() as fake:
        done = subprocess.run([PROGRAM, *words, *([] if "--socket" in words or len(words) == 1 else
                                                  ["--port", str(fake.port)])],
                              capture_output=True, env=environment(), timeout=SECONDS, check=False)
    err = done.stderr.decode()
    assert (done.returncode, done.stdout) == (USAGE, b"") and not SANITIZER_REPORT.search(err), err
    assert err.startswith("pifleet: ") and sentence in err


def test_a_file_that_cannot_be_read(port):
    status, _, err = mqtt("pub", "t", "--file", "/nonexistent", port=port)
    assert status == REFUSED and "/nonexistent cannot be read: No such file" in err
