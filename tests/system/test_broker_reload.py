"""SIGHUP: another configuration under clients that stay connected."""

import os
import signal
import socket
import threading
import time

import pytest

from broker_configured import (SECONDS, Over, answer, configured, login)
from broker_process import broker_process
from certificates import Authority, common_name
from mqtt_bytes import (CONNACK, PUBACK, PUBLISH, SUBACK, Bytes, connect, publish, session,
                        subscribe, subscriber)
from password_file import write_password_file
from ports import free_port


def logged_in(port, *words):
    client = Bytes(port, login(*words))
    assert client.expect(CONNACK)[1] == 0
    return client


def test_users_and_rules_change_under_connected_clients(tmp_path):
    port, users, acl = free_port(), tmp_path / "users", tmp_path / "acl"
    write_password_file(users, ann="one", bob="two")
    acl.write_text("user ann\ntopic readwrite #\nuser bob\ntopic readwrite #\n")
    words = f"listener {port} 127.0.0.1\npassword_file {users}\nacl_file {acl}\n"
    with configured(tmp_path, words, "b.conf") as broker:
        broker.until("listening")
        ann, bob = logged_in(port, "a", "ann", "one"), logged_in(port, "b", "bob", "two")
        for client in (ann, bob):
            client.say(subscribe(1, "t"))
            client.hear()
        write_password_file(users, ann="three")
        acl.write_text("user ann\ntopic readwrite t\n")
        broker.hang_up()
        broker.until("loaded again")
        ann.say(publish("t", b"m", qos=1, number=1), publish("u", b"m", qos=1, number=2))
        assert ann.expect(PUBLISH).endswith(b"m")
        assert ann.expect(PUBACK)[:2] == b"\x00\x01"
        assert ann.expect(PUBACK)[2] == 0x87
        # Who is no user any more stays connected, and may do nothing.
        bob.say(publish("t", b"no", qos=1, number=3))
        assert bob.expect(PUBACK)[2] == 0x87
        assert answer(port, login("a2", "ann", "one"))[0] == 0x87
        assert answer(port, login("a2", "ann", "three"))[0] == 0
        ann.close()
        bob.close()


def test_a_log_that_cannot_be_opened_again_goes_on_and_says_so(tmp_path):
    logs, moved = tmp_path / "log", tmp_path / "moved"
    logs.mkdir()
    words = f"listener {free_port()} 127.0.0.1\nlog_dest file {logs}/b.log\n"
    with configured(tmp_path, words, "b.conf") as broker:
        await_text(logs / "b.log", "listening")
        logs.rename(moved)
        broker.hang_up()
        await_text(moved / "b.log", "loaded again")
    said = (moved / "b.log").read_text()
    assert 'warning config: cannot open the log again error="No such file' in said, said


def await_text(path, text):
    """Until a file says it."""
    end = time.monotonic() + SECONDS
    while not path.exists() or text not in path.read_text():
        assert time.monotonic() < end, path.exists() and path.read_text()
        time.sleep(0.01)


def test_rules_that_come_later_count_for_those_who_are_there(tmp_path):
    """A broker without rules does not ask about deliveries, until there are some."""
    port = free_port()
    words = f"listener {port} 127.0.0.1\nallow_anonymous true\n"
    (tmp_path / "acl").write_text("topic readwrite open\n")
    with configured(tmp_path, words, "b.conf") as broker:
        broker.until("listening")
        with subscriber(port, "reader", "#") as reader, session(port, "writer") as writer:
            writer.say(publish("secret", b"1"))
            assert reader.expect(PUBLISH).endswith(b"1")
            broker.hang_up(words + f"acl_file {tmp_path / 'acl'}\n")
            broker.until("loaded again")
            writer.say(publish("secret", b"2"), publish("open", b"3"))
            assert reader.expect(PUBLISH).endswith(b"3")


@pytest.mark.parametrize("checks", [True, False])
def test_what_may_not_be_published_any_more_is_not_delivered(tmp_path, checks):
    port, other, acl = free_port(), free_port(), tmp_path / "acl"
    words = f"listener {port} 127.0.0.1\nallow_anonymous true\nacl_file {acl}\n"
    words = f"per_listener_settings true\n{words}listener {other} 127.0.0.1\n"
    words += "allow_anonymous true\n" + ("" if checks else "check_retain_source false\n")
    acl.write_text("topic readwrite t\ntopic readwrite u\n")
    with configured(tmp_path, words, "b.conf") as broker:
        broker.until("listening")
        with session(port, "writer") as writer:
            writer.say(publish("t", b"1", qos=1, number=1, retain=True),
                       publish("u", b"2", qos=1, number=2, retain=True))
            writer.expect(PUBACK)
            writer.expect(PUBACK)
        acl.write_text("topic read t\ntopic readwrite u\n")
        broker.hang_up()
        broker.until("loaded again")
        # Through a listener without rules.
        with subscriber(other, "reader", "t") as reader:
            reader.say(subscribe(2, "u"))
            if not checks:
                assert reader.expect(PUBLISH).endswith(b"1")
            reader.expect(SUBACK)
            assert reader.expect(PUBLISH).endswith(b"2")


