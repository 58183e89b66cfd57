"""pifleet-supervisor around the real agent, and on its own."""

import os
import pathlib
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import time

import pytest

from agent_process import BUILD, TOP
from line_client import Closed

SUPERVISOR = BUILD / "pifleet-supervisor"
PATIENCE_SECONDS = 30
UNIT = TOP / "packaging/systemd/pifleet-agent.service.in"


def run(*arguments, **options):
    return subprocess.run([SUPERVISOR, *arguments], capture_output=True, text=True,
                          timeout=PATIENCE_SECONDS, check=False, **options)


def await_that(condition, what):
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited in vain: {what}")


def children(pid):
    return [int(child) for child in
            pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_alive(pid):
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):  # the latter if it ends in between
        return False
    return not re.search(r"^State:\s+Z", status, re.M)


def answers(agent):
    try:
        return agent.call({"command": "ping"})["success"]
    except (OSError, Closed):
        return False


@pytest.fixture
def run_dir(tmp_path):
    return tmp_path / "run"


@pytest.fixture
def supervised(start_agent, run_dir):
    """An agent whose `process` is its supervisor."""
    return start_agent(launcher=[SUPERVISOR, "--run-dir", run_dir, "--"])


@pytest.fixture
def notifications(tmp_path):
    """What a service manager is told, as a function: one message, or None in time."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))

        def receive():
            readable, _, _ = select.select([manager], [], [], PATIENCE_SECONDS)
            return manager.recv(4096).decode() if readable else None

        receive.path = str(tmp_path / "notify")
        yield receive


def test_the_agent_serves_and_its_readiness_passes_through(supervised):
    # READY=1 is what the fixture waits for.
    assert answers(supervised)
    assert len(children(supervised.process.pid)) == 1


def test_an_agent_that_is_killed_is_started_again(supervised):
    first, = children(supervised.process.pid)
    killed = time.monotonic()
    os.kill(first, signal.SIGKILL)
    await_that(lambda: children(supervised.process.pid) not in ([first], []),
               "another agent is started")
    await_that(lambda: answers(supervised), "the agent serves again")
    assert time.monotonic() - killed >= 0.9
    second, = children(supervised.process.pid)
    assert second != first
    assert "starting again in_ms=1000" in supervised.stderr()


def test_sigterm_ends_both_well_and_leaves_no_record(supervised, run_dir):
    agent, = children(supervised.process.pid)
    assert supervised.stop() == 0
    assert not is_alive(agent)
    assert list(run_dir.iterdir()) == []
    assert "starting again" not in supervised.stderr()


def test_sigint_does_the_same(supervised):
    assert supervised.stop(signal.SIGINT) == 0


def test_sighup_reaches_the_agent(start_agent, run_dir, tmp_path):
    log = tmp_path / "log"
    agent = start_agent(launcher=[SUPERVISOR, "--run-dir", run_dir, "--"],
                        arguments=["--log-file", str(log)])
    log.rename(tmp_path / "log.1")
    agent.process.send_signal(signal.SIGHUP)
    await_that(log.exists, "the log is opened anew")
    assert answers(agent)


def test_an_agent_without_its_supervisor_ends_by_itself(supervised, run_dir):
    agent, = children(supervised.process.pid)
    supervised.process.kill()
    assert supervised.wait() == -signal.SIGKILL
    await_that(lambda: not is_alive(agent), "the agent ends")
    assert run("--run-dir", run_dir, "--safe-state").returncode == 0


def test_two_supervisors_do_not_share_a_directory(supervised, run_dir):
    second = run("--run-dir", run_dir, "--", "true")
    assert second.returncode == 1
    assert "another pifleet-supervisor" in second.stderr
    # Nor does --safe-state touch the lines of one that lives.
    safe = run("--run-dir", run_dir, "--safe-state")
    assert safe.returncode == 0
    assert "the supervisor lives" in safe.stderr


def test_an_agent_that_keeps_ending_is_started_ever_later(run_dir, notifications):
    environment = {**os.environ, "NOTIFY_SOCKET": notifications.path, "WATCHDOG_USEC": "200000"}
    with subprocess.Popen([SUPERVISOR, "--run-dir", run_dir, "--", "false"], env=environment,
                          stderr=subprocess.PIPE, text=True) as supervisor:
        told = []
        # What nobody takes for a second is lost: eleven datagrams wait.
        while not any(re.search("again in [2-9]", text) for text in told):
            told.append(notifications())
        supervisor.terminate()
        assert supervisor.wait(PATIENCE_SECONDS) == 0
        said = supervisor.stderr.read()
    assert "STATUS=the agent ended (status 1), starting again in 1 s" in told
    # While nobody else can, it feeds the watchdog: at least five times in that second.
    assert told.count("WATCHDOG=1") >= 5
    assert "again in_ms=1000" in said and "again in_ms=2000" in said
    assert said.count("cannot") == 0


def test_the_watchdog_is_the_agents_to_feed(run_dir, tmp_path, notifications):
    # systemd names the supervisor's number; the agent has to feed all the same.
    config = tmp_path / "agent.yaml"
    config.write_text("{command: {port: 0, socket: \"\"}, mqtt: {enabled: false}, "
                      "gpio: {backend: simulated}}")
    with subprocess.Popen(["sh", "-c", 'WATCHDOG_PID=$$ exec "$@"', "sh", SUPERVISOR, "--run-dir",
                           run_dir, "--", BUILD / "pifleet-agent", "--config", config,
                           "--state-dir", tmp_path / "state"],
                          env={**os.environ, "NOTIFY_SOCKET": notifications.path,
                               "WATCHDOG_USEC": "200000"}, stderr=subprocess.PIPE) as supervisor:
        while "READY=1" not in notifications().split("\n"):
            pass
        assert [notifications() for _ in range(3)] == ["WATCHDOG=1"] * 3
        supervisor.terminate()
        assert supervisor.wait(PATIENCE_SECONDS) == 0


def test_a_program_that_is_missing_is_named(run_dir):
    result = run("--run-dir", run_dir, "--", "/nonexistent/pifleet-agent")
    assert result.returncode == 2
    assert "program=/nonexistent/pifleet-agent: No such file or directory" in result.stderr


def test_a_configuration_that_is_refused_is_not_tried_again(run_dir, tmp_path):
    result = run("--run-dir", run_dir, "--", BUILD / "pifleet-agent", "--config",
                 tmp_path / "missing.yaml")
    assert result.returncode == 2
    assert "missing.yaml" in result.stderr
    assert "starting again" not in result.stderr


@pytest.mark.parametrize("arguments, word", [
    ([], "which program"), (["--"], "which program"), (["--nonsense"], "--nonsense"),
    (["--run-dir"], "--run-dir needs a value"), (["--safe-state", "true"], "runs no program")])
def test_wrong_options_are_explained(arguments, word):
    result = run(*arguments)
    assert result.returncode == 2
    assert word in result.stderr


def test_help_and_version():
    assert "usage: pifleet-supervisor" in run("--help").stdout
    assert re.fullmatch(r"pifleet-supervisor \d+\.\d+\.\d+\n", run("--version").stdout)


def test_the_programs_options_are_the_programs(run_dir):
    result = run("--run-dir", run_dir, "sh", "-c", "exit 2", "--help")
    assert result.returncode == 2
    assert "usage" not in result.stdout


def record(*holds):
    return struct.pack("=8sII", b"pfguard", 1, len(holds)) + b"".join(holds)


def hold_of(chip):
    """Line 17 as an output that is to be off, as in ipc/guard.h."""
    return struct.pack("=QII32s128s", 1, 1, 1, b"pifleet:led", chip) \
        + struct.pack("=64I", 17, *[0] * 63) + bytes(64) + struct.pack("=64Q", 8, *[0] * 63)


@pytest.mark.parametrize("content, status, stays", [
    (None, 0, False), (record(), 0, False), (b"", 1, True), (record() + b"x", 1, True),
    (record(hold_of(b"/dev/no-such-chip")), 1, True),
    (record(hold_of(b"/dev/null")), 1, True)])
def test_safe_state_takes_what_the_record_says(run_dir, content, status, stays):
    run_dir.mkdir()
    if content is not None:
        (run_dir / "guard").write_bytes(content)
    result = run("--run-dir", run_dir, "--safe-state")
    assert result.returncode == status, result.stderr
    assert (run_dir / "guard").exists() == stays


def test_a_directory_that_cannot_be_made_is_an_error_where_it_was_asked_for():
    result = run("--run-dir", "/proc/nonexistent", "--", "true")
    assert result.returncode == 1
    assert "/proc/nonexistent" in result.stderr


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_the_service_is_locked_down(tmp_path):
    unit = tmp_path / "pifleet-agent.service"
    unit.write_text(UNIT.read_text().replace("@bindir@", str(BUILD))
                    .replace("@sysconfdir@", "/etc"))
    result = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager",
                             "--threshold=25", unit], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    exposure = re.search(r"exposure level for \S+: ([0-9.]+)", result.stdout)
    assert float(exposure[1]) <= 2.5
