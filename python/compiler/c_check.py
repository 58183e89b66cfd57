"""c_check - the layers in their order, for one module in C.

Some things are looked at before the compiler runs, although they belong to a later layer:
which files it or the assembler would read, and whether a directive hides where code comes from.
"""

import re
import sys

import c_tokens as tokens
import elf
import paths
import report
from c_rules import (ASSEMBLY, ATTRIBUTES, CORE_FOLDERS, DIRECTIVES, HEADER_PACKAGES,
                     PATH_FUNCTIONS, PRAGMA_WORDS, PUBLIC_HEADERS, RULES, SPAWNERS,
                     rule_of_symbol)
from commandline import PRIVILEGE, SHELLS
from source import BIDIRECTIONAL, SIZE_MAX, Source
from toolchain import TooMuch

TABLE = "pifleet_module"
COMMANDS_MAX = 256
NAME = re.compile(r"[a-z][a-z0-9_]{0,62}\.c")
COMMAND = re.compile(r"[a-z][a-z0-9_]{0,63}")
LIBRARY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+.-]{0,63}")
_NO_HEADER = re.compile(r"'?([^\s']+?)'?(?:: No such file or directory| file not found)")
_UNDEFINED = re.compile(r"undefined (?:reference to|symbol:) [`']?([\w$]+)")
_NO_LIBRARY = re.compile(r"(?:cannot find|unable to find library) -l([^\s:]+)")
# Words after which a name is used and not declared.
_USES = frozenset(("return", "else", "do", "case", "goto", "sizeof", "typeof", "__typeof__"))


def check(data, filename, refuse, tools):
    """(verdict as a dict, shared object or None)"""
    module = Module(data[:SIZE_MAX + 1], filename, tools)
    findings = []
    try:
        for layer in module.layers():
            findings += layer
            if any(report.is_refused(one, refuse) for one in layer):
                break
    except TooMuch:
        findings.append(module.finding("compile-time", "The compiler takes too much time or memory"))
    version = ".".join(map(str, sys.version_info[:3]))
    return report.verdict(findings, module.commands, refuse, version), module.built