def test_what_may_not_be_published_any_more_is_not_delivered_after_a_restart(tmp_path):
    """Who published it is kept with it."""
    port, users, acl = free_port(), tmp_path / "users", tmp_path / "acl"
    (tmp_path / "state").mkdir(mode=0o700)
    write_password_file(users, ann="one", bob="two")
    words = (f"listener {port} 127.0.0.1\npassword_file {users}\nacl_file {acl}\n"
             f"persistence true\npersistence_location {tmp_path / 'state'}\n")
    rights = "user bob\ntopic read #\nuser ann\ntopic write u\n"
    acl.write_text(rights + "topic write t\n")
    with configured(tmp_path, words, "b.conf") as broker:
        broker.until("listening")
        ann = logged_in(port, "a", "ann", "one")
        ann.say(publish("t", b"1", qos=1, number=1, retain=True),
                publish("u", b"2", qos=1, number=2, retain=True))
        ann.expect(PUBACK)
        ann.expect(PUBACK)
        ann.close()
    acl.write_text(rights)
    with configured(tmp_path, words, "b.conf") as broker:
        broker.until("listening")
        bob = logged_in(port, "b", "bob", "two")
        bob.say(subscribe(1, "t"), subscribe(2, "u"))
        bob.expect(SUBACK)
        bob.expect(SUBACK)
        assert bob.expect(PUBLISH).endswith(b"2")
        acl.write_text(rights + "topic write t\n")
        broker.hang_up()
        broker.until("loaded again")
        bob.say(subscribe(3, "t"))
        bob.expect(SUBACK)
        assert bob.expect(PUBLISH).endswith(b"1")
        bob.close()


@pytest.mark.parametrize("words", [
    "listener {port} 127.0.0.1\nallow_anonymous true\nnonsense\n",
    "listener {port} 127.0.0.1\nallow_anonymous true\npassword_file /nowhere/at/all\n",
    "listener {port} 127.0.0.1\nallow_anonymous true\nacl_file {bad}\n",
])
def test_a_bad_file_changes_nothing(tmp_path, words):
    port = free_port()
    (tmp_path / "bad").write_text("nonsense\n")
    with configured(tmp_path, f"listener {port} 127.0.0.1\nallow_anonymous true\n",
                    "b.conf") as broker:
        broker.until("listening")
        with subscriber(port, "reader", "t") as reader:
            broker.hang_up(words.format(port=port, bad=tmp_path / "bad"))
            broker.until("config: stays as it was: .*(b.conf:3|nowhere|bad:1)")
            with session(port, "writer") as writer:
                writer.say(publish("t", b"m"))
                assert reader.expect(PUBLISH).endswith(b"m")


