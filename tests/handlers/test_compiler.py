"""The checks of modules in C: each rule's example and look-alike, the corpus, and the objects.

c/*.c is the corpus. The first line of a file says what is to become of it: `expect: valid`, or
`expect: LAYER RULE LINE` (LINE is 0 where it does not matter).
"""

import json
import os
import pathlib
import subprocess
import sys

import pytest

from host_process import NATIVE, SECONDS, TOP, Host

COMPILER = TOP / "python" / "compiler"
CORPUS = sorted((pathlib.Path(__file__).parent / "c").glob("*.c"))
sys.path[:0] = [str(COMPILER), str(TOP / "python" / "validator")]

import c_rules  # noqa: E402
import c_tokens  # noqa: E402
import elf  # noqa: E402

HEAD = "#include <pifleet/handler.h>\n#include <errno.h>\n#include <fcntl.h>\n#include <signal.h>\n" \
       "#include <spawn.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <sys/ptrace.h>\n" \
       "#include <sys/reboot.h>\n#include <sys/time.h>\n#include <time.h>\n#include <unistd.h>\n" \
       "#include <dlfcn.h>\n"
TAIL = '\nPIFLEET_MODULE(PIFLEET_COMMAND("blink", blink, "Blinks."))\n'


def compile_module(source, filename="blink.c", path=None, **options):
    """(verdict, object's bytes)"""
    data = source if isinstance(source, bytes) else source.encode()
    with open(os.memfd_create("object"), "r+b") as built:
        arguments = [text for name, value in options.items() for text in ("--" + name, value)]
        done = subprocess.run(
            ["/usr/bin/python3", "-I", "-S", "-B", COMPILER / "__main__.py", "--filename", filename,
             "--include", TOP / "include", *arguments], input=data, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=SECONDS, check=False, close_fds=False,
            preexec_fn=lambda: os.dup2(built.fileno(), 4))
        assert (done.returncode, done.stderr) == (0, b""), done.stderr.decode()
        built.seek(0)
        return json.loads(done.stdout), built.read()


def module_of(body="", top=""):
    return f"{HEAD}{top}\nstatic int blink(struct pifleet_call *call)\n{{\n(void)call;\n{body}\n" \
           f"return 0;\n}}\n{TAIL}"


def rules_of(verdict):
    return [one["rule"] for one in verdict["findings"] + verdict["warnings"]]


RULES = [rule for rule in c_rules.RULES.values() if "example" in rule or "top" in rule]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["id"])
def test_each_rule_finds_its_example(rule):
    verdict, built = compile_module(module_of(rule.get("example", ""), rule.get("top", "")),
                                    refuse=min(rule["severity"], "medium"))
    assert rule["id"] in rules_of(verdict), verdict
    assert verdict["layer"] == rule["layer"] and not verdict["valid"] and built == b""
    assert verdict["errors"][0] and verdict["locations"][0]["line"] > 13


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["id"])
def test_each_rule_passes_its_counterexample(rule):
    verdict, built = compile_module(module_of(rule.get("counterexample", ""),
                                              rule.get("top_counter", "")))
    assert verdict["valid"] and rule["id"] not in rules_of(verdict), verdict
    assert built[:4] == b"\x7fELF"


def test_each_rule_is_documented():
    page = (TOP / "docs" / "handlers-c.md").read_text(encoding="utf-8")
    for rule in c_rules.RULES.values():
        assert f"| {rule['layer']} | `{rule['id']}` | {rule['severity']} | {rule['reason']} |" in page


