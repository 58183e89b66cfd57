"""pifleet pub and sub: with our own broker, and with mosquitto's programs on the other side."""

import base64
import json
import re
import signal
import subprocess
import threading
import time

import pytest

from broker_process import running_broker
from command_line import OK, PROGRAM, REFUSED, SECONDS, Terminal, environment
from fake_broker import CONNECT, DISCONNECT, PUBLISH, SUBSCRIBE, FakeBroker, packet, text
from mqtt_command import Subscriber, mosquitto, mqtt, port

BYTES = bytes(range(256)) + b"\n\xff\x00end"
# Until a subscriber gives up; its subscription has to stand by then.
PATIENCE = "2.5"
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
    assert mqtt("sub", "kept/#", "-R", "--timeout", PATIENCE, port=port) == (OK, b"", "")


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
    status, out, err = mqtt("sub", "kept", "--count", "2", "--timeout", PATIENCE, port=port)
    assert (status, out) == (REFUSED, b"x\n")
    assert err == f"pifleet: 1 of 2 messages came within {PATIENCE} s\n"


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
    with FakeBroker(connack=(0, 0x89), after=packet(DISCONNECT, b"\x8b\0"),
                    words="later \u202e") as fake:
        follower = Subscriber("t", port=fake.port, greet=False)
        assert b"shutting down" in follower.process.stderr.readline()
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
        follower = Subscriber("t", "--timeout", PATIENCE, port=fake.port, greet=False)
        wait_for(lambda: len(fake.packets) >= 2)
    assert follower.end()[:2] == (OK, b"")


def test_two_with_one_client_id_do_not_fight():
    with FakeBroker(after=packet(DISCONNECT, b"\x8e\0"), connections=2) as fake:
        status, _, err = mqtt("sub", "t", port=fake.port)
    assert status == REFUSED and "Session taken over" in err and "--client-id" in err
    assert [kind for kind, *_ in fake.packets].count(CONNECT) == 1