def shown(authority, port):
    """The common name of the certificate that a new connection is shown."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
    with authority.context().wrap_socket(plain, server_hostname="localhost") as stream:
        return common_name(stream)


def test_certificates_change_under_connected_clients(tmp_path):
    authority, port = Authority(tmp_path), free_port()
    old, new = authority.sign("old"), authority.sign("new")
    words = "listener {port} 127.0.0.1\nallow_anonymous true\ncertfile {0}\nkeyfile {1}\n"
    with configured(tmp_path, words.format(*old, port=port), "b.conf") as broker:
        broker.until("tls=yes")
        assert shown(authority, port) == "old"
        plain = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        stream = authority.context().wrap_socket(plain, server_hostname="localhost")
        with Over(stream, connect("a"), subscribe(1, "t")) as client:
            client.expect(CONNACK)
            client.hear()
            broker.hang_up(words.format(*new, port=port))
            broker.until("loaded again")
            assert shown(authority, port) == "new"
            # A key that is not the certificate's: the listener stays as it was.
            broker.hang_up(words.format(old[0], new[1], port=port))
            broker.until("stays as it was: .*b.conf:1")
            assert shown(authority, port) == "new"
            client.say(publish("t", b"still here"))
            assert client.expect(PUBLISH).endswith(b"still here")


def test_listeners_come_and_go_and_their_clients_stay(tmp_path):
    first, second = free_port(), free_port()
    words = "listener {} 127.0.0.1\nallow_anonymous true\n"
    with configured(tmp_path, words.format(first), "b.conf") as broker:
        broker.until("listening")
        with subscriber(first, "reader", "t") as reader:
            broker.hang_up(words.format(second))
            broker.until("listens no more")
            broker.until(f"listening address=127.0.0.1:{second}")
            broker.until("loaded again")
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", first), timeout=SECONDS)
            with session(second, "writer") as writer:
                writer.say(publish("t", b"m"))
                assert reader.expect(PUBLISH).endswith(b"m")
            broker.hang_up(words.format(first))
            broker.until("loaded again")
            assert answer(first, connect("again"))[0] == 0


def test_what_a_listener_grants_changes_for_those_who_come(tmp_path):
    port = free_port()
    words = "listener {} 127.0.0.1\nallow_anonymous true\nmax_connections {}\n"
    with configured(tmp_path, words.format(port, 1), "b.conf") as broker:
        broker.until("listening")
        with session(port, "a"):
            assert answer(port, connect("b"))[0] == 0x89
            broker.hang_up(words.format(port, 2))
            broker.until("loaded again")
            with session(port, "b"):
                assert answer(port, connect("c"))[0] == 0x89


def test_what_waits_for_a_restart_is_said(tmp_path):
    with configured(tmp_path, "listeners: [{port: 0}]") as broker:
        broker.until("listening")
        broker.hang_up("listeners: [{port: 0}]\nmqtt: {sessions: 5}\nlimits: {memory: 2000000}\n")
        broker.until("waits for a restart key=mqtt.sessions")
        broker.until("waits for a restart key=limits.memory")
        broker.until("loaded again")


def test_without_a_configuration_there_is_nothing_to_read_again():
    with broker_process() as broker:
        os.kill(broker.pid, signal.SIGHUP)
        assert answer(broker.port, connect("a"))[0] == 0


def test_nobody_is_dropped_while_it_is_read_again_under_traffic(tmp_path):
    port, users = free_port(), tmp_path / "users"
    authority = Authority(tmp_path)
    certificate, key = authority.sign("server")
    write_password_file(users, ann="one")
    (tmp_path / "acl").write_text("user ann\ntopic readwrite #\n")
    words = (f"listener {port} 127.0.0.1\npassword_file {users}\nacl_file {tmp_path / 'acl'}\n"
             f"log_type warning\nlistener {free_port()} 127.0.0.1\ncertfile {certificate}\n"
             f"keyfile {key}\n")
    count, failures = 300, []

    def publish_all(number):
        try:
            with logged_in(port, f"writer-{number}", "ann", "one") as writer:
                for i in range(count):
                    writer.say(publish("t", b"%d %d" % (number, i), qos=1, number=i + 1))
                    assert writer.expect(PUBACK)[:2] == (i + 1).to_bytes(2, "big")
        except BaseException as error:  # pylint: disable=broad-exception-caught
            failures.append(error)

    with configured(tmp_path, words, "b.conf") as broker:
        with wait_for(port) as reader:
            reader.say(login("reader", "ann", "one"), subscribe(1, "t", qos=1))
            assert reader.expect(CONNACK)[1] == 0
            reader.hear()
            threads = [threading.Thread(target=publish_all, args=(number,)) for number in range(4)]
            for thread in threads:
                thread.start()
            got = set()
            while len(got) < 4 * count:
                content = reader.expect(PUBLISH)
                reader.say(b"\x40\x02" + content[3:5])
                got.add(content[6:])
                if len(got) % 40 == 0:
                    broker.hang_up()
            for thread in threads:
                thread.join(timeout=SECONDS)
    assert not failures, failures


def wait_for(port):
    """A connection to a broker that says nothing of its start."""
    for _ in range(1000):
        try:
            return Bytes(port)
        except ConnectionRefusedError:
            threading.Event().wait(0.01)
    raise AssertionError("the broker does not listen")


def test_systemd_hears_of_it(tmp_path):
    """What READY, RELOADING and STOPPING are for: systemctl waits until it is done."""
    path = str(tmp_path / "notify")
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(path)
    manager.settimeout(SECONDS)
    with configured(tmp_path, "listeners: [{port: 0}]",
                    environment={"NOTIFY_SOCKET": path}) as broker:
        assert manager.recv(1024) == b"READY=1"
        broker.hang_up()
        assert manager.recv(1024).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
        assert manager.recv(1024) == b"READY=1"
    assert manager.recv(1024) == b"STOPPING=1"
