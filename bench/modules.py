"""The texts of the modules that the bench deploys."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CAMERA = "camera_handlers.py"

# What the built-in command `echo` does with the requests of protocol.c.
ECHO_PYTHON = '''"""A call, and as little as there can be behind it."""


def handle_echo_python(request):
    """Says what it was told."""
    return {"echo": {"text": request["text"]}}
'''
ECHO_C = '''/* A call, and as little as there can be behind it. */
#include <pifleet/handler.h>

static int echo(struct pifleet_call *call)
{
        pifleet_put_object(call, "echo");
        pifleet_put_text(call, "text", pifleet_get_text(call, "text", ""));
        pifleet_put_end(call);
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("echo_c", echo, "Says what it was told."))
'''


# What a new version adds to the example.
SPACE = '''

def free_space_{version}(request):
    """How much room there is for recordings."""
    folder = FOLDER if os.path.isdir(FOLDER) else "."
    usage = shutil.disk_usage(folder)
    return {{"success": True, "folder": folder, "free": usage.free, "total": usage.total,
            "version": {version}}}


COMMAND_HANDLERS["free_space_{version}"] = free_space_{version}
'''


def camera(version):
    """(code, name of the command that only this version has): the example module and more,
    about a hundred lines."""
    text = (ROOT / "examples" / "handlers" / CAMERA).read_text()
    return text + SPACE.format(version=version), f"free_space_{version}"


def numbered(number):
    """(file name, code, command) of one of many small modules."""
    return (f"module_{number}.py",
            f'"""One of many."""\n\n\ndef handle_answer_{number}(request):\n'
            f'    """Says which it is."""\n    return {{"number": {number}}}\n',
            f"answer_{number}")
