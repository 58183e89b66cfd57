"""bench-mqtt against our broker: every kind of load runs, and nothing of it is lost."""

import contextlib
import json
import socket
import subprocess
import time

import pytest

from agent_process import BUILD
from broker_process import running_broker
from ports import free_port

LOADS = {
    "fan-in": ("delivered", ["--publishers", 5, "--qos", 1]),
    "fan-out": ("delivered", ["--receivers", 20]),
    "pairs": ("delivered", ["--publishers", 4, "--receivers", 4, "--qos", 2, "--per-write", 1]),
    "fleet": ("delivered", ["--publishers", 4, "--receivers", 3, "--filters", 130, "--qos", 1]),
    "rpc": ("calls", ["--callers", 3]),
    "connects": ("connects", ["--at-once", 4]),
    "fan-in to a session that lasts": ("delivered", ["--publishers", 3, "--qos", 1, "--lasting",
                                                     "--retain"]),
    "hoard": ("fetched", ["--topics", 550]),
}


def load(what, arguments, **more):
    command = [str(BUILD / "bench" / "bench-mqtt"), what, "--window-ms", "100", "--warm-up-ms",
               "20", *(str(word) for word in arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **more)


@pytest.fixture
def port():
    with running_broker() as number:
        yield number


@pytest.mark.parametrize("what", LOADS)
def test_all_that_is_published_arrives(port, what):
    key, arguments = LOADS[what]
    run = load(what.partition(" ")[0], ["--port", port, *arguments])
    assert run.returncode == 0, run.stderr
    figures = json.loads(run.stdout.splitlines()[-1])
    assert figures["lost"] == 0
    assert figures[key] > 0


def test_what_is_kept_leaves_nothing_for_the_next(port):
    for qos in (2, 1, 2):
        run = load("pairs", ["--port", port, "--publishers", 20, "--receivers", 20, "--qos", qos,
                             "--lasting", "--retain"])
        assert run.returncode == 0, run.stderr


def test_acknowledgements_are_timed_with_qos_1_and_2(port):
    for qos in (0, 1, 2):
        run = load("pairs", ["--port", port, "--qos", qos])
        assert ("p99_ns" in json.loads(run.stdout)) == (qos > 0)


def await_listener(number):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with contextlib.suppress(ConnectionRefusedError), \
                socket.create_connection(("127.0.0.1", number)):
            return
        time.sleep(0.01)
    raise TimeoutError(number)


@pytest.fixture
def tls_port(tmp_path):
    """Of bench-tls-connack."""
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    number = free_port()
    with subprocess.Popen([BUILD / "bench" / "bench-tls-connack", str(number), certificate,
                           key]) as server:
        try:
            await_listener(number)
            yield number
        finally:
            server.terminate()


def test_clients_under_tls_resume_all_or_nothing(tls_port):
    for how in ("full", "resumed"):
        run = load("connects", ["--port", tls_port, "--tls", how, "--at-once", 4])
        assert run.returncode == 0, run.stderr
        figures = json.loads(run.stdout)
        assert figures["connects"] > 0
        assert figures["resumed"] == (figures["connects"] if how == "resumed" else 0)


def test_all_are_resumed_however_short_the_warm_up_is(tls_port):
    """More come at once than can shake hands in it."""
    run = load("connects", ["--port", tls_port, "--tls", "resumed", "--at-once", 20,
                            "--warm-up-ms", 1, "--window-ms", 2000])
    assert run.returncode == 0, run.stderr
    figures = json.loads(run.stdout)
    assert figures["resumed"] == figures["connects"] > 0


def test_who_is_not_answered_is_not_waited_for():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        run = load("connects", ["--port", silent.getsockname()[1], "--tls", "resumed"])
    assert run.returncode == 1
    assert "timed out" in run.stderr


def test_under_tls_receivers_are_set_up_and_no_more(port, tls_port):
    assert load("connects", ["--port", port, "--tls", "full"]).returncode == 1
    assert load("connects", ["--port", tls_port, "--tls", "half"]).returncode == 2
    assert load("fan-in", ["--port", tls_port, "--transport", "tls"]).returncode == 1


def test_with_steps_it_waits_to_be_told_to_go_on(port):
    arguments = ["--port", port, "--receivers", 3, "--publishers", 0, "--steps"]
    run = load("fleet", arguments, input="\n\n")
    assert (run.returncode, run.stdout) == (0, "connected\nsubscribed\n")
    run = load("fleet", arguments, input="\n")
    assert (run.returncode, run.stdout) == (1, "connected\nsubscribed\n")


def test_a_broker_that_is_not_there_is_told_of():
    run = load("rpc", ["--port", 1])
    assert run.returncode == 1
    assert "Connection refused" in run.stderr
    assert load("rpc", []).returncode == 2
    assert load("nothing", ["--port", 1]).returncode == 2
    assert "Invalid argument" in load("fan-in", ["--port", 1, "--window", 3]).stderr
