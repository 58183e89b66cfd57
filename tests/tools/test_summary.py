"""tests/summary: counts every case, and lets no failure pass for a success."""

import json
import pathlib
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]

GREEN = '<testsuites><testsuite name="pifleet.unit / a"><testcase name="one"/><testcase name="two"/>' \
        '<testcase name="three"><skipped/></testcase></testsuite></testsuites>'
RED = '<testsuites><testsuite name="pifleet.unit / a"><testcase name="one"/>' \
      '<testcase name="two"><failure/></testcase></testsuite></testsuites>'
CRASHED = '<testsuites><testsuite name="pifleet"><testcase name="unit / a" classname="pifleet">' \
          '<error/></testcase></testsuite></testsuites>'
EMPTY = "<testsuites><testsuite/></testsuites>"


def program(name="unit / a", result="OK", status=0, stdout=""):
    return json.dumps({"name": name, "result": result, "returncode": status, "stdout": stdout})


def add_up(folder, junit=GREEN, programs=(program(),), meson_status=0, pytest_xml=GREEN,
           pytest_status=0, log="testlog"):
    if junit is not None:
        (folder / f"{log}.junit.xml").write_text(junit)
    (folder / f"{log}.json").write_text("\n".join(programs))
    if pytest_xml is not None:
        (folder / "pytest.xml").write_text(pytest_xml)
    done = subprocess.run([TOP / "tests/summary", folder / log, str(meson_status),
                           folder / "pytest.xml", str(pytest_status)],
                          text=True, capture_output=True)
    return done.returncode, done.stdout.splitlines()


def test_cases_of_both_suites_are_added(tmp_path):
    assert add_up(tmp_path) == (0, ["4 passed, 0 failed, 2 skipped"])


def test_a_failed_case_is_told_with_its_reason(tmp_path):
    tap = "1..2\nok 1 - one\nnot ok 2 - two\n# 2 != 3\n# test-a.c:7: error: Failure!\n# not ok\n"
    status, lines = add_up(tmp_path, junit=RED, meson_status=1,
                           programs=[program(result="FAIL", status=1, stdout=tap)])
    assert status == 1
    assert lines == ["FAILED unit / a: two", "        2 != 3", "        test-a.c:7: error: Failure!",
                     "        not ok", "3 passed, 1 failed, 1 skipped"]


def test_a_failure_of_a_run_with_a_setup_names_the_setup(tmp_path):
    tap = "1..2\nok 1 - one\nnot ok 2 - two\n# 2 != 3\n"
    _, lines = add_up(tmp_path, junit=RED, meson_status=1, log="testlog-late_loop",
                      programs=[program(result="FAIL", status=1, stdout=tap)])
    assert lines == ["FAILED late_loop, unit / a: two", "        2 != 3",
                     "3 passed, 1 failed, 1 skipped"]


@pytest.mark.parametrize("case, last", [
    ({"programs": [program(result="ERROR", status=1)], "meson_status": 1}, 1),
    ({"junit": CRASHED, "programs": [program(result="ERROR", status=1)], "meson_status": 1}, 1),
    ({"programs": [program(result="TIMEOUT", status=-9)], "meson_status": 1}, 1),
    ({"meson_status": 1}, 1),
    ({"pytest_status": 124}, 1),
    ({"pytest_xml": None, "pytest_status": 4}, 1),
    ({"pytest_xml": "<cut"}, 1),
    ({"junit": None}, 1),
    ({"junit": None, "meson_status": 1, "pytest_xml": None, "pytest_status": 2}, 2),
])
def test_what_no_case_confesses_is_a_failure_too(tmp_path, case, last):
    status, lines = add_up(tmp_path, **case)
    assert status == 1
    assert f", {last} failed, " in lines[-1]


def test_nothing_at_all_is_a_failure(tmp_path):
    status, lines = add_up(tmp_path, junit=EMPTY, programs=(), pytest_xml=EMPTY)
    assert (status, lines) == (1, ["0 passed, 0 failed, 0 skipped"])


CMOCKA = '<testsuites><testsuite name="tests" skipped="0" ><testcase name="holds" time="0.001" />' \
         '<testcase name="lets_go" time="0.001" ><failure><![CDATA[2 != 3]]></failure></testcase>' \
         '</testsuite></testsuites>'


def add_up_files(folder, **files):
    """files: name=(text or None for none, status)"""
    words = []
    for name, (text, status) in files.items():
        path = folder / f"{name}.xml"
        if text is not None:
            path.write_text(text)
        words += [path, str(status)]
    done = subprocess.run([TOP / "tests/summary", *words], text=True, capture_output=True)
    return done.returncode, done.stdout.splitlines()


def test_junit_files_alone_are_added_and_named_by_their_file(tmp_path):
    status, lines = add_up_files(tmp_path, program=(CMOCKA, 1), pytest=(GREEN, 0))
    assert (status, lines) == (1, ["FAILED program: lets_go", "        2 != 3",
                                   "3 passed, 1 failed, 1 skipped"])


def test_a_stage_that_left_only_its_status_has_failed(tmp_path):
    status, lines = add_up_files(tmp_path, pytest=(GREEN, 0), machine=(None, 125))
    assert status == 1
    assert lines[0] == "FAILED machine: leaves results"
    assert lines[-1] == "2 passed, 1 failed, 1 skipped"


def test_results_without_a_status_are_no_way_to_call_it(tmp_path):
    done = subprocess.run([TOP / "tests/summary", tmp_path], text=True, capture_output=True)
    assert done.returncode == 2 and "Usage" in done.stderr
