"""The program as the agent starts it: any bytes in, one line of JSON and status 0 out."""

import json
import os
import random
import resource
import subprocess

import pytest

from validator import FLAGS, NAME, PROGRAM, VALIDATOR, corpus, pythons, run, verdict, verdicts

SAMPLE = b"import os\n\ndef handle_x(request):\n    os.system('ls')\n    return {}\n"
LIMIT = 256 * 1024


def text_of(source, **keywords):
    found = verdict(source, **keywords)
    return found["layer"], found["errors"][0] if found["errors"] else None


def test_the_verdict_names_place_rule_and_fragment():
    found = verdict(SAMPLE)
    assert found["errors"] == ["Dangerous pattern detected: os.system("]
    assert found["locations"] == [{"line": 4, "column": 5}]
    (one,) = found["findings"]
    assert one == {"rule": "shell-call", "severity": "high", "layer": "security",
                   "message": "Dangerous pattern detected: os.system(", "reason": one["reason"],
                   "line": 4, "column": 5, "end_line": 4, "end_column": 20,
                   "fragment": "os.system('ls')"}
    assert (found["valid"], found["layer"], found["commands"]) == (False, "security", ["x"])
    assert found["python"].startswith("3.")


def test_columns_count_characters_from_one():
    found = verdict("import os\nx = 'é€😀'; os.system('ls')\n".encode())
    assert found["locations"] == [{"line": 2, "column": 12}]
    assert found["findings"][0]["fragment"] == "os.system('ls')"


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
def test_lines_are_those_of_the_bytes_sent(newline):
    assert verdict(SAMPLE.replace(b"\n", newline))["locations"] == [{"line": 4, "column": 5}]
    broken = b"\n\n\nx = (\n".replace(b"\n", newline)
    assert text_of(broken) == ("syntax", "Syntax Error at line 4: '(' was never closed")


@pytest.mark.parametrize("source, error", [
    (b"def f():\n  return 1\n return 2\n",
     "Syntax Error at line 3: unindent does not match any outer indentation level"),
    (b"x = 1\nreturn 2\n", "Syntax Error at line 2: 'return' outside function"),
    (b"def f(a, a):\n    pass\n",
     "Syntax Error at line 1: duplicate argument 'a' in function definition"),
    (b"def f():\n    nonlocal x\n", "Syntax Error at line 2: no binding for nonlocal 'x' found"),
    (b"def f(x):\n    global x\n", "Syntax Error at line 2: name 'x' is parameter and global"),
    (b"await f()\n", "Syntax Error at line 1: 'await' outside function"),
    (b"\n\nx = {1: 2,\n", "Syntax Error at line 3: '{' was never closed"),
    (b"x = 1\n\0\n", "Syntax Error at line 2: source code cannot contain null bytes"),
    (b"x = '\xff'\n", "Syntax Error at line 1: source code is not UTF-8: byte 0xff"),
    (b"#!/usr/bin/python3\n# vim: fileencoding=latin-1\n",
     "Syntax Error at line 2: coding cookie latin-1: a handler is UTF-8"),
    (b"# coding: unicode_escape\n",
     "Syntax Error at line 1: coding cookie unicode_escape: a handler is UTF-8"),
    (b"x = '\xed\xa0\x80'\n", "Syntax Error at line 1: source code is not UTF-8: byte 0xed"),
])
def test_syntax_errors_have_their_true_line_and_the_words_of_the_compiler(source, error):
    assert text_of(source) == ("syntax", error)


@pytest.mark.parametrize("source", [
    b"", b"\n", b"\xef\xbb\xbfx = 1\n", b"# coding: utf-8\n", b"# -*- coding: UTF_8 -*-\n",
    b"x = 1\n# coding: latin-1\n", b"# encoding\n", b"'''\ncoding: utf-7\n'''\n", b"pass", b"\f\n",
])
def test_odd_but_harmless_bytes_pass(source):
    assert text_of(source) == (None, None)


