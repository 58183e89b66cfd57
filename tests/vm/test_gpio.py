"""The agent on GPIO lines of a real kernel."""

import ctypes
import fcntl
import os
import pathlib
import struct
import threading

import pytest

from agent_process import DidNotStart
from board import Board
from line_holder import LineHolder

PIDFD_GETFD = 438  # the same number on every architecture
LINE = "anon_inode:gpio-line"
SET_VALUES = 3 << 30 | 16 << 16 | 0xB4 << 8 | 0x0F  # linux/gpio.h: GPIO_V2_LINE_SET_VALUES_IOCTL


def line_descriptors(pid):
    """Duplicates of the descriptors by which a process holds its lines."""
    system = ctypes.CDLL(None, use_errno=True)
    process = os.pidfd_open(pid)
    duplicates = []
    try:
        for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            try:
                target = os.readlink(entry)
            except FileNotFoundError:
                continue  # a connection that has just been closed
            if target == LINE:
                duplicate = system.syscall(PIDFD_GETFD, process, int(entry.name), 0)
                assert duplicate >= 0, os.strerror(ctypes.get_errno())
                duplicates.append(duplicate)
    finally:
        os.close(process)
    return duplicates


def on(board):
    """The lines that are high."""
    return [offset for offset, value in enumerate(board.values()) if value]


def test_the_status_names_the_kernels_chip(board, agent):
    status = agent.call({"command": "get_status"})
    assert (status["gpio_backend"], status["gpio_chip"]) == ("chardev", board.label)


def test_an_agent_that_was_asked_for_nothing_touches_no_line(board, agent):
    pins = agent.call({"command": "gpio_status"})["pins"]
    assert {pin["holder"] for pin in pins.values()} == {None}
    assert {pin["mode"] for pin in pins.values()} == {"input"}


def test_led_on_and_led_off_drive_the_line_and_no_other(board, agent):
    reply = agent.call({"command": "led_on", "pin": 17})
    assert (reply["success"], reply["pin"], reply["state"]) == (True, 17, "on")
    assert reply["simulated"] is False
    assert on(board) == [17]

    reply = agent.call({"command": "led_off", "pin": 17})
    assert (reply["success"], reply["state"]) == (True, "off")
    assert on(board) == []


@pytest.mark.parametrize("name", ["GPIO17", "BOARD11", "J8:11", "WPI0", "17"])
def test_a_pin_is_the_same_line_by_whatever_name(board, agent, name):
    assert agent.call({"command": "led_on", "pin": name})["success"]
    assert on(board) == [17]


def test_an_output_does_not_follow_what_pulls_at_it(board, agent):
    agent.call({"command": "led_on", "pin": 4})
    board.pull(4, up=False)
    assert on(board) == [4]


def test_gpio_status_tells_who_holds_a_line_and_how_it_stands(board, agent):
    agent.call({"command": "led_on", "pin": 17})
    agent.call({"command": "led_off", "pin": 22})
    with LineHolder(board.path, 5, "somebody"):
        pins = agent.call({"command": "gpio_status"})["pins"]
    assert (pins["17"]["mode"], pins["17"]["state"], pins["17"]["value"]) == ("output", "on", 1)
    assert (pins["22"]["mode"], pins["22"]["state"], pins["22"]["value"]) == ("output", "off", 0)
    assert pins["17"]["holder"].startswith("pifleet")
    assert (pins["5"]["mode"], pins["5"]["holder"]) == ("input", "somebody")
    assert (pins["6"]["mode"], pins["6"]["holder"]) == ("input", None)


def test_gpio_test_blinks_the_line_and_reads_it_back(board, agent):
    seen = set()
    done = threading.Event()

    def watch():
        while not done.is_set():
            seen.add(board.value(27))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        reply = agent.call({"command": "gpio_test", "pin": 27, "times": 2, "interval": 0.25})
    finally:
        done.set()
        watcher.join()
    assert reply["passed"] is True
    assert [reading["read"] for reading in reply["readings"]] == [1, 0, 1, 0]
    assert seen == {0, 1}
    assert on(board) == []


def test_a_line_in_use_is_refused_and_the_reply_says_by_whom(board, agent):
    with LineHolder(board.path, 17, "old-script", value=1) as holder:
        reply = agent.call({"command": "led_off", "pin": 17})
        assert (reply["success"], reply["code"]) == (False, "PIN_IN_USE")
        assert (reply["pin"], reply["consumer"]) == (17, "old-script")
        assert reply["pid"] == holder.pid
        assert "old-script" in reply["error"] and str(holder.pid) in reply["error"]
        assert board.value(17) == 1, "the other's line is left alone"
    assert agent.call({"command": "led_on", "pin": 17})["success"], "it was let go"


def test_a_command_that_waits_has_the_line_as_soon_as_its_holder_lets_go(board, agent):
    with agent.connect() as client:
        with LineHolder(board.path, 17, "old-script"):
            client.send_request("led_on", pin=17, wait=30)
            assert agent.call({"command": "led_on", "pin": 17})["code"] == "PIN_IN_USE"
            assert agent.call({"command": "led_on", "pin": 18})["success"], "nobody else waits"
        assert client.receive()["success"]
    assert on(board) == [17, 18]


