"""Handler modules for tests, and what to say about replies."""

ECHO = '''"""Commands that a test can tell apart."""

VERSION = {version!r}
calls = {{"count": 0}}


def answer(request):
    """Says which version answers."""
    calls["count"] += 1
    return {{"version": VERSION, "count": calls["count"], "got": request}}


COMMAND_HANDLERS = {{{name!r}: answer}}
'''


def echo(version, name="answer"):
    """A module with one command, which says `version`."""
    return ECHO.format(version=version, name=name)


def one_command(body, name="run_it", imports=""):
    """A module whose command has this body (lines without indentation)."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"{imports}\n\ndef handle_{name}(request):\n    \"\"\"Does it.\"\"\"\n{lines}"


def deploy(client, code, filename="camera_handlers.py", **more):
    return client.call("update_handler", filename=filename, code=code, **more)


def must_deploy(client, code, filename="camera_handlers.py", **more):
    reply = deploy(client, code, filename, **more)
    assert reply["success"], reply
    return reply


def rejected(reply, layer):
    """The first error of a refusal, after a look at its shape."""
    assert reply["success"] is False and reply["type"] == "handler_rejected", reply
    details = reply["validation_details"]
    assert details["valid"] is False and details["layer"] == layer, reply
    assert details["errors"] and len(details["locations"]) == len(details["errors"])
    assert reply["error"] == "Code validation failed: " + details["errors"][0]
    return details["errors"][0]


def stats(client, filename="camera_handlers.py"):
    return client.call("handler_stats", filename=filename)["handlers"][filename]


def until(condition, client, seconds=30):
    """Asks `condition` after each exchange with the agent until it says yes: an event that
    nobody announces. Its value."""
    import time
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, "it did not happen in time"
        client.call("ping")
        time.sleep(0.01)
