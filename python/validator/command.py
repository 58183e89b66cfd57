"""command - options in, bytes in, one line of JSON out.

usage: validator --filename NAME [--refuse low|medium|high] [--core NAME]... < SOURCE

Exit status: 0 with a verdict, whatever it is; 2 when the options are wrong.
"""

import gc
import posix
import sys

from check import Policy, check
from report import SEVERITIES, to_json
from source import SIZE_MAX

READ_SIZE = 1 << 16
RECURSION = 3000


def main(arguments, here):
    """`here` is the directory of this program: first of sys.path, and not a host's."""
    options = _options(arguments)
    if options is None:
        print(__doc__.partition("\n\n")[2].strip(), file=sys.stderr)
        return 2
    filename, refuse, core = options
    # It ends before there is anything to collect; looking for it takes a tenth of its time.
    gc.disable()
    sys.setrecursionlimit(RECURSION)
    path = [one for one in sys.path if one != here]
    core |= _modules_in(here) | _modules_in(here + "/../host")
    verdict = check(_read(sys.stdin.buffer.raw), Policy(filename, refuse, core, path))
    sys.stdout.buffer.write(to_json(verdict).encode("ascii") + b"\n")
    sys.stdout.buffer.flush()
    return 0


def _modules_in(directory):
    """Names of our own modules: a host finds its own beside the handler's."""
    try:
        return {name[:-len(".py")] for name in posix.listdir(directory) if name.endswith(".py")}
    except OSError:
        return set()


def _options(arguments):
    filename, refuse, core = None, "medium", set()
    at = 0
    while at < len(arguments):
        option, value = arguments[at], arguments[at + 1:at + 2]
        if option == "--filename" and value:
            filename = value[0]
        elif option == "--refuse" and value and value[0] in SEVERITIES:
            refuse = value[0]
        elif option == "--core" and value:
            # As many names as follow.
            at += 1
            while at < len(arguments) and not arguments[at].startswith("--"):
                core.add(arguments[at])
                at += 1
            continue
        else:
            return None
        at += 2
    return (filename, refuse, core) if filename else None


def _read(file):
    """All bytes, of which those beyond the limit are read and dropped: no writer is cut off."""
    data = b""
    while True:
        block = file.read(READ_SIZE)
        if not block:
            return data
        if len(data) <= SIZE_MAX:
            data += block
