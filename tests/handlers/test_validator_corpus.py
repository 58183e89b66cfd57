"""Every module of the corpus gets the verdict it should have, from each Python there is."""

import pathlib
import subprocess

import pytest

from validator import CORPUS, corpus, pythons, verdicts

CASES = corpus()


@pytest.fixture(scope="module", params=pythons())
def judged(request):
    found = verdicts([case.source.encode() for case in CASES], python=request.param)
    return dict(zip((case.id for case in CASES), found))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_verdict_is_the_expected_one(judged, case):
    verdict = judged[case.id]
    assert "crash" not in verdict, verdict["crash"]
    found = [(one["layer"], one["rule"], one["line"]) for one in verdict["findings"]]
    assert found == [one[:3] for one in case.expected], verdict["errors"]
    for error, (_, _, _, text) in zip(verdict["errors"], case.expected):
        assert text in error
    assert verdict["valid"] is case.is_good
    assert verdict["layer"] == (None if case.is_good else case.expected[0][0])
    assert verdict["locations"] == [{"line": one["line"], "column": one["column"]}
                                    for one in verdict["findings"]]


def test_good_modules_bring_no_warnings(judged):
    loud = [case.id for case in CASES if case.is_good and judged[case.id]["warnings"]]
    assert loud == []


def test_good_modules_really_import(tmp_path):
    """What passes the checks must also be a module: else the corpus praises nonsense."""
    folder = tmp_path / "modules"
    folder.mkdir()
    names = []
    for case in CASES:
        if case.is_good:
            names.append(case.id.replace("-", "_"))
            (folder / f"{names[-1]}.py").write_text(case.source, encoding="utf-8")
    # A home directory that is not there and no path of ours: they import anywhere.
    code = ("import sys, importlib\nsys.path.insert(0, sys.argv[1])\nfailed = []\n"
            "for name in sys.argv[2:]:\n"
            "    try:\n        importlib.import_module(name)\n"
            "    except BaseException as error:\n        failed.append((name, repr(error)))\n"
            "sys.exit(repr(failed) if failed else 0)\n")
    done = subprocess.run(["/usr/bin/python3", "-I", "-B", "-c", code, str(folder), *names],
                          cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_the_corpus_is_large_and_two_fifths_good():
    good = sum(case.is_good for case in CASES)
    assert len(CASES) >= 220
    assert good * 5 >= len(CASES) * 2, f"{good} of {len(CASES)}"


def test_every_file_of_the_corpus_is_read():
    assert {path.suffix for path in pathlib.Path(CORPUS).iterdir()} <= {".cases", ".md"}
