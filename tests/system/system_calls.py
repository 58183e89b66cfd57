"""Faults at system calls, by strace: the Nth call of a name is failed, or its process killed.

Numbers count the calls of one thread: `strace -f` counts for each thread by itself, and
whichever comes first ends the run. So the thread is chosen where it matters.
"""

import concurrent.futures
import os
import pathlib
import subprocess

WORKERS = os.cpu_count() or 1
TOLD = 100
ATTACH_SECONDS = 20

KILL = "signal=SIGKILL"
# What changes a disk or makes a change last.
DURABLE = ("openat", "write", "fsync", "fdatasync", "rename", "renameat", "renameat2", "linkat",
           "unlinkat", "mkdirat", "fchmod", "ftruncate", "close")


def options(call, fault, number):
    """For strace: nothing else is shown, so that the rest runs at its own pace. A call that this
    processor does not have is never reached."""
    return ["-e", f"trace=?{call}", "-e", f"inject=?{call}:{fault}:when={number}"]


def was_reached(trace):
    """By what strace wrote: did the fault happen?"""
    text = trace.read_text(encoding="utf-8", errors="replace")
    return "(INJECTED)" in text or "killed by SIGKILL" in text


def each_point(call, attempt, folder, tell, first=1, most=2000):
    """How many calls of this name were reached: from the `first` on until one is not, below
    `most`. `attempt(call, number, folder)` says whether it was, or fails. They are tried side by
    side, each with a folder of its own; `tell` hears of each hundred."""
    points = 0
    width = 2 * WORKERS  # so that a slow one holds up nobody
    folders = [folder.with_name(f"{folder.name}-{place}") for place in range(width)]
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        for start in range(first, most, width):
            numbers = range(start, min(start + width, most))
            reached = list(pool.map(attempt, [call] * width, numbers, folders))
            points += sum(reached)
            if not all(reached):
                return points
            if points % TOLD < width:
                tell(f"{points} calls of {call}")
    raise AssertionError(f"{call}: there are more than {most}")


def thread_of(pid, name):
    """The thread of a process that goes by this name."""
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().strip() == name:
            return int(task.name)
    raise LookupError(f"process {pid} has no thread {name}")


class Fault:
    """At a running thread, from now on and as long as the block lasts; `reached` then says
    whether it happened. `number` "1+" is every call from the first on."""

    def __init__(self, thread, call, fault, number, trace):
        self.call = call
        self.number = number
        self.trace = trace
        self.reached = False
        self.strace = subprocess.Popen(
            ["strace", "-p", str(thread), "-o", str(trace), *options(call, fault, number)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True)

    def __enter__(self):
        line = self.strace.stderr.readline()
        assert line.endswith("attached\n"), line
        return self

    def __exit__(self, *_):
        """Lets go of the thread, which goes on where it still is. What a kill did may not have
        come to strace's ears yet, but the call is written down before."""
        self.strace.terminate()
        self.strace.communicate(timeout=ATTACH_SECONDS)
        text = self.trace.read_text(encoding="utf-8", errors="replace")
        made = sum(line.startswith(f"{self.call}(") for line in text.splitlines())
        self.reached = made >= int(str(self.number).rstrip("+"))
