"""Tables and verdicts of deployed.py's figures."""

from statistics import median

from device_report import measured, others_text, unmeasured, with_remarks
from report import aligned, bytes_text, time_text, verdict_of

LIVE_BOUND_SECONDS = 0.200
CALL_BOUND_SECONDS = 60e-6
START_BOUND_SECONDS = 5.0
HOST_BOUND_BYTES = 8 * 1024 * 1024
# What is beside the agent's own figures: without them, no target is missed.
BESIDE = {"c": "a handler in C", "in-process": "in-process",
          "in-process built-in": "in-process built-in",
          "in-process python": "in-process handler"}
NAMES = {**BESIDE, "agent": "agent", "built-in": "built-in", "python": "a handler in Python",
         "now": "start: now", "lazy": "start: lazy"}


def verdicts(parts):
    """One dict for each target that was to be measured."""
    result = []

    def add(part, name, what, keys, bound, metric):
        figures = dict(measured(parts.get(part, {}))).get(name)
        if figures:
            result.append(verdict_of(what, *(figures[key] for key in keys), "<", bound, metric))

    add("deploy", "agent", "deploy to live, p50", ("p50", "min", "max"),
        LIVE_BOUND_SECONDS, "seconds")
    add("call", "python", "call: p50, a handler in Python - built-in",
        ("more_p50", "more_lowest", "more_highest"), CALL_BOUND_SECONDS, "seconds")
    add("modules", "now", "100 modules, exec to all answering",
        ("seconds", "seconds_min", "seconds_max"), START_BOUND_SECONDS, "seconds")
    add("host-memory", "python", "private memory of an idle Python host",
        ("private", "private", "private"), HOST_BOUND_BYTES, "bytes")
    for part, by_name in parts.items():
        for name, _ in unmeasured(by_name):
            if name not in BESIDE:
                result.append(verdict_of(f"{part}, {name}: can be measured", 0, 0, 0, ">=", 1,
                                         None))
    return result


def named(part):
    """The same part, by the names of the report."""
    return {NAMES[name]: figures for name, figures in part.items()}


def deploy_table(part):
    rows = [["", "p50", "p90", "min", "max", "CPU of each", "of in-process", "others"]]
    lines = 0
    for name, figures in measured(named(part)):
        lines = figures["lines"]
        ratios = figures.get("ratios")
        rows.append([name, *(time_text(figures[key]) for key in ("p50", "p90", "min", "max")),
                     time_text(figures["cpu"]),
                     f"{median(ratios):.1f} times" if ratios else "-", others_text(figures)])
    return with_remarks(f"a module of {lines} lines: update_handler to the reply of its new "
                        "command, all on one core", rows, named(part))


def call_table(part):
    rows = [["", "p50", "p99", "more, p50", "more, p99", "others"]]
    for name, figures in measured(named(part)):
        rows.append([name, time_text(figures["p50"]), time_text(figures["p99"]),
                     *(time_text(figures[key]) if key in figures else "-"
                       for key in ("more_p50", "more_p99")), others_text(figures)])
    return with_remarks("a call, and how much more it is than the built-in command of its server; "
                        "agent and hosts on one core", rows, named(part))


def modules_table(part):
    rows = [["", "exec to the first reply", "to all replies", "CPU", "processes", "others"]]
    count = 0
    for name, figures in measured(named(part)):
        count = figures["modules"]
        rows.append([name, time_text(figures["first"]),
                     time_text(figures["seconds"]) if "seconds" in figures else "-",
                     time_text(figures["cpu"]), f"{figures['processes']:.0f}",
                     others_text(figures)])
    return with_remarks(f"{count} modules in place when the agent starts, all on one core", rows,
                        named(part))


def memory_table(part):
    rows = [["", "private", "of it the host", "as handler_stats says"]]
    rows += [[name, *(bytes_text(figures[key]) if "host" in figures or key == "reported" else "-"
                      for key in ("private", "host", "reported"))]
             for name, figures in measured(named(part))]
    remarks = [f"  {name}: not measured: {reason}" for name, reason in unmeasured(named(part))]
    if any("host" not in figures for _, figures in measured(part)):
        remarks.append("  The kernel tells root only: the agent's own figure is judged.")
    return ["private memory of an idle host, with what its sandbox keeps",
            *(aligned(rows) if rows[1:] else []), *remarks, ""]


def tables(parts):
    lines = []
    for part, table in (("deploy", deploy_table), ("call", call_table),
                        ("modules", modules_table), ("host-memory", memory_table)):
        if part in parts:
            lines += table(parts[part])
    return ["MODULES THAT ARE DEPLOYED AT RUN TIME", "", *lines] if lines else []
