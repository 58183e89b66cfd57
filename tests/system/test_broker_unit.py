"""The systemd unit of pifleet-broker, and the example that it is started with."""

import pathlib
import re
import shutil
import subprocess

import pytest

from broker_configured import PROGRAM, configured, ends_at_once

TOP = pathlib.Path(__file__).resolve().parents[2]
UNIT = TOP / "packaging/systemd/pifleet-broker.service.in"
EXAMPLE = TOP / "packaging/broker.yaml"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_the_service_is_locked_down(tmp_path):
    unit = tmp_path / "pifleet-broker.service"
    unit.write_text(UNIT.read_text().replace("@bindir@", str(PROGRAM.parent))
                    .replace("@sysconfdir@", "/etc"))
    result = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager",
                             "--threshold=30", unit], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    exposure = re.search(r"exposure level for \S+: ([0-9.]+)", result.stdout)
    assert float(exposure[1]) <= 3.0


def test_the_example_is_good():
    status, said = ends_at_once("--test-config", "-c", EXAMPLE)
    assert (status, said) == (0, f"{EXAMPLE}: good\n")


def test_what_the_example_has_in_comments_is_good_too(tmp_path):
    """As somebody would take the comments away who wants it."""
    text = EXAMPLE.read_text()
    listener = re.search(r"# listeners:\n((?:# .*\n)+)", text).group(1)
    listener = re.sub(r"^# ", "", listener, flags=re.MULTILINE)

    wanted = [line for line in listener.split("\n")
              if not re.match(r"\s+(certificate|key|authorit|revoked|ciphers|cipher_suites|files|"
                              r"interface|socket|password_file|acl_file|port|client_certificates|"
                              r"certificate_user|certificate_client_id|tls_version|origins|"
                              r"proxies)", line)]
    words = "listeners:\n" + "\n".join(wanted) + "\n    port: 0\n"
    with configured(tmp_path, words) as broker:
        broker.until("listening")
