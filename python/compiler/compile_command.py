"""compile_command - options and source in, one line of JSON and a shared object out.

usage: compiler --filename NAME [--include DIR] [--refuse low|medium|high]
                [--seconds N] < SOURCE 4> OBJECT

--include names the folder that holds pifleet/handler.h, where it is not the system's. The
object is written to descriptor 4, and only when the verdict is that it is valid. Exit
status: 0 with a verdict, whatever it is; 2 when the options are wrong.
"""

import os
import resource
import sys

from c_check import check
from report import SEVERITIES, to_json
from toolchain import Toolchain

OBJECT_FD = 4
READ_MAX = 1024 * 1024  # what is longer is refused for its length, whatever follows
FILE_MAX = 64 * 1024 * 1024  # of what the compiler writes


def main(arguments):
    options = _options(arguments)
    if options is None:
        print(__doc__.partition("\n\n")[2].strip(), file=sys.stderr)
        return 2
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_MAX, FILE_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    data = sys.stdin.buffer.read(READ_MAX)
    with Toolchain(options["--filename"], options["--include"], options["--seconds"]) as tools:
        verdict, built = check(data, options["--filename"], options["--refuse"], tools)
    if verdict["valid"]:
        _write(OBJECT_FD, built)
    _write(1, to_json(verdict).encode("ascii") + b"\n")
    return 0


def _options(arguments):
    options = {"--filename": None, "--include": None, "--refuse": "medium", "--seconds": "60"}
    if len(arguments) % 2:
        return None
    for option, value in zip(arguments[::2], arguments[1::2]):
        if option not in options:
            return None
        options[option] = value
    if not options["--filename"] or options["--refuse"] not in SEVERITIES or \
            not options["--seconds"].isdecimal():
        return None
    options["--seconds"] = int(options["--seconds"])
    return options


def _write(fd, data):
    while data:
        data = data[os.write(fd, data):]
