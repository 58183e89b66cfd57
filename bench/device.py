"""What a device does when nobody looks: how fast pins are safe after a kill -9, what
idling costs, how late software PWM is. Plain figures in base units."""

import contextlib
import json
import math
import os
import resource
import subprocess
import time
from pathlib import Path

from guarded import PINS, Guarded, busy_loops
from server import Unusable, tool

HOGS = 4
# By this much the larger agent is larger: code of users, libraries, what has leaked.
BALLAST_MB = 100
# Agent, load. The names are those of the report.
KILLS = {
    "own size, idle": (0, 0),
    "own size, four busy loops": (0, HOGS),
    "100 MB more, idle": (BALLAST_MB, 0),
    "100 MB more, four busy loops": (BALLAST_MB, HOGS),
}
# Frequency in Hz, channels.
SIGNALS = {"100 Hz, 1 channel": (100, 1), "100 Hz, 8 channels": (100, 8),
           "1000 Hz, 1 channel": (1000, 1)}
# After the last command: what it left to do is done.
CALM_SECONDS = 2
TICKS = os.sysconf("SC_CLK_TCK")


def quantile(ordered, share):
    """The smallest value that this share of all does not exceed."""
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


def machine_ticks():
    """(ticks of all processors, those in which one computed or its host was elsewhere)."""
    words = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    ticks = [int(word) for word in words]
    return sum(ticks), sum(ticks) - ticks[3] - ticks[4]


def own_cpu_seconds():
    return sum(usage.ru_utime + usage.ru_stime for usage in
               (resource.getrusage(who) for who in (resource.RUSAGE_SELF,
                                                    resource.RUSAGE_CHILDREN)))


@contextlib.contextmanager
def others(figures):
    """Puts into figures["others_share"] how much of all processors neither we nor the
    children that ended meanwhile have used. Not to be had in a smaller unit than ticks."""
    total, busy = machine_ticks()
    own = own_cpu_seconds()
    yield
    total, busy = (after - before for after, before in zip(machine_ticks(), (total, busy)))
    figures["others_share"] = max(0.0, busy - (own_cpu_seconds() - own) * TICKS) / max(1, total)


def kills(programs, ballast_mb, hogs, count):
    """kill -9 of one agent after the other, each of a fresh supervisor's: the second
    would have to wait for its back-off."""
    took, seen, memory = [], [], 0
    figures = {}
    with others(figures), busy_loops(hogs):
        for _ in range(count):
            with Guarded(programs, ballast_mb=ballast_mb) as guarded:
                memory = guarded.agent_memory()
                took.append(guarded.kill_agent())
                seen.append(guarded.seen_by())
                realtime = not guarded.said("no real-time priority")
    took.sort()
    return {**figures, "kills": count, "lines": len(PINS), "memory": memory,
            "min": took[0], "p50": quantile(took, 0.5), "p99": quantile(took, 0.99), "max": took[-1],
            "by_pidfd": seen.count("pidfd"), "realtime": realtime}


def thread_clocks(process):
    """{thread: (name, ns on a processor, times it gave it up or lost it)}"""
    found = {}
    for task in Path(f"/proc/{process}/task").iterdir():
        status = dict(line.split(":\t", 1) for line in
                      (task / "status").read_text().splitlines() if ":\t" in line)
        found[int(task.name)] = (
            status["Name"], int((task / "schedstat").read_text().split()[0]),
            int(status["voluntary_ctxt_switches"]) + int(status["nonvoluntary_ctxt_switches"]))
    return found


def process_ticks(process):
    words = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return int(words[11]) + int(words[12])


def idle_cpu(programs, seconds):
    """Agent and supervisor with lines in use and nobody who asks."""
    figures = {}
    with others(figures), Guarded(programs) as guarded:
        processes = {"agent": guarded.agent_pid, "supervisor": guarded.supervisor.pid}
        time.sleep(CALM_SECONDS)
        before = {name: (thread_clocks(pid), process_ticks(pid))
                  for name, pid in processes.items()}
        began = time.monotonic()
        time.sleep(seconds)
        window = time.monotonic() - began
        threads, ticks = {}, 0
        for name, pid in processes.items():
            clocks, ticks_before = before[name]
            ticks += process_ticks(pid) - ticks_before
            for thread, (thread_name, ns, switches) in thread_clocks(pid).items():
                _, ns_before, switches_before = clocks.get(thread, ("", 0, 0))
                threads[f"{name}: {thread_name} {thread - pid}"] = {
                    "ns_per_second": (ns - ns_before) / window,
                    "switches_per_second": (switches - switches_before) / window}
    if not sum(thread["switches_per_second"] for thread in threads.values()):
        raise Unusable(guarded.words("did not even beat"))
    return {**figures, "window": window, "lines": len(PINS), "threads": threads,
            "ticks": ticks, "tick_seconds": 1 / TICKS,
            "cpu_share": sum(thread["ns_per_second"] for thread in threads.values()) / 1e9,
            "switches_per_second": sum(thread["switches_per_second"]
                                       for thread in threads.values())}


def jitter(build, hertz, channels, seconds):
    """How late the edges of software PWM are, on the simulated chip."""
    figures = {}
    with others(figures):
        run = subprocess.run([tool(build, "bench-pwm-jitter"), str(seconds), str(hertz),
                              str(channels)], capture_output=True, text=True,
                             timeout=seconds + 30, check=False)
    if run.returncode != 0:
        raise Unusable(f"bench-pwm-jitter failed: {run.stderr.strip()}")
    raw = json.loads(run.stdout)
    return {**figures, "edges": raw["edges"], "lost": raw["lost"],
            **{name: raw["late_us"][name] / 1e6 for name in ("p50", "p99", "max")}}
