"""The shipped service under the real systemd, with all its walls."""

import contextlib
import ctypes
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest

from agent_process import BUILD, TOP
from board import levels_are_kept

pytestmark = pytest.mark.systemd

PATIENCE_SECONDS = 90
UNIT = "pifleet-agent.service"
PROGRAMS = pathlib.Path("/usr/local/bin")
CONFIG = pathlib.Path("/etc/pifleet/agent.yaml")
SOCKET = "/run/pifleet/agent.sock"
PTRACE_SEIZE, PTRACE_INTERRUPT = 0x4206, 0x4207  # linux/ptrace.h


def systemctl(*arguments, check=True):
    return subprocess.run(["systemctl", *arguments], check=check, text=True,
                          capture_output=True).stdout.strip()


def show(name):
    return systemctl("show", "--value", "-p", name, UNIT)


def await_that(condition, what):
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        journal = "journal" if time.monotonic() < end else \
            subprocess.run(["journalctl", "-u", UNIT, "--no-pager"], check=False,
                           capture_output=True, text=True).stdout
        assert time.monotonic() < end, f"waited in vain: {what}\n{journal}"
        time.sleep(0.1)


@pytest.fixture
def service(board):
    """Installed as a package would, with its user; running on a simulated board."""
    for program in ("pifleet-agent", "pifleet-supervisor"):
        shutil.copy(BUILD / program, PROGRAMS / program)
    text = (TOP / "packaging/systemd/pifleet-agent.service.in").read_text()
    text = text.replace("@bindir@", str(PROGRAMS)).replace("@sysconfdir@", "/etc")
    # What a sanitizer needs: it asks the kernel for more than the service may.
    text = text.replace("[Install]", "[Service]\nEnvironment=ASAN_OPTIONS=detect_leaks=0\n"
                        "LimitMEMLOCK=infinity\n[Install]")
    unit = pathlib.Path("/run/systemd/system") / UNIT
    unit.write_text(text)
    subprocess.run(["systemd-sysusers", TOP / "packaging/systemd/pifleet.sysusers"], check=True)
    shutil.chown(board.path, "pifleet", "pifleet")
    CONFIG.parent.mkdir(exist_ok=True)
    CONFIG.write_text("{command: {port: 0, socket: /run/pifleet/agent.sock}, "
                      "gpio: {backend: chardev}}")
    systemctl("daemon-reload")
    systemctl("start", UNIT)
    yield unit
    systemctl("stop", UNIT, check=False)
    unit.unlink()
    systemctl("daemon-reload")


def listens():
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(SOCKET) == 0


def drive(board, pin):
    await_that(listens, "the agent serves")
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE_SECONDS)
        client.connect(SOCKET)
        client.sendall(json.dumps({"command": "led_on", "pin": pin}).encode() + b"\n")
        with client.makefile() as replies:
            reply = json.loads(replies.readline())
    assert reply["success"], reply
    assert board.value(pin) == 1


def stop_thread(thread):
    """It alone, which no signal could: as if it looped for ever."""
    system = ctypes.CDLL(None, use_errno=True)
    for request in (PTRACE_SEIZE, PTRACE_INTERRUPT):
        assert system.ptrace(request, thread, None, None) == 0, os.strerror(ctypes.get_errno())


def seize(process, user):
    """What the kernel says when a program of that user starts to trace the process: "" when it
    lets him, else the name of the error."""
    program = ("import ctypes, errno\n"
               "system = ctypes.CDLL(None, use_errno=True)\n"
               f"done = system.ptrace({PTRACE_SEIZE}, {process}, None, None) == 0\n"
               "print('' if done else errno.errorcode[ctypes.get_errno()])")
    return subprocess.run(["/usr/bin/python3", "-c", program], user=user, group=user,
                          extra_groups=[], check=True, capture_output=True,
                          text=True).stdout.strip()


