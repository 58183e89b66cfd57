"""docs/mosquitto.md says of each key of mosquitto.conf what the reader makes of it."""

import fnmatch
import pathlib
import re

TOP = pathlib.Path(__file__).resolve().parents[2]
KEYS = re.findall(r'^\s+\{"([a-z_0-9.]+)",\s+mosquitto_(\w+)',
                  (TOP / "src/broker/mosquitto-keys.c").read_text(), re.MULTILINE)
TABLE = {key: row[1] for row in re.findall(r"^\| (.*?) \| (.*) \|$",
                                           (TOP / "docs/mosquitto.md").read_text(), re.MULTILINE)
         for key in re.findall(r"`([a-z_0-9.*]+)`", row[0])}
SAYS = {"ignore": "no effect", "ignore_false": "no effect", "refuse_key": "refused",
        "refuse_true": "`true` is refused", "refuse_number": "refused", "ignore_quietly": "always"}


def test_the_reader_has_keys():
    assert len(KEYS) > 100


def test_each_key_has_a_row_that_says_what_becomes_of_it():
    for key, function in KEYS:
        rows = [says for pattern, says in TABLE.items()
                if fnmatch.fnmatch(key + ("*" if key.endswith("_opt_") else ""), pattern)]
        assert rows, f"{key} is not in docs/mosquitto.md"
        assert SAYS.get(function, "") in rows[0], f"{key}: {rows[0]}"


def test_no_row_is_about_a_key_that_the_reader_does_not_know():
    names = [key for key, _ in KEYS]
    for pattern in TABLE:
        assert fnmatch.filter(names, pattern.replace("_opt_*", "_opt_")), pattern
