"""What came of processes that were killed: nothing of it may be left."""

import contextlib
import ctypes
import os
import pathlib
import time

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
PATIENCE_SECONDS = 30


def children_of(parent):
    """Their process ids; those that have ended and were not waited for are among them."""
    found = set()
    for task in pathlib.Path(f"/proc/{parent}/task").iterdir():
        with contextlib.suppress(OSError):
            found |= {int(pid) for pid in (task / "children").read_text().split()}
    return found


@contextlib.contextmanager
def orphans_come_here():
    """While the block lasts, whoever loses its parent becomes a child of this process: the
    kernel itself says what is left. The value is a function that waits until nothing is but
    what was there before, and `expected`."""
    before = children_of(os.getpid())
    set_subreaper(1)

    def await_none(*expected):
        end = time.monotonic() + PATIENCE_SECONDS
        while left := children_of(os.getpid()) - before - set(expected):
            for pid in left:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
            assert time.monotonic() < end, [words_of(pid) for pid in left]
            time.sleep(0.005)

    try:
        yield await_none
    finally:
        set_subreaper(0)


def set_subreaper(on):
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, on, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def words_of(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
    return b"gone"