def processes():
    """{name: pid} of the service."""
    group = show("ControlGroup")
    listed = pathlib.Path(f"/sys/fs/cgroup{group}/cgroup.procs")
    pids = listed.read_text().split() if group and listed.exists() else []
    found = {}
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            found[pathlib.Path(f"/proc/{pid}/comm").read_text().strip()] = int(pid)
    return found


def test_the_service_runs_comes_back_and_stops(service, board):
    assert show("ActiveState") == "active"
    running = processes()
    assert set(running) == {"pifleet-supervi", "pifleet-agent"}
    status = pathlib.Path(f"/proc/{running['pifleet-agent']}/status").read_text()
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    # The supervisor got what the unit allows, and the agent did not inherit it.
    policy = {name: os.sched_getscheduler(pid) & ~os.SCHED_RESET_ON_FORK
              for name, pid in running.items()}
    assert policy == {"pifleet-supervi": os.SCHED_FIFO, "pifleet-agent": os.SCHED_OTHER}

    # /sys is read only, but for where PWM channels are.
    mounts = pathlib.Path(f"/proc/{running['pifleet-agent']}/mountinfo").read_text().split("\n")
    options = {words[4]: words[5] for words in (line.split() for line in mounts) if words}
    assert options["/sys"].startswith("ro,")
    assert options["/sys/devices/platform"].startswith("rw,")

    # The agent alone: the supervisor sees to it.
    subprocess.run(["kill", "-9", str(running["pifleet-agent"])], check=True)
    await_that(lambda: processes().get("pifleet-agent", running["pifleet-agent"])
               != running["pifleet-agent"], "another agent")
    assert processes()["pifleet-supervi"] == running["pifleet-supervi"]

    # Both: systemd sees to it.
    drive(board, 17)
    with levels_are_kept():
        systemctl("kill", "--kill-whom=all", f"--signal={int(signal.SIGKILL)}", UNIT)
        await_that(lambda: show("NRestarts") == "1" and show("ActiveState") == "active",
                   "systemd starts the service again")
        assert board.value(17) == 0
    systemctl("stop", UNIT)
    assert show("Result") == "success"
    assert processes() == {}


def test_an_agent_whose_loop_hangs_is_ended_by_the_watchdog_and_its_lines_are_safe(service, board):
    service.write_text(service.read_text().replace("WatchdogSec=30", "WatchdogSec=4"))
    systemctl("daemon-reload")
    systemctl("restart", UNIT)
    drive(board, 17)
    hung = processes()["pifleet-agent"]
    with levels_are_kept():
        # Its hardware worker goes on and beats.
        stop_thread(hung)
        await_that(lambda: show("NRestarts") == "1" and show("ActiveState") == "active",
                   "systemd starts the service again")
        assert board.value(17) == 0
    assert processes()["pifleet-agent"] != hung


def test_a_configuration_that_is_wrong_is_not_tried_again(service):
    systemctl("stop", UNIT)
    CONFIG.write_text("{nonsense: 1}")
    systemctl("start", UNIT, check=False)
    await_that(lambda: show("ActiveState") == "failed", "the service gives up")
    assert show("ExecMainStatus") == "2"
    assert show("NRestarts") == "0"


def test_the_agent_is_closed_to_other_programs_of_its_user(service):
    with subprocess.Popen(["sleep", "60"], user="pifleet", group="pifleet",
                          extra_groups=[]) as other:
        # What cannot be dumped is root's, whoever runs it.
        owners = {processes()["pifleet-agent"]: ("root", "EPERM"), other.pid: ("pifleet", "")}
        for process, (owner, refusal) in owners.items():
            folder = pathlib.Path(f"/proc/{process}")
            uid = re.search(r"^Uid:\t(\d+)", (folder / "status").read_text(), re.MULTILINE)[1]
            assert pwd.getpwuid(int(uid)).pw_name == "pifleet"
            assert (folder / "mem").owner() == owner
            assert seize(process, "pifleet") == refusal
        other.kill()
