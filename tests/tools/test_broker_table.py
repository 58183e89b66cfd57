"""tests/broker/README.md names every bound of the broker, and tests that exist; every counter
is read by a test."""

import pathlib
import re

TOP = pathlib.Path(__file__).resolve().parents[2]
MQTT = TOP / "src/mqtt"
TABLE = (TOP / "tests/broker/README.md").read_text()
LIMITS = (MQTT / "limits.h").read_text()
TERMS = (MQTT / "terms.h").read_text()
UNIT_TESTS = {path.name: path.read_text() for path in MQTT.glob("test-*.c")}


def bounds():
    bodies = [re.search(rf"struct {name} \{{(.*?)\n\}};", text, re.S).group(1)
              for name, text in (("mqtt_limits", LIMITS), ("mqtt_terms", TERMS))]
    return {field for body in bodies
            for field in re.findall(r"^\s*(?:u?int\d+_t|size_t) (\w+);", body, re.M)}


def proofs():
    """(file or "", test) of each row's last column."""
    rows = [row for row in TABLE.splitlines() if row.startswith("| ")]
    cells = [row.rstrip(" |").rsplit(" | ", 1)[1] for row in rows if "---" not in row]
    return [(file, test) for cell in cells
            for file, test in re.findall(r"`(?:([\w.-]+):)?(\w+)`", cell)]


def exists(file, test):
    if file.endswith(".c"):
        found = re.search(rf"TEST\({test}\)|BOUND\({test},", UNIT_TESTS[file])
    else:
        text = (TOP / "tests/system" / (file or "broker_storms.py")).read_text()
        found = re.search(rf"^def {test}\(", text, re.M)
    return found is not None


def test_each_bound_has_its_row():
    rows = set(re.findall(r"^\| `(\w+)` \|", TABLE, re.M))
    assert len(bounds()) > 20
    assert rows == bounds()


def test_each_proof_exists():
    assert len(proofs()) > 50
    assert [proof for proof in proofs() if not exists(*proof)] == []


def test_each_storm_is_named_and_let_loose():
    text = (TOP / "tests/system/broker_storms.py").read_text()
    listed = set(re.findall(r"\w+", text[text.index("STORMS = ["):])) - {"STORMS"}
    named = {test for file, test in proofs() if not file}
    assert listed == named


def test_each_counter_is_read_by_a_test():
    counters = set(re.findall(r"^\s+(MQTT_COUNT_\w+),", LIMITS, re.M))
    assert len(counters) > 20
    everything = "".join(UNIT_TESTS.values())
    assert {one for one in counters if one not in everything} == set()
