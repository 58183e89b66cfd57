"""The validator as tests run it: the program itself, and many modules in one process of it."""

import base64
import json
import os
import pathlib
import shutil
import subprocess


ROOT = pathlib.Path(__file__).resolve().parents[2]
VALIDATOR = ROOT / "python" / "validator"
PROGRAM = VALIDATOR / "__main__.py"
CORPUS = pathlib.Path(__file__).parent / "corpus"
FLAGS = ["-I", "-S", "-B"]
NAME = "camera_handlers.py"

# One process for a list of modules: starting Python is most of what a check costs.
MANY = """
import base64, json, sys, traceback, time
sys.path.insert(0, sys.argv[1])
from check import Policy, check
from command import RECURSION
sys.setrecursionlimit(RECURSION)
path = sys.path[1:]
for line in sys.stdin:
    job = json.loads(line)
    began = time.process_time()
    try:
        verdict = check(base64.b64decode(job["source"]),
                        Policy(job["filename"], job["refuse"], set(job["core"]), path))
    except BaseException:
        verdict = {"crash": traceback.format_exc()}
    verdict["seconds"] = time.process_time() - began
    print(json.dumps(verdict), flush=True)
"""


def pythons():
    """The Python of this machine, and 3.13 where somebody has installed it as well."""
    found = ["/usr/bin/python3"]
    newer = os.environ.get("PIFLEET_PYTHON313") or shutil.which("python3.13", path="/usr/bin")
    return found + ([newer] if newer else [])


def run(source, *options, python="/usr/bin/python3", filename=NAME, **keywords):
    """The finished process of one check."""
    return subprocess.run([python, *FLAGS, str(PROGRAM), "--filename", filename, *options],
                          input=source, capture_output=True, timeout=60, **keywords)


def verdict(source, *options, **keywords):
    """What the program says of some bytes: it has to end well and print one line."""
    done = run(source, *options, **keywords)
    assert (done.returncode, done.stderr) == (0, b""), done
    assert done.stdout.endswith(b"\n") and done.stdout.count(b"\n") == 1
    return json.loads(done.stdout)


def verdicts(sources, python="/usr/bin/python3", refuse="medium", core=()):
    """The verdicts on many modules, each bytes or (bytes, file name)."""
    jobs = []
    for one in sources:
        source, filename = one if isinstance(one, tuple) else (one, NAME)
        jobs.append(json.dumps({"source": base64.b64encode(source).decode(), "filename": filename,
                                "refuse": refuse, "core": list(core)}))
    done = subprocess.run([python, *FLAGS, "-c", MANY, str(VALIDATOR)],
                          input="\n".join(jobs) + "\n", capture_output=True, text=True, timeout=600)
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr, len(results)) == (0, "", len(jobs)), done.stderr
    return results


class Case:
    """A module of the corpus and what is to be said of it.

    `expected` is a list of (layer, rule, line, part of the text); none for a good module.
    """

    def __init__(self, theme, name, expected, source):
        self.id = f"{theme}-{name}"
        self.expected = expected
        self.source = source

    @property
    def is_good(self):
        return not self.expected


def corpus():
    """All cases of tests/handlers/corpus/*.cases; its README tells the format."""
    cases = []
    for path in sorted(CORPUS.glob("*.cases")):
        head, *parts = path.read_text(encoding="utf-8").split("\n#=== ")
        assert not head.startswith("#==="), f"{path}: begins with a comment that says its theme"
        for part in parts:
            title, _, source = part.partition("\n")
            name, _, expectation = title.partition(": ")
            expected = []
            if expectation != "good":
                for one in expectation.split(" & "):
                    layer, rule, line, *text = one.split(" ", 3)
                    expected.append((layer, rule, int(line), text[0] if text else ""))
            cases.append(Case(path.stem, name, expected, source))
    assert len({case.id for case in cases}) == len(cases), "two cases have one name"
    return cases
