"""pifleet pub, sub and rpc with brokers that say no, nothing, or nonsense."""

import subprocess

import pytest

from command_line import NO_CONNECTION, OK, PROGRAM, REFUSED, SECONDS, environment, run
from fake_broker import CONNECTED, DISCONNECT, PUBLISH, FakeBroker, packet, text
from mqtt_command import mqtt, port
from ports import free_port

# Of each step: those that are answered have to be within it, too.
PATIENCE = "2"


# ---- brokers that say no ----


@pytest.mark.parametrize("code, words, sentence, status", [
    (0x87, [], "Not authorized (0x87): sorry. Say who you are: --user NAME, and its password; "
     "to an agent a token in $PIFLEET_PASSWORD", REFUSED),
    (0x87, ["--user", "anna"], "in the broker's own configuration", REFUSED),
    (0x86, ["--user", "anna"], "--user and at $PIFLEET_PASSWORD or --password-file", REFUSED),
    (0x85, [], "--client-id gives another one", REFUSED),
    (0x84, [], "MQTT 5 is what pifleet speaks", REFUSED),
    (0x88, [], "Server unavailable (0x88)", NO_CONNECTION),
    (0x89, [], "Server busy (0x89): sorry. It has no room for more, or holds back who failed to log "
     "in too often: try again in a minute", NO_CONNECTION),
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
        status, _, err = mqtt("pub", "t", "x", "--timeout", PATIENCE, port=fake.port)
    assert status == NO_CONNECTION and "did not acknowledge the message in time" in err


def test_an_agent_that_never_replies():
    with FakeBroker(suback=(1,)) as fake:
        status, _, err = mqtt("rpc", "ping", "--timeout", PATIENCE, port=fake.port)
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
