"""Each trick of tests/http/tricks against the real agent: how many requests it yields, what they
are answered, and whether the agent counts as many."""

import pathlib
import re
import socket
import urllib.request

import pytest

from agent_process import TOP, agents_that_end_well

SECONDS = 20
WORDS = {
    "$POST": b"POST /api/command HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n",
    "$PING": b'{"command":"ping"}',
    "$GET": b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
}
PART = re.compile(r"\$(?:POST|PING|GET)|\\x[0-9a-f]{2}|\\.|.")


def bytes_of(text):
    made = b""
    for part in PART.findall(text):
        if part in WORDS:
            made += WORDS[part]
        elif part[0] == "\\":
            made += part.encode().decode("unicode_escape").encode("latin-1")
        else:
            made += part.encode()
    return made


def read_tricks():
    """(name, bytes, statuses, whether the connection ends)"""
    name, sent = None, b""
    for line in pathlib.Path(TOP, "tests/http/tricks").read_text(encoding="utf-8").splitlines():
        word, _, rest = line.partition(" ")
        if word == "name":
            name, sent = rest, b""
        elif word == "send":
            sent += bytes_of(rest)
        elif word == "hear":
            *statuses, end = rest.split()
            yield name, sent, [int(status) for status in statuses], end == "end"


TRICKS = list(read_tricks())


def take_answers(heard):
    """The statuses of whole answers, and what is left."""
    statuses = []
    while (end := heard.find(b"\r\n\r\n")) >= 0:
        head = heard[:end].decode("latin-1")
        status = int(head.split()[1])
        length = re.search(r"\r\nContent-Length: (\d+)", head)
        body = int(length[1]) if length else 0
        assert length or status == 100, head
        if len(heard) < end + 4 + body:
            break
        statuses.append(status)
        heard = heard[end + 4 + body:]
    return statuses, heard


def answers_to(port, sent, expected):
    """The statuses that come, and whether the connection ends. One that stays open answers
    one more request, so that nobody has to wait for what does not come."""
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as client:
        client.sendall(sent)
        statuses, heard, ended, asked = [], b"", False, False
        while not ended:
            piece = client.recv(65536)
            ended = not piece
            more, heard = take_answers(heard + piece)
            statuses += more
            if asked and len(statuses) > len(expected):
                break
            if len(statuses) >= len(expected) and not ended and not asked:
                asked = True
                try:
                    client.sendall(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n")
                except (BrokenPipeError, ConnectionResetError):
                    pass
        return statuses, ended


def requests_counted(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=SECONDS) as answer:
        figures = answer.read().decode()
    return int(re.search(r"^pifleet_http_requests_total (\d+)$", figures, re.M)[1])


@pytest.fixture(scope="module")
def port():
    with agents_that_end_well() as start:
        agent = start(config={"http": {"metrics": "open"}})
        yield int(re.search(r"http: listening address=127\.0\.0\.1:(\d+)", agent.stderr())[1])


@pytest.mark.parametrize("name, sent, expected, ends", TRICKS, ids=[trick[0] for trick in TRICKS])
def test_it_is_as_many_requests_as_it_says(port, name, sent, expected, ends):
    before = requests_counted(port)
    statuses, ended = answers_to(port, sent, expected)
    assert (statuses[:len(expected)], ended) == (expected, ends), name
    # The one at the end, if it was answered, and the request that asks now, are ours.
    own = 1 + (not ended)
    assert requests_counted(port) - before - own == len([s for s in expected if s != 100])