class Module:
    """One source and what became of it."""

    def __init__(self, data, filename, tools):
        self.commands, self.built = [], None
        self._data, self._filename, self._tools = data, filename, tools
        self._source = Source(data)
        self._tokens, self._directives, self._expanded = [], [], []

    def layers(self):
        """Yields the findings of each layer; the caller stops at the first that refuses."""
        yield self._check_name()
        yield self._check_size()
        yield self._check_bytes()
        self._tokens, self._directives = tokens.read(self._data.decode("utf-8"))
        self.commands += [one.value() for one in self._command_names()][:COMMANDS_MAX]
        yield self._check_direction() + self._check_directives()
        yield self._check_core_headers()
        if not self._tools.is_there():
            yield [self.finding("missing-compiler",
                                "cc is not installed: apt install gcc libc6-dev")]
            return
        self._tools.set_source(self._data)
        expanded, said = self._tools.preprocess()
        if expanded is None:
            yield self._judge_diagnostics(said)
            return
        self._expanded = tokens.read_preprocessed(expanded, self._filename)
        yield self._check_tokens()
        compiled, said = self._tools.compile()
        yield self._judge_diagnostics(said)
        if compiled is None:
            return
        symbols = elf.Object(compiled).symbols(elf.SHT_SYMTAB)
        yield self._check_symbols(symbols) + self._check_literals(symbols)
        yield self._check_exports(symbols) + self._check_command_names()
        self.built, said = self._tools.link(self._libraries())
        if self.built is None:
            yield self._judge_link(said)
            return
        yield self._check_object(elf.Object(self.built))

    def finding(self, rule, text, place=(1, 1, 1, 1)):
        return report.Finding(RULES[rule], text, place, self._source.fragment(place))

    def _danger(self, rule, what, place=(1, 1, 1, 1)):
        return self.finding(rule, f"Dangerous pattern detected: {what}", place)

    def _at_line(self, line):
        """The place of a line as a whole."""
        length = len(self._source.lines[line - 1]) if line <= len(self._source.lines) else 0
        return line, 1, line, self._source.column(line, length)

    # -- before the compiler ------------------------------------------------------------------

    def _check_name(self):
        if NAME.fullmatch(self._filename) and not self._filename.startswith("pifleet"):
            return []
        return [self.finding("file-name", f"Protected file name: {self._filename}: "
                             + RULES["file-name"]["reason"])]

    def _check_size(self):
        if len(self._data) <= SIZE_MAX:
            return []
        return [self.finding("source-size", f"Source too large: more than {SIZE_MAX} bytes")]

    def _check_bytes(self):
        at = self._data.find(b"\0")
        words = "a NUL in the source"
        if at < 0:
            try:
                self._data.decode("utf-8")
                return []
            except UnicodeDecodeError as error:
                at = error.start
                words = f"source code is not UTF-8: byte 0x{self._data[at]:02x}"
        line = self._data.count(b"\n", 0, at) + 1
        return [self.finding("source-encoding", f"Syntax Error at line {line}: {words}",
                             self._at_line(line))]

    def _check_direction(self):
        if self._data.isascii():
            return []
        return [self._danger("bidirectional-control", f"bidirectional control U+{ord(letter):04X}",
                             (number, column, number, column + 1))
                for number, line in enumerate(self._data.decode("utf-8").split("\n"), 1)
                for column, letter in enumerate(line, 1) if letter in BIDIRECTIONAL]

    def _check_directives(self):
        found = []
        for one in self._directives:
            place = self._at_line(one.token.line)
            if one.name == "include":
                found += self._check_include(one, place)
            elif one.name == "pragma":
                words = [token.text for token in one.tokens]
                if PRAGMA_WORDS.intersection(words) or \
                        words[:1] == ["pifleet"] and self._library(one) is None:
                    found.append(self._danger("directive", f"#pragma {' '.join(words)[:80]}", place))
            elif one.name and one.name not in DIRECTIVES:
                found.append(self._danger("directive", f"#{one.name}", place))
        for token, following in zip(self._tokens, self._tokens[2:]):
            if token.text == "_Pragma" and following.kind == "string" and \
                    PRAGMA_WORDS.intersection(re.findall(r"\w+", following.value())):
                found.append(self._danger("directive", f"_Pragma({following.text[:80]})",
                                          token.place()))
        return found

    def _check_include(self, directive, place):
        name = _header(directive)
        if name is None:
            return [self._danger("computed-include", f"#include {directive.text.strip()[:80]}",
                                 place)]
        if name.startswith("/") or ".." in name.split("/") or "\\" in name:
            return [self._danger("include-path", f"#include {directive.text.strip()[:80]}", place)]
        return []

    def _check_core_headers(self):
        found = []
        for one in self._directives:
            name = _header(one) if one.name == "include" else None
            if name is None or name in PUBLIC_HEADERS:
                continue
            if name.split("/")[0] in CORE_FOLDERS | {"pifleet"} and "/" in name:
                found.append(self.finding("core-header", f"Protected import: {name}",
                                          self._at_line(one.token.line)))
        return found

    def _library(self, pragma):
        """The library that `#pragma pifleet library NAME` asks for; None: it is something else."""
        words = pragma.text.split()
        if len(words) == 3 and words[:2] == ["pifleet", "library"] and \
                LIBRARY.fullmatch(words[2]):
            return words[2]
        return None

    def _libraries(self):
        return [self._library(one) for one in self._directives
                if one.name == "pragma" and self._library(one)]

    # -- what the compiler said -----------------------------------------------------------------

    def _judge_diagnostics(self, said):
        found = []
        for one in said:
            if not one.is_error and "pragma pifleet" in one.text:
                continue
            column = self._source.column(one.line, one.column - 1)
            place = (one.line, column, *self._at_line(one.line)[2:])
            missing = _NO_HEADER.match(one.text)
            if one.is_error and missing:
                package = HEADER_PACKAGES.get(missing[1])
                text = f"Missing dependency: {missing[1]} (line {one.line})"
                found.append(self.finding("missing-header", text + (
                    f": install {package}" if package else ""), place))
            elif one.is_error:
                found.append(self.finding("compile-error",
                                          f"Syntax Error at line {one.line}: {one.text}", place))
            else:
                found.append(self.finding("compile-warning",
                                          f"Syntax Warning at line {one.line}: {one.text}", place))
        return found

    def _judge_link(self, said):
        found, seen = [], set()
        for name in _NO_LIBRARY.findall(said):
            lines = [one.token.line for one in self._directives
                     if one.name == "pragma" and self._library(one) == name]
            found.append(self.finding("missing-library", f"Missing dependency: library {name}",
                                      self._at_line(lines[0] if lines else 1)))
        for name in _UNDEFINED.findall(said):
            if name not in seen:
                seen.add(name)
                place = self._uses(name)[0]
                found.append(self.finding(
                    "missing-function", f"Missing dependency: function {name}() (line {place[0]})",
                    place))
        if not found:
            words = said.strip().split("\n")[0][:200]
            found.append(self.finding("missing-function", f"The linker refuses it: {words}"))
        return found

    # -- what the module would do -------------------------------------------------------------------

    def _uses(self, name):
        """Places where the source uses a function; one at least, be it the first line."""
        places, declared = [], []
        previous = None
        for token in self._tokens:
            if token.text == name and token.kind == "name" and not (
                    previous and previous.text in (".", "->")):
                is_use = not previous or previous.kind != "name" or previous.text in _USES
                (places if is_use else declared).append(token.place())
            previous = token
        in_macros = [token.place() for one in self._directives for token in one.tokens
                     if token.text == name and token.kind == "name"]
        expanded = [self._at_line(token.line) for token in self._expanded if token.text == name]
        return places or in_macros or expanded or declared or [(1, 1, 1, 1)]

    def _check_symbols(self, symbols):
        found = []
        for symbol in symbols:
            rule, plain = (None, "") if symbol.is_defined else rule_of_symbol(symbol.name)
            if rule:
                name = symbol.name if self._names(symbol.name) else plain
                found += [self._danger(rule["id"], f"{name}(", place)
                          for place in self._uses(name)]
        return found

    def _names(self, name):
        return any(token.text == name for token in self._expanded)

    def _check_tokens(self):
        found, seen = [], set()
        for at, token in enumerate(self._expanded):
            if token.kind != "name":
                continue
            if token.text in ASSEMBLY:
                found.append(self._located("inline-assembly", token, seen))
            elif token.text.strip("_") in ATTRIBUTES and self._in_attribute(at):
                found.append(self._located("attribute", token, seen))
        return found

    def _located(self, rule, token, seen):
        """A finding where the source has the token, or by its line where a macro made it."""
        for one in self._tokens:
            if one.line == token.line and one.text == token.text and one.place() not in seen:
                seen.add(one.place())
                return self._danger(rule, token.text, one.place())
        return self._danger(rule, token.text, self._at_line(token.line))

    def _in_attribute(self, at):
        """Is the token within __attribute__((...)) or [[...]]?"""
        depth = 0
        while at > 0 and self._expanded[at].text not in (";", "{", "}"):
            at -= 1
            text = self._expanded[at].text
            depth += {"(": 1, ")": -1, "[": 1, "]": -1}.get(text, 0)
            if depth > 0 and (text in ("__attribute__", "__attribute") or text == "[" and
                              at > 0 and self._expanded[at - 1].text == "["):
                return True
        return False

    def _check_literals(self, symbols):
        found = []
        undefined = {symbol.name for symbol in symbols if not symbol.is_defined}
        for at, token in enumerate(self._tokens):
            if token.kind == "name" and token.text in PATH_FUNCTIONS:
                found += self._check_paths(at + 1)
            elif token.kind == "string" and undefined & SPAWNERS:
                name = token.value().rpartition("/")[2]
                rule = "command-shell" if name in SHELLS else \
                    "command-privilege" if name in PRIVILEGE else None
                if rule:
                    found.append(self._danger(rule, token.text, token.place()))
        return found

    def _check_paths(self, at):
        """The constant paths among the arguments of the call whose parenthesis is at `at`."""
        found, depth, text, first = [], 0, "", None
        for token in self._tokens[at:]:
            if token.kind == "string":
                first = first or token
                text += token.value()
                continue
            rule = first and paths.offence(text, True)
            if rule:
                found.append(self._danger(rule, first.text, first.place()))
            text, first = "", None
            depth += {"(": 1, ")": -1}.get(token.text, 0)
            if depth <= 0:
                break
        return found

    def _check_object(self, built):
        found = []
        if any(tag in elf.LOAD_TIME_TAGS for tag, _ in built.dynamic):
            found.append(self._danger("load-time-code", "code that runs at load"))
        if any(symbol.is_indirect for symbol in built.symbols(elf.SHT_DYNSYM)):
            found.append(self._danger("load-time-code", "a function chosen at load"))
        if any(tag == elf.DT_TEXTREL or tag == elf.DT_FLAGS and value & elf.DF_TEXTREL
               for tag, value in built.dynamic) or \
                any(kind == elf.PT_LOAD and flags & elf.PF_W and flags & elf.PF_X or
                    kind == elf.PT_GNU_STACK and flags & elf.PF_X
                    for kind, flags in built.segments):
            found.append(self._danger("executable-data", "memory that is writable and executable"))
        return found

    # -- what it offers -------------------------------------------------------------------------

    def _check_exports(self, symbols):
        found, has_table = [], False
        for symbol in symbols:
            if not (symbol.is_defined and symbol.is_global) or symbol.is_hidden:
                continue
            if symbol.name == TABLE:
                has_table = True
            else:
                found.append(self.finding("exported-symbol", f"Protected symbol: {symbol.name}",
                                          self._uses(symbol.name)[0]))
        if not has_table:
            found.append(self.finding("no-table", "No commands: PIFLEET_MODULE(...) is missing"))
        return found

    def _command_names(self):
        return [self._tokens[at + 2] for at, token in enumerate(self._tokens[:-2])
                if token.text == "PIFLEET_COMMAND" and self._tokens[at + 2].kind == "string"]

    def _check_command_names(self):
        return [self.finding("command-name", f"Protected command name: {one.value()[:80]}: "
                             + RULES["command-name"]["reason"], one.place())
                for one in self._command_names() if not COMMAND.fullmatch(one.value())]


def _header(directive):
    """What an #include names; None where a macro decides."""
    text = directive.text.strip()
    for begin, end in ("<>", '""'):
        at = text.find(end, 1)
        if text.startswith(begin) and at > 0:
            return text[1:at].strip()
    return None
