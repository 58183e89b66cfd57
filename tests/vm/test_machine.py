"""What the machine promises to the other tests here. When one of these fails, mend the
machine before looking at them."""

import fcntl
import os
import pathlib
import platform
import select
import struct
import subprocess

import pytest

from board import Board, levels_are_kept
from line_holder import LineHolder

PWM = pathlib.Path("/sys/class/pwm/pwmchip0")
WATCHDOG_KEEPALIVE = 2 << 30 | 4 << 16 | ord("W") << 8 | 5  # WDIOC_KEEPALIVE


def test_the_kernel_is_ours():
    assert platform.release().endswith("-pifleet")


def test_a_board_has_a_label_and_named_lines(board):
    with open(board.path, "rb") as chip:
        info = bytearray(68)  # linux/gpio.h: struct gpiochip_info
        fcntl.ioctl(chip, 2 << 30 | len(info) << 16 | 0xB4 << 8 | 0x01, info)
    name, label, lines = struct.unpack("=32s 32s I", info)
    assert name.rstrip(b"\0").decode() == board.chip
    assert label.rstrip(b"\0").decode() == board.label
    assert lines == len(board.lines)


def test_an_output_shows_and_an_input_follows_its_pull(board):
    with LineHolder(board.path, 4, "test", value=1):
        assert board.value(4) == 1
        board.pull(4, up=False)
        assert board.value(4) == 1
    with LineHolder(board.path, 5, "test"):
        board.pull(5, up=True)
        assert board.value(5) == 1


def test_a_line_is_held_by_one(board):
    with LineHolder(board.path, 4, "test"), pytest.raises(OSError):
        LineHolder(board.path, 4, "another")


def test_levels_are_kept_when_asked_for(board):
    with levels_are_kept():
        LineHolder(board.path, 4, "test", value=1).close()
        assert board.value(4) == 1
    LineHolder(board.path, 5, "test", value=1).close()
    assert board.value(5) == 0


def test_two_boards_stand_side_by_side(board):
    with Board("another", label="pinctrl-rp1", lines=54) as another:
        assert another.path != board.path
        another.pull(53, up=True)
        assert another.value(53) == 1


def test_a_pwm_channel_remembers_what_was_set():
    channel = PWM / "pwm2"
    (PWM / "export").write_text("2")
    try:
        (channel / "period").write_text("20000000")
        (channel / "duty_cycle").write_text("1500000")
        (channel / "enable").write_text("1")
        assert (channel / "duty_cycle").read_text() == "1500000\n"
        (channel / "enable").write_text("0")
    finally:
        (PWM / "unexport").write_text("2")


def test_the_watchdog_may_be_fed_and_closed():
    watchdog = os.open("/dev/watchdog", os.O_WRONLY | os.O_CLOEXEC)
    try:
        fcntl.ioctl(watchdog, WATCHDOG_KEEPALIVE)
        os.write(watchdog, b"V")  # without it, closing would be the end of the machine
    finally:
        os.close(watchdog)


@pytest.mark.parametrize("controller", ["cpu", "memory", "pids"])
def test_cgroups_are_of_the_second_kind(controller):
    controllers = pathlib.Path("/sys/fs/cgroup/cgroup.controllers").read_text().split()
    assert controller in controllers


def test_the_real_time_scheduler_can_be_had():
    before = os.sched_getscheduler(0)
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    assert os.sched_getscheduler(0) == os.SCHED_FIFO
    os.sched_setscheduler(0, before, os.sched_param(0))


def test_the_end_of_a_process_is_seen_through_its_pidfd():
    process = subprocess.Popen(["sleep", "1000"])
    descriptor = os.pidfd_open(process.pid)
    process.kill()
    assert select.select([descriptor], [], [], 10)[0] == [descriptor]
    os.close(descriptor)
    assert process.wait() == -9


@pytest.mark.systemd
def test_units_are_started_and_stopped_over_the_bus():
    unit = pathlib.Path("/run/systemd/system/pifleet-test-machine.service")
    unit.write_text("[Service]\nExecStart=/bin/sleep 1000\n")

    def control(*words):
        return subprocess.run(["systemctl", *words], capture_output=True, text=True, check=False,
                              timeout=60).stdout.strip()

    control("daemon-reload")
    control("start", unit.name)
    assert control("is-active", unit.name) == "active"
    control("stop", unit.name)
    assert control("is-active", unit.name) == "inactive"
    unit.unlink()
