"""From the figures of all rounds to medians, ratios, verdicts and a table."""

from statistics import median

CASES = {
    "1x1": (1, 1, "one connection, one request in flight"),
    "50x1": (50, 1, "50 connections, one request in flight each"),
    "50x16": (50, 16, "50 connections, 16 requests in flight each"),
    "pin": (1, 1, "a pin by TCP: led_on and led_off in turn on one connection, reply awaited"),
}

# What, of which case, the agent against whom, how it compares, with what.
RELATIVE_TARGETS = (
    ("1x1", "rate", "redis", ">=", 0.95),
    ("50x1", "rate", "redis", ">=", 0.9),
    ("50x16", "rate", "redis", ">=", 0.7),
    ("50x16", "rate", "python", ">=", 6.0),
    ("50x16", "p99", "redis", "<", 1.5),
    ("pin", "p99", "echo", "<=", 1.5),
)
# By how much the agent is above the other, in seconds.
DIFFERENCE_TARGETS = (("pin", "p50", "echo", "<=", 25e-6),)
ABSOLUTE_TARGETS = (
    ("idle", "pss_per_connection", "<", 4096, "memory for each of 10,000 idle connections"),
    ("start", "pss", "<=", 8 * 1024 * 1024, "memory at rest (Pss)"),
    ("start", "seconds", "<", 0.050, "exec to first reply"),
)
PEERS = ("agent", "redis", "python", "echo")
LOAD_METRICS = ("rate", "p50", "p99", "p999", "cpu_per_request", "server_share", "generator_share")
WORDS = {"rate": "requests/s"}
# Beyond it, other programs had more of the two cores than a quiet machine gives away.
DISTURBED_SHARE = 0.02


def figures_of(rounds, case, peer, metric):
    return [figures[case][peer][metric] for figures in rounds
            if peer in figures.get(case, {}) and metric in figures[case][peer]]


def middle(rounds, case, peer, metric):
    """The median over the rounds; None where it was not measured."""
    figures = figures_of(rounds, case, peer, metric)
    return median(figures) if figures else None


def pairs(rounds, case, metric, peer, other):
    """Both figures of each round that has both."""
    found = [(figures_of([figures], case, peer, metric), figures_of([figures], case, other, metric))
             for figures in rounds]
    return [(ours[0], theirs[0]) for ours, theirs in found if ours and theirs]


def ratio(rounds, case, metric, peer, other):
    """The median of the ratios within each round, and their extremes. What
    disturbs the machine for a while disturbs both sides of one ratio."""
    ratios = [a / b for a, b in pairs(rounds, case, metric, peer, other) if b]
    return (median(ratios), min(ratios), max(ratios)) if ratios else None


def difference(rounds, case, metric, peer, other):
    """As ratio(), of how much more it is."""
    found = [a - b for a, b in pairs(rounds, case, metric, peer, other)]
    return (median(found), min(found), max(found)) if found else None


def reasons_of(rounds, case, peer):
    """Why there are no figures of some rounds."""
    return figures_of(rounds, case, peer, "unusable")


def reason_lines(rounds, cases, peers):
    """A line for each peer that could not be measured in every round."""
    lines = []
    for case in cases:
        for peer in peers:
            reasons = reasons_of(rounds, case, peer)
            if reasons:
                lines.append(f"  {peer}: not measured in {len(reasons)} of "
                             f"{sum(case in figures for figures in rounds)} rounds ({case}): "
                             f"{reasons[0]}")
    return lines


def holds(value, comparison, bound):
    return {">=": value >= bound, "<=": value <= bound, "<": value < bound}[comparison]


def verdict_of(what, value, lowest, highest, comparison, bound, metric):
    """`metric`: "seconds", "bytes", "share"; None: a plain number."""
    return {"what": what, "value": value, "lowest": lowest, "highest": highest,
            "comparison": comparison, "bound": bound, "metric": metric,
            "reached": holds(value, comparison, bound)}


