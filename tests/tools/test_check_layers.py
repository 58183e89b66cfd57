"""tools/check-layers: this tree passes, and each kind of wrong include is found."""

import pathlib
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]

GOOD_TREE = {
    "src/base/list.h": "#include <stddef.h>\n",
    "src/data/json.h": '#include <cjson/cJSON.h>\n#include "base/list.h"\n',
    "src/loop/loop.h": "#include <uv.h>\n",
    "src/net/stream.h": '#include "loop/loop.h"\n',
    "src/command/registry.h": '#include "data/json.h"\n#include <cjson/cJSON.h>\n',
    "src/agent/options.h": "",
    "src/agent/agent.c": '#include "agent/gpio/chip.h"\n#include "agent/options.h"\n'
                         "#include <systemd/sd-daemon.h>\n",
    "src/agent/gpio/chip.h": '#include "command/registry.h"\n',
    "src/agent/gpio/test-chip.c": '#include "agent/gpio/chip.h"\n#include "support/test.h"\n',
    "src/agent/access/token.c": "#include <sodium.h>\n",
    "src/cli/table.h": "",
    "src/cli/main.c": '#include "net/stream.h"\n',
}


def check(folder):
    return subprocess.run([TOP / "tools/check-layers", folder], text=True, capture_output=True)


def tree_with(folder, path, text):
    for name, content in {**GOOD_TREE, path: text}.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return folder


def test_this_tree_keeps_to_its_layers():
    done = check(TOP)
    assert done.returncode == 0, done.stdout


def test_a_good_tree_passes(tmp_path):
    done = check(tree_with(tmp_path, "src/base/map.h", "#include <sys/socket.h>\n"))
    assert (done.returncode, done.stdout) == (
        0, f"check-layers: {len(GOOD_TREE) + 1} files, 0 includes against the rules\n")


@pytest.mark.parametrize("path, line, complaint", [
    ("src/base/map.c", '#include "data/json.h"', "not for src/base/, which may include no other"),
    ("src/data/config.c", '#include "loop/loop.h"', "may include src/base/"),
    ("src/net/listener.c", '#include "command/registry.h"', "not for src/net/"),
    ("src/command/bus.c", '#include "net/stream.h"', "not for src/command/"),
    ("src/agent/access/access.c", '#include "agent/gpio/chip.h"', "not for src/agent/access/"),
    ("src/agent/gpio/sim.c", '#include "agent/options.h"', "not for src/agent/gpio/"),
    ("src/agent/agent.h", '#include "cli/table.h"', "not for src/agent/, which may"),
    ("src/cli/call.c", '#include "agent/options.h"', "not for src/cli/"),
    ("src/cli/wait.c", "#include <uv.h>", "only src/loop/ may include uv"),
    ("src/agent/page.c", "  #  include <openssl/ssl.h>", "only src/net/ may include openssl"),
    ("src/loop/io.c", "#include <yaml.h>", "only src/data/ may include yaml"),
    ("src/agent/gpio/lines.c", "#include <cjson/cJSON.h>", "only src/data/, src/host/, src/command/ may"),
    ("src/net/tls.c", "#include <sodium.h>", "src/agent/access/"),
    ("src/base/map.c", "#include <cmocka.h>", "only tests may include cmocka"),
    ("src/base/map.c", "#include <curl/curl.h>", "no rule in tools/check-layers yet"),
    ("src/base/map.c", '#include "list.h"', 'needs its path below src/: "base/list.h"'),
    ("src/novel/idea.h", "", "src/novel/ has no rule"),
])
def test_a_wrong_include_is_found_with_its_place(tmp_path, path, line, complaint):
    done = check(tree_with(tmp_path, path, f"\n{line}\n" if line else ""))
    found = done.stdout.splitlines()
    assert done.returncode == 1
    assert len(found) == 2, done.stdout
    assert found[0].startswith(f"{path}:{2 if line else 1}: ")
    assert complaint in found[0]


def test_a_folder_without_sources_is_an_error(tmp_path):
    assert check(tmp_path).returncode == 2