def test_every_refused_function_has_one_rule():
    names = [name for rule in c_rules.RULES.values() for name in rule.get("symbols", "").split()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_corpus(path):
    source = path.read_bytes()
    first = source.split(b"\n", 1)[0].decode()
    expected = first.partition("expect: ")[2].removesuffix("*/").split()
    verdict, built = compile_module(source)
    if expected == ["valid"]:
        assert verdict["valid"] and verdict["findings"] == [] and built, verdict
        with Host(NATIVE, built) as host:
            assert host.commands("blink.c") == verdict["commands"]
        return
    layer, rule, line = expected
    assert (verdict["valid"], verdict["layer"]) == (False, layer), verdict
    assert rule in [one["rule"] for one in verdict["findings"]], verdict
    assert int(line) in (0, verdict["locations"][0]["line"]), verdict
    assert built == b""


def test_the_corpus_is_there():
    assert len(CORPUS) >= 40


def test_a_verdict_has_what_the_python_validators_has():
    verdict, _ = compile_module(module_of("system(\"ls\");\nsystem(\"ls\");"))
    assert verdict["errors"] == ["Dangerous pattern detected: system("] * 2
    assert verdict["locations"] == [{"line": 18, "column": 1}, {"line": 19, "column": 1}]
    finding = verdict["findings"][0]
    assert finding == {"rule": "shell-call", "layer": "security", "severity": "high",
                       "message": "Dangerous pattern detected: system(", "line": 18, "column": 1,
                       "reason": c_rules.RULES["shell-call"]["reason"], "end_line": 18,
                       "end_column": 7, "fragment": "system"}
    assert verdict["commands"] == ["blink"] and \
        {one["severity"] for one in verdict["warnings"]} == {"low"}


def test_a_syntax_error_is_in_the_compilers_words_with_line_and_column():
    verdict, _ = compile_module("int f(void)\n{\n\treturn «;\n}\n".replace("«", "undeclared"))
    assert verdict["layer"] == "syntax"
    assert verdict["errors"][0].startswith("Syntax Error at line 3: 'undeclared' undeclared")
    assert verdict["locations"][0] == {"line": 3, "column": 9}


def test_columns_are_characters():
    verdict, _ = compile_module('const char *a = "ééé"; int b = nothing;\n')
    assert verdict["locations"][0] == {"line": 1, "column": 32}


@pytest.mark.parametrize("data, layer, rule", [
    (b"int x;\0", "syntax", "source-encoding"), (b"int x; // \xff", "syntax", "source-encoding"),
    (b"// " + b"x" * 256 * 1024, "quota", "source-size"), (b"", "protected", "no-table"),
    (b"x" * 2_000_000, "quota", "source-size")], ids=["nul", "latin-1", "long", "empty", "endless"])
def test_bytes_that_are_no_source(data, layer, rule):
    verdict, _ = compile_module(data)
    assert (verdict["layer"], rules_of(verdict)) == (layer, [rule])


@pytest.mark.parametrize("name", ["../blink.c", "Blink.c", "blink.cc", "blink", "pifleet_x.c", "-o.c",
                                  "a b.c", "x" * 64 + ".c", ".c"])
def test_names_that_are_refused(name):
    verdict, _ = compile_module(module_of(), filename=name)
    assert (verdict["layer"], rules_of(verdict)) == ("protected", ["file-name"])


def test_policy_decides_what_refuses():
    source = module_of("(void)!settimeofday(NULL, NULL);")
    assert compile_module(source)[0]["layer"] == "security"
    verdict, built = compile_module(source, refuse="high")
    assert verdict["valid"] and built and "machine-clock" in rules_of(verdict)


def test_a_compiler_that_takes_too_long_is_ended():
    source = module_of(top="#define A(x) x x x x x x x x x x x x x x x x\n"
                           "#define B(x) A(A(A(A(A(A(A(x)))))))\nB(B(B(int y;)))")
    verdict, built = compile_module(source, seconds="1")
    assert not verdict["valid"] and built == b""
    assert verdict["layer"] in ("quota", "syntax"), verdict


def test_a_compiler_that_is_killed_for_its_memory_is_told_as_such(tmp_path):
    compiler = tmp_path / "cc"
    compiler.write_text("#!/bin/sh\necho 'cc: fatal error: Killed signal terminated program cc1'"
                        " >&2\nexit 1\n")
    compiler.chmod(0o755)
    verdict = verdict_with(str(tmp_path))
    assert (verdict["layer"], verdict["findings"][0]["rule"]) == ("quota", "compile-time")


def test_without_a_compiler_it_says_what_to_install():
    verdict = verdict_with("/nowhere")
    assert verdict["layer"] == "dependency"
    assert verdict["errors"] == ["cc is not installed: apt install gcc libc6-dev"]


def verdict_with(path):
    """The verdict on a good module where the compiler is looked for in another place."""
    program = f"import sys; sys.path[:0] = [{str(COMPILER)!r}, {str(TOP / 'python/validator')!r}]\n" \
              f"import toolchain; toolchain.PATH = {path!r}\nimport compile_command\n" \
              "compile_command.main(['--filename', 'blink.c'])"
    done = subprocess.run(["/usr/bin/python3", "-I", "-S", "-B", "-c", program], check=True,
                          input=module_of().encode(), stdout=subprocess.PIPE, timeout=SECONDS)
    return json.loads(done.stdout)


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    for source in (module_of(), module_of("int x = ;"), module_of("system(\"x\");")):
        compile_module(source)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [[], ["--filename"], ["--filename", "a.c", "--refuse", "x"],
                                       ["--filename", "a.c", "--odd", "x"],
                                       ["--filename", "a.c", "--seconds", "-1"]])
def test_wrong_options_are_told(arguments):
    done = subprocess.run(["/usr/bin/python3", "-I", "-S", "-B", COMPILER, *arguments],
                          input=b"", capture_output=True, timeout=SECONDS, check=False)
    assert done.returncode == 2 and b"usage: compiler" in done.stderr


def test_the_object_is_hardened():
    _, built = compile_module(module_of('char text[8]; snprintf(text, sizeof(text), "%d", 7); puts(text);'))
    made = elf.Object(built)
    tags = {tag for tag, _ in made.dynamic}
    flags = dict(made.dynamic)
    assert 24 in tags or flags.get(elf.DT_FLAGS, 0) & 8, "bound at load"
    assert (0x6474E552, 4) in made.segments, "read-only relocations"
    assert all(not flags & elf.PF_X for kind, flags in made.segments if kind == elf.PT_GNU_STACK)
    assert not tags & elf.LOAD_TIME_TAGS
    assert [one.name for one in made.symbols(elf.SHT_DYNSYM)
            if one.is_defined] == ["pifleet_module"]


def test_damaged_objects_are_errors():
    _, built = compile_module(module_of())
    for length in range(0, len(built), 97):
        try:
            elf.Object(built[:length]).symbols(elf.SHT_DYNSYM)
        except elf.ElfError:
            pass
    for at in list(range(16, 64)) + list(range(64, len(built), 61)):
        damaged = bytearray(built)
        damaged[at] ^= 0xFF
        try:
            elf.Object(bytes(damaged)).symbols(elf.SHT_DYNSYM)
        except elf.ElfError:
            pass


def test_tokens_know_their_place():
    plain, directives = c_tokens.read('a /* x\n */ b\\\nc "d\\"e" // f \\\n g\n %: def\\\nine X \'"\' \n"h"')
    assert [(one.text, one.line, one.column) for one in plain] == [
        ("a", 1, 1), ("bc", 2, 5), ('"d\\"e"', 3, 3), ('"h"', 7, 1)]
    assert [(one.name, [token.text for token in one.tokens]) for one in directives] == [
        ("define", ["X", "'\"'"])]