@pytest.mark.parametrize("name", ["json.py", "os.py", "pifleet_x.py", "../x.py", "x", "X.py",
                                  "x.txt", "é.py", "a" * 70 + ".py", "check.py", ".py", "1x.py"])
def test_a_file_name_that_is_not_a_handlers_is_refused(name):
    assert verdict(b"x = 1\n", filename=name)["layer"] == "protected"


def test_a_source_beyond_the_limit_is_a_matter_of_quota():
    line = b"x = 1  # " + b"y" * 54 + b"\n"
    assert verdict(line * (LIMIT // len(line)))["valid"]
    assert verdict(line * (LIMIT // len(line)) + b"z")["layer"] == "quota"
    assert verdict(b"x" * (10 << 20))["layer"] == "quota"


@pytest.mark.parametrize("source, commands", [
    (b"def handle_a(r): ...\nasync def handle_b(r): ...\ndef other(): ...\n", ["a", "b"]),
    (b"COMMAND_HANDLERS = {'b': 1, 'a': 2}\ndef handle_c(r): ...\n", ["b", "a"]),
    (b"COMMAND_HANDLERS: dict = {'b': 1, **{}}\n", ["b"]),
    (b"COMMAND_HANDLERS = dict(a=1)\n", []),
])
def test_commands_are_named_as_far_as_the_source_tells(source, commands):
    assert verdict(source)["commands"] == commands


@pytest.mark.parametrize("core, source, layer", [
    ("secret_core", b"import secret_core\n", "protected"),
    ("secret_core", b"from secret_core.part import x\n", "protected"),
    ("other", b"import pifleet\n", "protected"),
    ("other", b"from pifleet_host import channel\n", "protected"),
    ("other", b"import __main__\n", "protected"),
    ("other", b"import scopes\n", "protected"),
    ("other", b"def f():\n    try:\n        import pifleet\n    except ImportError:\n        pass\n",
     "protected"),
    ("other", b"import json\n", None),
])
def test_the_agents_own_modules_are_protected(core, source, layer):
    assert verdict(source, "--core", core, "also_core")["layer"] == layer


@pytest.mark.parametrize("options", [
    [], ["--filename"], ["--filename", NAME, "--refuse", "none"], ["--filename", NAME, "--x"]])
def test_wrong_options_are_told_apart_from_a_verdict(options):
    done = subprocess.run(["/usr/bin/python3", *FLAGS, str(PROGRAM), *options], input=b"",
                          capture_output=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"usage: validator" in done.stderr


DEEP = {
    "dashes": b"x = " + b"-" * 100000 + b"1\n",
    "attributes": b"x = a" + b".a" * 50000 + b"\n",
    "parentheses": b"x = " + b"(" * 100000 + b"\n",
    "closed parentheses": b"x = " + b"(" * 150 + b"1" + b")" * 150 + b"\n",
    "brackets": b"x = " + b"[" * 5000 + b"]" * 5000 + b"\n",
    "sum": b"x = 1" + b" + 1" * 60000 + b"\n",
    "strings": b"import os\nx = getattr(os, 'a'" + b" + 'a'" * 3000 + b")\n",
    "calls": b"x = f" + b"()" * 50000 + b"\n",
    "subscripts": b"x = a" + b"[0]" * 50000 + b"\n",
    "lambdas": b"x = " + b"lambda: " * 20000 + b"1\n",
    "nots": b"x = " + b"not " * 50000 + b"1\n",
    "elifs": b"if a: pass\n" + b"elif a: pass\n" * 15000,
    "ifs": b"".join(b" " * at + b"if a:\n" for at in range(99)) + b" " * 99 + b"pass\n",
    "too many ifs": b"".join(b" " * at + b"if a:\n" for at in range(300)) + b" " * 300 + b"pass\n",
    "ternaries": b"x = " + b"1 if a else " * 15000 + b"1\n",
    "powers": b"x = " + b"2 ** " * 20000 + b"2\n",
    "big number": b"x = " + b"9" * 200000 + b"\n",
    "big power": b"x = 9 ** 9 ** 9 ** 9\n",
    "big string": b"x = 'a' * 9999999999\nopen(x)\nopen('/' * 9999999)\n",
    "doubling": b"a = 'x'\n" + b"".join(b"a%d = a%s + a%s\n" % (at, (b"%d" % (at - 1)) if at else
                b"", (b"%d" % (at - 1)) if at else b"") for at in range(60)) + b"open(a59)\n",
    "one line": b"x = [" + b"os.system," * 20000 + b"]\n",
    "many names": b"a=b=c=d\n" * 30000,
    "one name": b"a = a\n" * 40000,
    "many calls": b"import os\n" + b"os.system('x')\n" * 17000,
    "many functions": b"def f(x): return x\nf(f)\n" * 2000,
    "many subprocesses": b"import subprocess\no = {}\n" + b"subprocess.run(x, **o)\n" * 10000,
    "fstrings": b"x = " + b"f'{" * 100 + b"1" + b"}'" * 100 + b"\n",
    "braces": b"x = f'" + b"{" * 5000 + b"'\n",
    "backslashes": b"\\\n" * 100000,
    "semicolons": b";" * 1000, "tabs": b"\t" * 200000, "quotes": b"'" * 100001,
    "brackets of all kinds": b"([{" * 60, "open braces": b"{" * 190, "colons": b"{1:" * 60,
    "cyclic": b"a = b\nb = c\nc = a\nopen(a)\ndef f(x=f): return f(f(x))\nf(f)()\n",
    "stars": b"from os import *\n" * 10000,
    "walrus": b"(" * 90 + b"x := 1" + b")" * 90 + b"\n",
    "generators": b"x = " + b"[y for y in " * 60 + b"z" + b"]" * 60 + b"\n",
    "returns": b"def a(): return b()\ndef b(): return a()\na()()\n" * 3000,
}


def cpu_seconds_of_children():
    """Processor time, which other programs on the machine do not lengthen much."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize("python", pythons())
@pytest.mark.parametrize("name", DEEP)
def test_extreme_sources_get_a_verdict_in_time(name, python):
    began = cpu_seconds_of_children()
    found = verdict(DEEP[name], python=python)
    took = cpu_seconds_of_children() - began
    assert isinstance(found["valid"], bool)
    assert took < 4, f"{took:.2f} s"


def test_a_large_plain_module_is_checked_quickly():
    body = (b"def handle_x%d(request):\n    value = request.get('name', 'none')\n"
            b"    rows = [len(one) for one in value.split(',') if one.strip()]\n"
            b"    return {'success': True, 'value': value, 'rows': sum(rows)}\n\n")
    source = b"".join(body % at for at in range(2000))[:LIMIT].rpartition(b"\n\ndef")[0] + b"\n"
    assert len(source) > 200_000
    (found,) = verdicts([source])
    assert found["valid"], found["errors"]
    assert found["seconds"] < 3


@pytest.mark.parametrize("seed", range(4))
def test_random_bytes_get_a_verdict(seed):
    generator = random.Random(seed)
    alphabet = b"()[]{}:=.,'\"\\\n\t #@ab01fexr\x00\xff\xe2\x80\xae"
    sources = [bytes(generator.choice(alphabet) for _ in range(generator.randrange(200)))
               for _ in range(300)]
    assert [one["crash"] for one in verdicts(sources) if "crash" in one] == []


def mutated(source, generator, others):
    """A neighbour of a module: pieces removed, doubled, exchanged, bytes flipped."""
    data = bytearray(source)
    for _ in range(generator.randrange(1, 5)):
        start = generator.randrange(len(data) + 1)
        end = min(len(data), start + generator.randrange(1, 24))
        kind = generator.randrange(5)
        if kind == 0:
            del data[start:end]
        elif kind == 1:
            data[start:start] = data[start:end] * generator.randrange(1, 4)
        elif kind == 2 and start < len(data):
            data[start] = generator.randrange(256)
        elif kind == 3:
            other = generator.choice(others)
            at = generator.randrange(len(other) + 1)
            data[start:end] = other[at:at + 24]
        else:
            data[start:start] = generator.choice(
                [b"\n", b"(", b")", b" ", b"*", b"lambda: ", b"os.", b"\0", b"\r", b"**", b"eval"])
    return bytes(data)


@pytest.mark.parametrize("python", pythons())
@pytest.mark.parametrize("count", [pytest.param(300, marks=pytest.mark.sample),
                                   pytest.param(60000, marks=pytest.mark.long)])
def test_mutations_of_the_corpus_get_a_verdict(python, count):
    generator = random.Random(count)
    sources = [case.source.encode() for case in corpus()]
    for _ in range(0, count, 300):
        batch = [mutated(generator.choice(sources), generator, sources) for _ in range(300)]
        for source, found in zip(batch, verdicts(batch, python=python)):
            assert "crash" not in found, (source, found["crash"])
            assert found["seconds"] < 2, source
            assert found["valid"] is (found["layer"] is None) is (not found["errors"])


def test_nothing_of_the_module_is_run_or_imported(tmp_path):
    mark = tmp_path / "ran"
    source = f"open({str(mark)!r}, 'w')\nimport antigravity_not_here\n".encode()
    assert verdict(source, cwd=tmp_path)["layer"] == "dependency"
    (tmp_path / "json.py").write_text(f"open({str(mark)!r}, 'w')\n", encoding="utf-8")
    assert verdict(b"import json\n", cwd=tmp_path)["valid"]
    assert not mark.exists()


def test_the_start_brings_in_few_modules():
    """Each costs a handler's author time at every deployment."""

    done = subprocess.run(["/usr/bin/python3", "-X", "importtime", *FLAGS, str(PROGRAM),
                           "--filename", NAME], input=SAMPLE, capture_output=True, timeout=60)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.decode().splitlines()}
    heavy = {"ast", "json", "re", "enum", "argparse", "inspect", "dataclasses", "typing",
             "collections", "functools", "contextlib", "traceback", "site", "tokenize", "pathlib"}
    assert not loaded & heavy, loaded & heavy


def test_a_closed_standard_output_is_no_hang():
    read, write = os.pipe()
    os.close(read)
    child = subprocess.Popen(["/usr/bin/python3", *FLAGS, str(PROGRAM), "--filename", NAME],
                             stdin=subprocess.PIPE, stdout=write, stderr=subprocess.DEVNULL)
    os.close(write)
    child.communicate(SAMPLE, timeout=60)
    assert child.returncode != 0


def test_json_is_pure_ascii_whatever_the_source_holds():
    done = run("eval('\U0001f600')  # é\n".encode())
    assert done.stdout.isascii()
    assert json.loads(done.stdout)["findings"][0]["fragment"] == "eval('\U0001f600')"


@pytest.mark.parametrize("python", pythons())
def test_dependencies_are_looked_for_where_a_host_looks(python):
    """A host runs with `site`, the validator without it: both have to see the same directories."""
    real = subprocess.run([python, "-I", "-B", "-c", "import json, sys; print(json.dumps(sys.path))"],
                          capture_output=True, check=True, timeout=60)
    code = ("import sys; path = list(sys.path); sys.path.insert(0, sys.argv[1])\n"
            "from imports import host_path; from report import to_json; print(to_json(host_path(path)))")
    ours = subprocess.run([python, *FLAGS, "-c", code, str(VALIDATOR)],
                          capture_output=True, check=True, timeout=60)
    assert json.loads(ours.stdout) == json.loads(real.stdout)
