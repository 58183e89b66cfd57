#!/usr/bin/python3
"""board - a GPIO chip of the kernel's simulator (gpio-sim), labelled as a Raspberry Pi's.

Usage: tests/vm/board.py COMMAND [ARGUMENT...]

Runs the command with a board of its own and PIFLEET_GPIO_SIM naming the board's
folder in sysfs: there are sim_gpioN/pull and sim_gpioN/value, and the folder's
name is that of the chip below /dev. Only root may, and only in the machine.
"""

import contextlib
import os
import pathlib
import subprocess
import sys

SIMULATOR = pathlib.Path("/sys/kernel/config/gpio-sim")
LABEL = "pinctrl-bcm2711"  # the header's chip of a Raspberry Pi 4
LINES = 32
KEEP_LEVELS = pathlib.Path("/sys/module/gpio_sim/parameters/keep_levels")


class Board:
    """Live when the constructor returns; gone after close(), whoever holds its lines."""

    def __init__(self, name="header", label=LABEL, lines=LINES, line_names="GPIO{}"):
        self.label = label
        self.config = SIMULATOR / name
        self.bank = self.config / "bank0"
        self.lines = [self.bank / f"line{offset}" for offset in range(lines)]
        self.bank.mkdir(parents=True)
        (self.bank / "num_lines").write_text(str(lines))
        (self.bank / "label").write_text(label)
        for offset, line in enumerate(self.lines):
            line.mkdir()
            (line / "name").write_text(line_names.format(offset))
        (self.config / "live").write_text("1")
        self.chip = (self.bank / "chip_name").read_text().strip()
        device = (self.config / "dev_name").read_text().strip()
        self.folder = pathlib.Path("/sys/devices/platform") / device / self.chip
        self.path = pathlib.Path("/dev") / self.chip

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def value(self, offset):
        """The level on the line, whoever makes it."""
        return int((self.folder / f"sim_gpio{offset}" / "value").read_text())

    def values(self):
        return [self.value(offset) for offset in range(len(self.lines))]

    def pull(self, offset, up):
        """What the world outside does to the line: an input follows, an output does not."""
        word = "pull-up" if up else "pull-down"
        (self.folder / f"sim_gpio{offset}" / "pull").write_text(word)

    def close(self):
        (self.config / "live").write_text("0")
        for folder in (*self.lines, self.bank, self.config):
            folder.rmdir()


@contextlib.contextmanager
def levels_are_kept():
    """Lines that nobody holds any more stay as they were driven, on all boards, as on a
    Raspberry Pi's kernel. Otherwise they follow their pull."""
    KEEP_LEVELS.write_text("1")
    try:
        yield
    finally:
        KEEP_LEVELS.write_text("0")


def main(arguments):
    if not arguments:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    with Board() as board:
        environment = {**os.environ, "PIFLEET_GPIO_SIM": str(board.folder)}
        return subprocess.run(arguments, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
