"""Tables and verdicts of paced.py's figures."""

from paced import AGENT, CASES, ECHO
from report import (aligned, difference, disturbed_lines, figures_of, measured_cases, middle, ratio,
                    reason_lines, spread_text, time_text, unmeasured_verdicts, verdict_of)

MORE_BOUND_SECONDS = 25e-6
P99_BOUND = 1.5


def verdicts(rounds):
    """One dict for each target that was to be measured."""
    result = []
    for case, pace in CASES.items():
        words = f"a pin by MQTT, {pace} a second"
        more = difference(rounds, case, "p50", AGENT, ECHO)
        if more:
            result.append(verdict_of(f"{words}: p50, {AGENT} - {ECHO}", *more, "<=",
                                     MORE_BOUND_SECONDS, "seconds"))
        times = ratio(rounds, case, "p99", AGENT, ECHO)
        if times:
            result.append(verdict_of(f"{words}: p99, {AGENT} / {ECHO}", *times, "<=", P99_BOUND,
                                     None))
    return [*result, *unmeasured_verdicts(rounds, AGENT)]


def tables(rounds):
    cases = measured_cases(rounds, CASES)
    if not cases:
        return []
    rows = [["", "commands", "p50", f"more than {ECHO}", "p99", f"of {ECHO}'s", "max",
             "CPU of each"]]
    for case in cases:
        for name in (AGENT, ECHO):
            if middle(rounds, case, name, "p50") is None:
                continue
            p50, p99, most = (time_text(middle(rounds, case, name, key))
                              for key in ("p50", "p99", "max"))
            ours = name == AGENT
            rows.append([
                f"{name}, {CASES[case]} a second",
                f"{sum(figures_of(rounds, case, name, 'commands')):,}" if ours else "", p50,
                spread_text(difference(rounds, case, "p50", AGENT, ECHO), time_text) if ours else "",
                p99, spread_text(ratio(rounds, case, "p99", AGENT, ECHO)) if ours else "", most,
                time_text(middle(rounds, case, name, "cpu")) if ours else ""])
    return ["a pin by MQTT: led_on and led_off in turn at a steady pace, each until its reply; the "
            "echo is asked in between", *aligned(rows), *reason_lines(rounds, cases, [AGENT]),
            *disturbed_lines(rounds), ""]