def verdicts(rounds):
    """One dict for each target that was measured."""
    result = []
    for case, metric, other, comparison, bound in RELATIVE_TARGETS:
        found = ratio(rounds, case, metric, "agent", other)
        if found:
            result.append(verdict_of(f"{case}: {WORDS.get(metric, metric)}, agent / {other}",
                                     *found, comparison, bound, None))
    for case, metric, other, comparison, bound in DIFFERENCE_TARGETS:
        found = difference(rounds, case, metric, "agent", other)
        if found:
            result.append(verdict_of(f"{case}: {metric}, agent - {other}", *found, comparison,
                                     bound, "seconds"))
    for case, metric, comparison, bound, words in ABSOLUTE_TARGETS:
        value = middle(rounds, case, "agent", metric)
        if value is not None:
            figures = figures_of(rounds, case, "agent", metric)
            result.append(verdict_of(words, value, min(figures), max(figures), comparison, bound,
                                     "seconds" if metric == "seconds" else "bytes"))
    return [*result, *unmeasured_verdicts(rounds, "agent")]


def unmeasured_verdicts(rounds, peer):
    """A missed target for each case of which some rounds have no figures of `peer`: not to have
    stood the measurement is worse than a bad figure."""
    result = []
    for case in dict.fromkeys(case for figures in rounds for case in figures):
        reasons = reasons_of(rounds, case, peer)
        if reasons:
            result.append(verdict_of(f"{case}: rounds without valid figures of {peer}",
                                     len(reasons), 0, len(rounds), "<=", 0, None))
    return result


def measured_cases(rounds, cases):
    return [case for case in cases if any(case in figures for figures in rounds)]


def summary(rounds):
    """The medians, case by peer by metric, for the JSON."""
    cases = {}
    for figures in rounds:
        for case, by_peer in figures.items():
            for peer, metrics in by_peer.items():
                cases.setdefault(case, {}).setdefault(peer, set()).update(
                    metric for metric in metrics if metric != "unusable")
    return {case: {peer: {metric: middle(rounds, case, peer, metric)
                          for metric in sorted(metrics)}
                   for peer, metrics in by_peer.items()}
            for case, by_peer in cases.items()}


def time_text(seconds):
    if abs(seconds) < 0.001:
        return f"{seconds * 1e6:.{1 if abs(seconds) < 1e-4 else 0}f} µs"
    if seconds < 1:
        return f"{seconds * 1e3:.{2 if seconds < 0.01 else 1}f} ms"
    return f"{seconds:.2f} s"


def bytes_text(count):
    if count < 10 * 1024:
        return f"{count:.0f} B"
    if count < 1024 * 1024:
        return f"{count / 1024:.1f} KiB"
    return f"{count / 1024 / 1024:.2f} MiB"


def verdict_text(verdict, key):
    """A figure of a verdict in the unit of its metric; ratios have none."""
    metric = verdict["metric"]
    if metric is None:
        return f"{verdict[key]:.2f}"
    return {"seconds": time_text, "bytes": bytes_text, "share": percent_text}[metric](verdict[key])


def share_text(share):
    return f"{share * 100:.0f} %"


def percent_text(share):
    """Small ones too."""
    return f"{share * 100:.{0 if share >= 0.1 else 1 if share >= 0.01 else 4}f} %"


def ratio_text(found):
    return f"{found[0]:.2f}" if found else "-"


def spread_text(found, text="{:.2f}".format):
    """The median over the rounds and its extremes; "-": there is none."""
    return f"{text(found[0])} ({text(found[1])} to {text(found[2])})" if found else "-"


def cell(rounds, case, peer, metric, text):
    value = middle(rounds, case, peer, metric)
    return "-" if value is None else text(value)


def rate_text(rate):
    return f"{rate:,.0f}"


def cpu_text(seconds):
    return f"{seconds * 1e6:.2f} µs"


