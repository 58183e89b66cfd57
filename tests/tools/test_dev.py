"""./dev: what can be known without running hours of it."""

import re
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
ROOMS = sorted((TOP / "tools" / "dev").glob("*.sh"))
DEFINITION = re.compile(r"^([a-z][a-z0-9_]*)\(\) \{", re.MULTILINE)


def code_of(room):
    """Without comments and here-documents, which are other languages."""
    text = re.sub(r"<<-?'?EOF'?.*?^\s*EOF$", "", room.read_text(), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"(^|\s)#.*", "", text)


def test_every_function_of_a_room_that_is_called_is_there():
    """sh(1) finds out when it comes to the line, which may be after an hour."""
    rooms = {room: code_of(room) for room in ROOMS}
    defined = {name for text in rooms.values() for name in DEFINITION.findall(text)}
    prefixes = {name.split("_")[0] for name in defined if "_" in name}
    word = re.compile(r"(?<![\w${./-])((?:%s)_[a-z0-9_]+)(?![\w=./-])" % "|".join(prefixes))
    for room, text in rooms.items():
        for name in word.findall(text):
            assigned = re.search(rf"\b{name}=|\bfor {name} in\b", "\n".join(rooms.values()))
            assert name in defined or assigned, f"{room.name} calls {name}, which is nowhere"


def test_the_help_names_every_command():
    said = subprocess.run([TOP / "dev", "help"], capture_output=True, text=True, check=True).stdout
    commands = {name.removeprefix("dev_").replace("_", "-")
                for room in [*ROOMS, TOP / "dev"] for name in DEFINITION.findall(code_of(room))
                if name.startswith("dev_")}
    assert len(commands) > 8
    for command in commands:
        assert re.search(rf"^  {command}\b", said, re.MULTILINE), command
