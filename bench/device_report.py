"""Tables and verdicts of device.py's figures."""

from report import aligned, bytes_text, percent_text, time_text, verdict_of

KILL_BOUND_SECONDS = 0.005
# What top(1) shows as 0.0 %.
IDLE_BOUND_SHARE = 0.0005
# A hundredth of the period at 100 Hz, which nobody sees a LED flicker by.
LATE_BOUND_SECONDS = 0.0001
# Beyond it, others had more of the processors than a quiet machine gives away.
DISTURBED_SHARE = 0.05


def measured(part):
    """[(name, figures)] without those that could not be measured."""
    return [(name, figures) for name, figures in part.items() if "unusable" not in figures]


def unmeasured(part):
    return [(name, figures["unusable"]) for name, figures in part.items() if "unusable" in figures]


def verdicts(device):
    """One dict for each target that was to be measured."""
    result = []
    for name, figures in measured(device.get("kill", {})):
        result.append(verdict_of(f"kill -9 to safe, p99: {name}", figures["p99"], figures["min"],
                                 figures["max"], "<", KILL_BOUND_SECONDS, "seconds"))
    for name, figures in measured(device.get("idle-cpu", {})):
        share = figures["cpu_share"]
        result.append(verdict_of(f"CPU when idle: {name}", share, share, share, "<",
                                 IDLE_BOUND_SHARE, "share"))
    for name, figures in measured(device.get("pwm", {})):
        result.append(verdict_of(f"software PWM, p99 of lateness: {name}", figures["p99"],
                                 figures["p50"], figures["max"], "<", LATE_BOUND_SECONDS,
                                 "seconds"))
    for part, by_name in device.items():
        for name, _ in unmeasured(by_name):
            result.append(verdict_of(f"{part}, {name}: can be measured", 0, 0, 0, ">=", 1, None))
    return result


def others_text(figures):
    return percent_text(figures["others_share"])


def with_remarks(title, rows, part):
    remarks = [f"  {name}: not measured: {reason}" for name, reason in unmeasured(part)]
    disturbed = [figures["others_share"] for _, figures in measured(part)
                 if figures["others_share"] > DISTURBED_SHARE]
    if disturbed:
        remarks.append(f"  Beware: other programs used up to {percent_text(max(disturbed))} of all "
                       "processors meanwhile. A quiet machine has other figures.")
    return [title, *(aligned(rows) if rows[1:] else []), *remarks, ""]


def kill_table(part):
    rows = [["agent", "resident", "kills", "min", "p50", "p99", "max", "others"]]
    remarks = []
    for name, figures in measured(part):
        rows.append([name, bytes_text(figures["memory"]), str(figures["kills"]),
                     *(time_text(figures[key]) for key in ("min", "p50", "p99", "max")),
                     others_text(figures)])
        if figures["by_pidfd"]:
            remarks.append(f"  {name}: {figures['by_pidfd']} times the futex did not tell.")
        if not figures["realtime"]:
            remarks.append(f"  {name}: without a real-time priority; measure as root.")
    lines = {figures["lines"] for _, figures in measured(part)}
    title = f"kill -9 of the agent to safe pins, {max(lines, default=0)} lines, a request for each"
    return [*with_remarks(title, rows, part)[:-1], *remarks, ""]


def idle_table(part):
    lines = []
    for name, figures in measured(part):
        rows = [[name, "CPU in a second", "switches in a second"]]
        rows += [[thread, f"{clock['ns_per_second']:,.0f} ns",
                  f"{clock['switches_per_second']:.2f}"]
                 for thread, clock in figures["threads"].items()]
        rows.append(["all", f"{figures['cpu_share'] * 1e9:,.0f} ns",
                     f"{figures['switches_per_second']:.2f}"])
        lines += with_remarks(
            f"CPU when idle: {figures['lines']} lines in use, {figures['window']:.0f} s; "
            f"{figures['ticks']} of the ticks of {figures['tick_seconds'] * 1e3:.0f} ms by which "
            "/proc/PID/stat counts", rows, {name: figures})
    for name, reason in unmeasured(part):
        lines += [f"CPU when idle, {name}: not measured: {reason}", ""]
    return lines


def signal_table(part):
    rows = [["signal", "edges", "lost", "p50", "p99", "max", "others"]]
    for name, figures in measured(part):
        rows.append([name, f"{figures['edges']:,}", str(figures["lost"]),
                     *(time_text(figures[key]) for key in ("p50", "p99", "max")),
                     others_text(figures)])
    return with_remarks("software PWM: how late its edges are", rows, part)


def tables(device):
    lines = []
    for part, table in (("kill", kill_table), ("idle-cpu", idle_table), ("pwm", signal_table)):
        if part in device:
            lines += table(device[part])
    return lines