def aligned(rows):
    """Columns as wide as needed: the first to the left, numbers to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  " + "  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                             for i, (cell, width) in enumerate(zip(row, widths))).rstrip()
            for row in rows]


def load_table(rounds, case, peers):
    rows = [["", "requests/s", "of redis", "of python", "p50", "p99", "p99.9",
             "CPU/request", "server CPU", "generator CPU"]]
    remarks = []
    for peer in peers:
        if middle(rounds, case, peer, "rate") is None:
            continue
        value = {metric: middle(rounds, case, peer, metric) for metric in LOAD_METRICS}
        rows.append([
            peer, f"{value['rate']:,.0f}",
            ratio_text(ratio(rounds, case, "rate", peer, "redis")),
            ratio_text(ratio(rounds, case, "rate", peer, "python")),
            *(time_text(value[metric]) for metric in ("p50", "p99", "p999")),
            f"{value['cpu_per_request'] * 1e6:.2f} µs",
            share_text(value["server_share"]), share_text(value["generator_share"])])
        bound = figures_of(rounds, case, peer, "generator_bound")
        if any(bound):
            remarks.append(f"  {peer}: the generator, not the server, was at its limit in "
                           f"{sum(bound)} of {len(bound)} rounds: the server can do more.")
    return [CASES[case][2], *aligned(rows), *remarks, *reason_lines(rounds, [case], peers), ""]


def rest_table(rounds, peers):
    """Start-up and memory."""
    rows = [["", "exec to first reply", "Pss at rest", "each of 10,000 idle", "Pss with them"]]
    for peer in peers:
        cells = [peer]
        for case, metric, text in (("start", "seconds", time_text), ("start", "pss", bytes_text),
                                   ("idle", "pss_per_connection", bytes_text),
                                   ("idle", "pss", bytes_text)):
            value = middle(rounds, case, peer, metric)
            cells.append("-" if value is None else text(value))
        if any(cell != "-" for cell in cells[1:]):
            rows.append(cells)
    reasons = reason_lines(rounds, ("start", "idle"), peers)
    return ["start-up and memory", *aligned(rows), *reasons, ""] if rows[1:] or reasons else []


def verdict_table(found):
    rows = [["", "measured", "lowest", "highest", "target", ""]]
    for verdict in found:
        rows.append([verdict["what"],
                     *(verdict_text(verdict, key) for key in ("value", "lowest", "highest")),
                     f"{verdict['comparison']} {verdict_text(verdict, 'bound')}",
                     "reached" if verdict["reached"] else "MISSED"])
    return ["targets", *aligned(rows), ""] if found else []


def disturbance(rounds):
    """The median share of a window in which server or generator waited for its
    core because something else ran there; None without load runs."""
    shares = [share for case in CASES for peer in PEERS
              for share in figures_of(rounds, case, peer, "disturbed_share")]
    return median(shares) if shares else None


def disturbed_lines(rounds):
    """A warning when others held one of the two cores for too long, in the median of all windows of
    these rounds."""
    shares = [figures["disturbed_share"] for by_case in rounds for by_name in by_case.values()
              for figures in by_name.values() if "disturbed_share" in figures]
    share = median(shares) if shares else 0
    if share <= DISTURBED_SHARE:
        return []
    return [f"  Beware: other programs held the two cores for {share_text(share)} of the time. "
            "Rates and latencies do not count; CPU for each changes little."]


def text(machine, rounds, peers, device_tables=(), device_verdicts=()):
    """`device_…`: what device_report.py makes of the rest."""
    lines = ["", *(f"{key + ':':10} {value}" for key, value in machine.items()), ""]
    for case in CASES:
        if any(case in figures for figures in rounds):
            lines += load_table(rounds, case, peers)
    lines += rest_table(rounds, peers)
    lines += device_tables
    lines += verdict_table([*verdicts(rounds), *device_verdicts])
    disturbed = disturbance(rounds)
    if disturbed is not None and disturbed > DISTURBED_SHARE:
        lines += ["Beware: other programs held the two cores for "
                  f"{share_text(disturbed)} of the time. Neither the figures nor the "
                  "verdicts count: measure on a quiet machine.", ""]
    return "\n".join(lines)
