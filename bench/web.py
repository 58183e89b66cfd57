"""A small file over HTTP, beside nginx: what a request costs that fetches it, and one that is told
it has not changed. Plain figures in base units.

Both serve at the same time on one core, from memory and without an access log; bench-load asks
them in turn from the other, over connections that stay."""

import contextlib
import http.client
import json
import shutil
from pathlib import Path

from measure import Bench, side_by_side
from server import Peer, Server, Unusable

PARTS = ("http",)
OURS, THEIRS = "agent", "nginx"
FILE_NAME, FILE_BYTES = "page.html", 2048
# What is asked in bench-load's words, connections, and ours.
CASES = {
    "http file": ("http-file", 50, "the file, 50 connections"),
    "http unchanged": ("http-unchanged", 50, "304, 50 connections"),
    "http file 1": ("http-file", 1, "the file, 1 connection"),
}
NGINX = """
daemon off;
master_process off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log stderr error;
events {{ worker_connections 2048; }}
http {{
    types {{ text/html html; }}
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    open_file_cache max=16 inactive=1h;
    open_file_cache_valid 1h;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
        listen 127.0.0.1:{port};
        root {page};
    }}
}}
"""


def make_page(directory):
    """A folder with the file in it. 'x' is what a page has least of: nobody compresses here."""
    page = Path(directory) / "page"
    page.mkdir(exist_ok=True)
    text = "<!doctype html><title>x</title>"
    (page / FILE_NAME).write_text(text + "x" * (FILE_BYTES - len(text)))
    return page


def agent_arguments(port, directory):
    path = Path(directory) / "agent.yaml"
    path.write_text(json.dumps({
        "access": {"mode": "open"}, "gpio": {"backend": "simulated"}, "mqtt": {"port": 0},
        "http": {"host": "127.0.0.1", "port": port, "page": str(make_page(directory))},
        "command": {"host": "127.0.0.1", "port": 0, "socket": str(Path(directory) / "s")}}))
    return ["--config", str(path), "--state-dir", str(Path(directory) / "state")]


def nginx_arguments(port, directory):
    path = Path(directory) / "nginx.conf"
    path.write_text(NGINX.format(port=port, directory=directory, page=make_page(directory)))
    return ["-p", directory, "-c", str(path), "-e", "stderr"]


def web_servers(agent):
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if not nginx:
        raise Unusable("nginx is missing: apt-get install nginx")
    return [Peer(OURS, "http", None, agent, agent_arguments),
            Peer(THEIRS, "http", None, nginx, nginx_arguments)]


def request_text(port, etag=None):
    """Of the length that a browser's has about; to all servers the same but for the tag."""
    lines = [f"GET /{FILE_NAME} HTTP/1.1", f"Host: 127.0.0.1:{port}", "User-Agent: bench/1.0",
             "Accept: text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Language: en,de;q=0.5",
             "Connection: keep-alive", *([f"If-None-Match: {etag}"] if etag else [])]
    return "\r\n".join([*lines, "", ""])


class WebServer(Server):
    """The first reply is the file."""

    def _asked(self, _):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port,
                                                           timeout=5)) as client:
            client.request("GET", f"/{FILE_NAME}")
            answer = client.getresponse()
            body = answer.read()
            if answer.status != 200 or len(body) != FILE_BYTES:
                raise Unusable(self.words(f"answers {answer.status} with {len(body)} bytes"))
            self.etag = answer.getheader("ETag")
            return True


class WebBench:
    """`bench` is a measure.Bench."""

    def __init__(self, bench, window_seconds):
        self.bench = bench
        self.window_seconds = window_seconds

    def start(self, peer):
        return WebServer(peer, {self.bench.server_cpu}, {self.bench.generator_cpu},
                         self.bench.directory)

    def window(self, server, case):
        protocol, connections, _ = CASES[case]
        unchanged = protocol == "http-unchanged"
        if unchanged and not server.etag:
            raise Unusable("its answers have no ETag")
        path = server.directory / f"{protocol}.request"
        path.write_text(request_text(server.port, server.etag if unchanged else None), newline="")
        return self.bench.load(server, protocol, connections, 1, self.window_seconds, path)


def measure_round(bench, peers, number):
    return side_by_side(bench.start, peers, number,
                        {case: lambda server, case=case: bench.window(server, case)
                         for case in CASES})


def measure_rounds(setting):
    """The rounds; [] when nothing of this is wanted. `setting` is a measure.Setting."""
    options = setting.options
    if not set(PARTS) & options.only:
        return []
    bench = WebBench(Bench(options.build, *setting.cores, setting.directory,
                           repetitions=3 * options.broker_rounds), options.broker_seconds)
    peers = web_servers(options.agent)
    rounds = []
    for number in range(options.broker_rounds):
        setting.say(f"HTTP, round {number + 1} of {options.broker_rounds}")
        rounds.append(measure_round(bench, peers, number))
    return rounds