def test_a_foreign_write_is_found_and_named(board, agent):
    """Through a duplicate of the line's descriptor, of which the agent knows nothing."""
    agent.call({"command": "led_on", "pin": 17})
    [line] = line_descriptors(agent.process.pid)
    try:
        fcntl.ioctl(line, SET_VALUES, struct.pack("=QQ", 0, 1))
    finally:
        os.close(line)
    assert on(board) == []
    pin = agent.call({"command": "gpio_status", "pin": 17})["pins"]["17"]
    assert (pin["value"], pin["warnings"]) == (0, ["ForeignWrite"])
    assert agent.call({"command": "led_on", "pin": 17})["success"]
    assert "warnings" not in agent.call({"command": "gpio_status", "pin": 17})["pins"]["17"]
    assert agent.stop() == 0
    assert agent.stderr().count("ForeignWrite pin=17 began") == 1
    assert agent.stderr().count("ForeignWrite pin=17 ended") == 1


def test_of_two_agents_the_second_is_told_about_the_first(board, agent, start_agent):
    second = start_agent()
    assert agent.call({"command": "led_on", "pin": 17})["success"]
    reply = second.call({"command": "led_off", "pin": 17})
    assert (reply["code"], reply["pid"]) == ("PIN_IN_USE", agent.process.pid)
    assert reply["consumer"].startswith("pifleet")
    assert on(board) == [17]

    assert second.call({"command": "led_on", "pin": 18})["success"], "lines are held one by one"
    assert agent.stop() == 0
    assert second.call({"command": "led_on", "pin": 17})["success"]
    assert on(board) == [17, 18]


def test_a_graceful_stop_switches_off_what_was_on(board, agent):
    """The simulator gives a line back to its pull when nobody holds it any more, which
    would hide an agent that does nothing: duplicates keep the lines as it left them."""
    for pin in (4, 17, 27):
        agent.call({"command": "led_on", "pin": pin})
        board.pull(pin, up=True)
    kept = line_descriptors(agent.process.pid)
    try:
        assert on(board) == [4, 17, 27]
        assert agent.stop() == 0
        assert on(board) == []
    finally:
        for descriptor in kept:
            os.close(descriptor)


@pytest.fixture
def decoy():
    """A chip that came first, as a USB adapter or an expander may."""
    with Board("decoy", label="port-expander", line_names="P{}") as decoy:
        yield decoy


def test_the_headers_chip_is_found_by_its_label(decoy, board, agent):
    assert decoy.path < board.path
    assert agent.call({"command": "get_status"})["gpio_chip"] == board.label
    assert agent.call({"command": "led_on", "pin": 17})["success"]
    assert (on(decoy), on(board)) == ([], [17])


@pytest.mark.parametrize("way", ["label", "path"])
def test_another_chip_can_be_chosen(decoy, board, start_agent, way):
    agent = start_agent(config={"gpio": {"chip": str(getattr(decoy, way))}})
    assert agent.call({"command": "get_status"})["gpio_chip"] == decoy.label
    assert agent.call({"command": "led_on", "pin": 17})["success"]
    assert (on(decoy), on(board)) == ([17], [])


def test_a_label_that_is_not_there_is_told_with_those_that_are(decoy, board, start_agent):
    with pytest.raises(DidNotStart) as failure:
        start_agent(config={"gpio": {"chip": "pinctrl-bcm2835"}})
    assert failure.value.status > 0
    for label in ("pinctrl-bcm2835", decoy.label, board.label):
        assert label in failure.value.stderr


def test_without_a_header_chip_the_kernels_backend_does_not_become_another(decoy, start_agent):
    with pytest.raises(DidNotStart) as failure:
        start_agent()
    assert failure.value.status > 0
    assert decoy.label in failure.value.stderr


def test_a_header_without_a_known_label_is_found_by_the_names_of_its_lines(decoy, start_agent):
    with Board("future", label="pinctrl-rp9") as future:
        agent = start_agent()
        assert agent.call({"command": "get_status"})["gpio_chip"] == future.label
        assert agent.call({"command": "led_on", "pin": 17})["success"]
        assert (on(decoy), on(future)) == ([], [17])
        assert agent.stop() == 0


def test_auto_takes_the_chip_that_is_there(board, start_agent):
    agent = start_agent(config={"gpio": {"backend": "auto"}})
    assert agent.call({"command": "get_status"})["gpio_backend"] == "chardev"
    assert agent.call({"command": "led_on", "pin": 17})["simulated"] is False
    assert on(board) == [17]


def test_auto_without_a_chip_is_the_simulated_one(start_agent):
    agent = start_agent(config={"gpio": {"backend": "auto"}})
    assert agent.call({"command": "get_status"})["gpio_backend"] == "simulated"
