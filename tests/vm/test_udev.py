"""The rule by which GPIO chips and PWM channels are the agent's alone, as udev applies it."""

import contextlib
import grp
import os
import pathlib
import pwd
import stat
import subprocess
import time

import pytest

from board import Board

TOP = pathlib.Path(__file__).resolve().parents[2]
RULES = TOP / "packaging/udev/99-pifleet.rules"
RUNTIME_RULES = pathlib.Path("/run/udev/rules.d")
DAEMON = "/lib/systemd/systemd-udevd"
PWM = pathlib.Path("/sys/class/pwm/pwmchip0")
PATIENCE_SECONDS = 60

# What a Raspberry Pi's own rules do, in a file that comes before ours: all of the group
# gpio may.
THEIRS = {"99-com.rules": """\
SUBSYSTEM=="gpio", GROUP="gpio", MODE="0660"
SUBSYSTEM=="pwm", PROGRAM="/bin/sh -c 'chgrp -R gpio /sys%p && chmod -R g=u /sys%p'"
"""}
THEIRS_AND_OURS = {**THEIRS, RULES.name: RULES.read_text()}


@pytest.fixture(scope="module")
def users():
    """pifleet, and another one who is in the group gpio."""
    subprocess.run(["systemd-sysusers", TOP / "packaging/systemd/pifleet.sysusers"], check=True)
    subprocess.run(["systemd-sysusers", "-"], input="u intruder -\nm intruder gpio\n", text=True,
                   check=True)


@contextlib.contextmanager
def udev(rules):
    """Runs with these, {file name: text}, beside those of this computer."""
    RUNTIME_RULES.mkdir(parents=True, exist_ok=True)
    for name, text in rules.items():
        (RUNTIME_RULES / name).write_text(text)
    daemon = subprocess.Popen([DAEMON])
    try:
        end = time.monotonic() + PATIENCE_SECONDS
        while subprocess.run(["udevadm", "control", "--ping"], check=False,
                             capture_output=True).returncode != 0:
            assert daemon.poll() is None and time.monotonic() < end
            time.sleep(0.05)
        yield
    finally:
        daemon.terminate()
        daemon.wait(PATIENCE_SECONDS)
        for name in rules:
            (RUNTIME_RULES / name).unlink()


def settle():
    subprocess.run(["udevadm", "settle", f"--timeout={PATIENCE_SECONDS}"], check=True)


def access(path):
    """'owner group mode'."""
    status = path.stat()
    return (f"{pwd.getpwuid(status.st_uid).pw_name} {grp.getgrgid(status.st_gid).gr_name} "
            f"{stat.S_IMODE(status.st_mode):04o}")


def may(user, test, path):
    """Whether test(1) says so when that user asks, with all groups of his."""
    groups = os.getgrouplist(user, pwd.getpwnam(user).pw_gid)
    return subprocess.run(["test", test, path], user=user, group=groups[0],
                          extra_groups=groups, check=False).returncode == 0


@contextlib.contextmanager
def channel(number):
    """The files by which it is exported and driven, when udev is done with them."""
    (PWM / "export").write_text(str(number))
    try:
        settle()
        yield [PWM / "export", *(PWM / f"pwm{number}" / name
                                 for name in ("period", "duty_cycle", "enable"))]
    finally:
        (PWM / "unexport").write_text(str(number))


def test_a_chip_belongs_to_the_agents_user_alone(users):
    with udev(THEIRS_AND_OURS), Board() as board:
        settle()
        assert access(board.path) == "pifleet pifleet 0600"
        assert may("pifleet", "-r", board.path) and may("pifleet", "-w", board.path)
        assert not may("intruder", "-r", board.path) and not may("intruder", "-w", board.path)


def test_a_channel_is_written_by_the_agents_user_alone(users):
    with udev(THEIRS_AND_OURS), channel(3) as files:
        for path in files:
            assert access(path).startswith("root pifleet "), path
            assert may("pifleet", "-w", path), path
            assert not may("intruder", "-w", path), path


def test_without_our_rule_the_group_may(users):
    """So the tests above fail without it."""
    with udev(THEIRS), Board() as board, channel(2) as files:
        assert access(board.path) == "root gpio 0660"
        assert all(may("intruder", "-w", path) for path in (board.path, *files))
