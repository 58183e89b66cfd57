"""Each rule finds its example and leaves its counterexample alone; the page lists them all."""

import sys

import pytest

from validator import NAME, ROOT, VALIDATOR, verdict, verdicts

sys.path.insert(0, str(VALIDATOR))
import rules  # noqa: E402 a module of the program, not of the tests

sys.path.remove(str(VALIDATOR))

RULES = list(rules.RULES.values())


@pytest.fixture(scope="module")
def judged():
    jobs = []
    for rule in RULES:
        example = rule["example"].encode() * rule.get("example_times", 1)
        jobs += [(example, rule.get("filename", NAME)), (rule["counterexample"].encode(), NAME)]
    found = verdicts(jobs)
    return {rule["id"]: found[2 * at:2 * at + 2] for at, rule in enumerate(RULES)}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["id"])
def test_the_example_is_found(judged, rule):
    found = judged[rule["id"]][0]
    place = "warnings" if rule["severity"] == "low" else "findings"
    assert [one["rule"] for one in found[place]] == [rule["id"]]
    (one,) = found[place]
    assert (one["layer"], one["severity"]) == (rule["layer"], rule["severity"])
    assert found["valid"] is (rule["severity"] == "low")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["id"])
def test_the_counterexample_is_not(judged, rule):
    found = judged[rule["id"]][1]
    assert [one["rule"] for one in found["findings"] + found["warnings"]] == []


@pytest.mark.parametrize("name", sorted(rules.CALLS))
def test_a_refused_name_is_refused_wherever_it_is_imported_from(name):
    module, _, member = name.rpartition(".")
    source = f"from {module} import {member} as a\nb = a\nb()\n"
    found = verdicts([source.encode()])[0]
    assert [one["rule"] for one in found["findings"]] == [rules.CALLS[name]], found["errors"]


def test_policy_decides_from_which_severity_a_finding_refuses():
    source = b"from math import *\nimport gc\ngc.get_objects()\neval('1')\n"
    refused = {level: [one["rule"] for one in verdict(source, "--refuse", level)["findings"]]
               for level in ("low", "medium", "high")}
    assert refused == {"low": ["star-import", "gadget-module", "dynamic-code"],
                       "medium": ["gadget-module", "dynamic-code"], "high": ["dynamic-code"]}


def test_the_page_lists_the_rules_as_they_are():
    page = (ROOT / "docs" / "handler-checks.md").read_text(encoding="utf-8")
    rows = [line for line in page.partition("\n## Rules\n")[2].splitlines()
            if line.startswith("| `")]
    assert rows == [f"| `{rule['id']}` | {rule['layer']} | {rule['severity']} | {rule['reason']} |"
                    for rule in RULES]
