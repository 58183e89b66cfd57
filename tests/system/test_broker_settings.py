"""What the keys of mosquitto.conf change, told by what clients get."""

import os
import pathlib
import pwd
import re
import signal
import stat
import tempfile

import pytest

from broker_configured import answer, configured, ends_at_once, login
from mqtt_bytes import (CONNACK, DISCONNECT, PING, PINGRESP, PUBACK, PUBLISH, Bytes, connect,
                        publish, session, subscriber)
from password_file import write_password_file
from ports import free_port

RECEIVE_MAXIMUM, TOPIC_ALIASES, MAXIMUM_QOS, RETAIN = 0x21, 0x22, 0x24, 0x25
PACKET_SIZE, ASSIGNED_ID, KEEP_ALIVE, SESSION_EXPIRY = 0x27, 0x12, 0x13, 0x11
SIZES = {RECEIVE_MAXIMUM: 2, TOPIC_ALIASES: 2, MAXIMUM_QOS: 1, RETAIN: 1, PACKET_SIZE: 4,
         KEEP_ALIVE: 2, SESSION_EXPIRY: 4}


@pytest.fixture
def running(tmp_path):
    """A function that starts a broker with lines of a configuration behind a listener's."""
    opened = []

    def start(lines, before="", anonymous=True):
        port = free_port()
        words = f"{before}listener {port} 127.0.0.1\n{lines}"
        words += "allow_anonymous true\n" if anonymous else ""
        context = configured(tmp_path, words, "b.conf")
        broker = context.__enter__()
        opened.append(context)
        broker.until("listening")
        return port

    yield start
    for context in opened:
        context.__exit__(None, None, None)


def announced(port, name="a", **words):
    """The numbers and texts of CONNACK, by property."""
    code, rest = answer(port, connect(name, **words))
    assert code == 0, hex(code)
    found = {}
    while rest:
        kind, rest = rest[0], rest[1:]
        size = SIZES.get(kind)
        if size is None:
            size = int.from_bytes(rest[:2], "big")
            found[kind], rest = rest[2:2 + size].decode(), rest[2 + size:]
        else:
            found[kind], rest = int.from_bytes(rest[:size], "big"), rest[size:]
    return found


def test_connack_announces_what_mosquittos_does(running):
    assert announced(running("")) == {TOPIC_ALIASES: 10, RECEIVE_MAXIMUM: 20,
                                      PACKET_SIZE: 2000000}


@pytest.mark.parametrize("lines, kind, value", [
    ("max_inflight_messages 5\n", RECEIVE_MAXIMUM, 5), ("max_topic_alias 3\n", TOPIC_ALIASES, 3),
    ("max_qos 1\n", MAXIMUM_QOS, 1), ("retain_available false\n", RETAIN, 0),
    ("max_packet_size 100\n", PACKET_SIZE, 100),
])
def test_settings_are_announced(running, lines, kind, value):
    assert announced(running(lines))[kind] == value


def test_a_keep_alive_beyond_the_cap_is_the_servers(running):
    port = running("max_keepalive 60\n")
    assert announced(port, keep_alive=90)[KEEP_ALIVE] == 60
    assert KEEP_ALIVE not in announced(port, keep_alive=30)
    # 3.1.1 cannot be told.
    assert answer(port, login("a", version=4, keep_alive=90))[0] == 2
    assert answer(port, login("a", version=4, keep_alive=30))[0] == 0


def test_versions_that_are_not_spoken_are_refused(running):
    port = running("accept_protocol_versions 4\n")
    assert answer(port, login("a", version=4))[0] == 0
    assert answer(port, login("a", version=5))[0] == 0x84
    assert answer(port, login("a", version=3))[0] == 1


def test_ids_that_the_broker_chooses_begin_as_configured(running):
    assert announced(running(""), name="")[ASSIGNED_ID].startswith("auto-")
    assert announced(running("auto_id_prefix x-\n"), name="")[ASSIGNED_ID].startswith("x-")


def test_ids_may_have_to_be_there_and_to_begin_with_something(running):
    assert answer(running("allow_zero_length_clientid false\n"), connect(""))[0] == 0x85
    port = running("clientid_prefixes good-\n")
    assert answer(port, connect("good-a"))[0] == 0
    assert answer(port, connect("bad"))[0] == 0x87


def test_so_many_clients_come_through_a_listener(running):
    port = running("max_connections 2\n")
    with session(port, "a"), session(port, "b"):
        assert answer(port, connect("c"))[0] == 0x89


def test_so_many_clients_and_sessions_are_there_in_all(running):
    port = running("", before="global_max_connections 1\n")
    with session(port, "a"):
        assert answer(port, connect("b"))[0] == 0x89
    port = running("", before="global_max_clients 1\n")
    session(port, "a", expiry=100).close()
    assert answer(port, connect("b"))[0] in (0x89, 0x97)


def test_so_many_messages_wait_for_who_is_away(running):
    port = running("", before="max_queued_messages 3\n")
    subscriber(port, "away", "t", qos=1, expiry=100).close()
    with session(port, "writer") as writer:
        for number in range(1, 9):
            writer.say(publish("t", b"%d" % number, qos=1, number=number))
            writer.expect(PUBACK)
    with Bytes(port, connect("away", expiry=100, clean=False)) as reader:
        assert reader.expect(CONNACK)[0] == 1
        # The newest are kept.
        assert [reader.expect(PUBLISH)[-1:] for _ in range(3)] == [b"6", b"7", b"8"]


def test_so_many_messages_are_under_way_to_a_client(running):
    port = running("", before="max_inflight_messages 2\n")
    with subscriber(port, "reader", "t", qos=1) as reader, session(port, "writer") as writer:
        for number in range(1, 5):
            writer.say(publish("t", b"%d" % number, qos=1, number=number))
            writer.expect(PUBACK)
        first = reader.expect(PUBLISH)
        assert reader.expect(PUBLISH)[-1:] == b"2"
        reader.say(PING)
        assert reader.hear()[0] == PINGRESP
        reader.say(b"\x40\x02" + first[3:5])
        assert reader.expect(PUBLISH)[-1:] == b"3"


def test_figures_are_below_sys_unless_they_are_switched_off(running):
    with subscriber(running(""), "reader", "$SYS/broker/version") as reader:
        assert b"$SYS/broker/version" in reader.expect(PUBLISH)
    with subscriber(running("", before="sys_interval 0\n"), "reader", "$SYS/#") as reader:
        reader.say(PING)
        assert reader.hear()[0] == PINGRESP


def test_sessions_are_kept_no_longer_than_configured(running):
    assert announced(running("", before="persistent_client_expiration 1h\n"),
                     expiry=7200)[SESSION_EXPIRY] == 3600


def test_a_payload_beyond_the_limit_goes_nowhere(running):
    port = running("message_size_limit 5\n")
    with subscriber(port, "reader", "t") as reader, session(port, "writer") as writer:
        writer.say(publish("t", b"123456", qos=1, number=1), publish("t", b"12345"))
        assert writer.expect(PUBACK)[2] == 0x97
        assert reader.expect(PUBLISH).endswith(b"12345")


def test_a_packet_beyond_the_limit_ends_the_connection(running):
    with session(running("max_packet_size 100\n"), "a") as client:
        client.say(publish("t", b"x" * 200))
        kind, _, content = client.ends()
        assert (kind, content[0]) == (DISCONNECT, 0x95)


def test_topics_of_a_listener_may_live_below_a_prefix(running):
    other = free_port()
    port = running(f"mount_point garden/\nlistener {other} 127.0.0.1\n")
    with subscriber(other, "outside", "#") as outside, subscriber(port, "inside", "#") as inside:
        with session(port, "writer") as writer:
            writer.say(publish("door", b"open"))
            assert b"garden/door" in outside.expect(PUBLISH)
            assert b"\x00\x04door" in inside.expect(PUBLISH)


def test_messages_of_qos_0_may_wait_for_who_is_away(running):
    port = running("queue_qos0_messages true\n")
    subscriber(port, "away", "t", expiry=100).close()
    with session(port, "writer") as writer:
        writer.say(publish("t", b"waits"), publish("t", b"too", qos=1, number=1))
        assert writer.expect(PUBACK)[:2] == b"\x00\x01"
    with Bytes(port, connect("away", expiry=100, clean=False)) as reader:
        assert reader.expect(CONNACK)[0] == 1
        assert reader.expect(PUBLISH).endswith(b"waits")


def test_a_password_file_is_asked_for_names(running, tmp_path):
    write_password_file(tmp_path / "users", ann="secret")
    port = running(f"password_file {tmp_path / 'users'}\nallow_anonymous false\n", anonymous=False)
    assert answer(port, login("a", "ann", "secret"))[0] == 0
    assert answer(port, login("a", "ann", "wrong"))[0] == 0x87
    assert answer(port, login("a", "bob", "secret"))[0] == 0x87
    assert answer(port, connect("a"))[0] == 0x87
    assert answer(port, login("a", "ann", "wrong", version=4))[0] == 5


def test_an_acl_file_says_who_may_do_what(running, tmp_path):
    (tmp_path / "acl").write_text("topic read open/#\ntopic write in/#\n"
                                  "user ann\ntopic readwrite home/#\n"
                                  "pattern readwrite own/%c/#\n")
    port = running(f"acl_file {tmp_path / 'acl'}\n")
    with subscriber(port, "a", "open/x", "own/a/#") as client:
        client.say(publish("own/a/x", b"mine"), publish("open/x", b"no", qos=1, number=1),
                   publish("in/x", b"yes", qos=1, number=2), publish("own/b/x", b"no", qos=1,
                                                                      number=3))
        assert client.expect(PUBLISH).endswith(b"mine")
        assert [client.expect(PUBACK) for _ in range(3)] == [
            b"\x00\x01\x87", b"\x00\x02\x10", b"\x00\x03\x87"]


def test_listeners_may_have_users_of_their_own(tmp_path):
    first, second = free_port(), free_port()
    for name in ("ann", "bob"):
        write_password_file(tmp_path / name, **{name: "secret"})
    with configured(tmp_path, f"""per_listener_settings true
listener {first} 127.0.0.1
password_file {tmp_path / 'ann'}
listener {second} 127.0.0.1
password_file {tmp_path / 'bob'}
""", "b.conf") as broker:
        broker.until(f":{second}")
        assert answer(first, login("a", "ann", "secret"))[0] == 0
        assert answer(first, login("a", "bob", "secret"))[0] == 0x87
        assert answer(second, login("a", "bob", "secret"))[0] == 0
        assert answer(second, login("a", "ann", "secret"))[0] == 0x87


def test_a_users_name_may_be_the_client_id(running, tmp_path):
    write_password_file(tmp_path / "users", ann="secret")
    (tmp_path / "acl").write_text("pattern write by/%c\n")
    port = running(f"password_file {tmp_path / 'users'}\nacl_file {tmp_path / 'acl'}\n"
                   "use_username_as_clientid true\n", anonymous=False)
    with Bytes(port, login("other", "ann", "secret")) as client:
        assert client.expect(CONNACK)[1] == 0
        client.say(publish("by/ann", b"", qos=1, number=1), publish("by/other", b"", qos=1,
                                                                    number=2))
        assert client.expect(PUBACK)[2] == 0x10
        assert client.expect(PUBACK)[2] == 0x87


def test_persistence_keeps_sessions_and_retained_messages(tmp_path):
    port = free_port()
    words = (f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence true\n"
             f"persistence_location {tmp_path}\npersistence_file x.db\n")
    with configured(tmp_path, words, "b.conf") as broker:
        broker.until("listening")
        subscriber(port, "away", "t", qos=1, expiry=1000).close()
        with session(port, "writer") as writer:
            writer.say(publish("kept", b"retained", retain=True),
                       publish("t", b"queued", qos=1, number=1))
            writer.expect(PUBACK)
    assert (tmp_path / "x.db.journal").is_dir()
    with configured(tmp_path, words, "b.conf") as broker:
        broker.until("listening")
        with Bytes(port, connect("away", expiry=1000, clean=False)) as reader:
            assert reader.expect(CONNACK)[0] == 1
            assert reader.expect(PUBLISH).endswith(b"queued")
        with subscriber(port, "new", "kept") as reader:
            assert reader.expect(PUBLISH).endswith(b"retained")


def test_two_brokers_do_not_share_a_folder(tmp_path):
    words = (f"listener {free_port()} 127.0.0.1\npersistence true\n"
             f"persistence_location {tmp_path}\n")
    with configured(tmp_path, words, "b.conf") as broker:
        broker.until("listening")
        path = tmp_path / "other.conf"
        path.write_text(words.replace("listener", f"listener {free_port()} 127.0.0.1\n#"))
        status, said = ends_at_once("-c", path)
    assert status == 1
    assert "mosquitto.db.journal" in said


def test_a_pid_file_is_there_while_the_broker_is(tmp_path):
    path = tmp_path / "broker.pid"
    words = f"listener {free_port()} 127.0.0.1\npid_file {path}\n"
    with configured(tmp_path, words, "b.conf") as broker:
        broker.until("listening")
        with session_refused(broker):
            assert int(path.read_text()) == broker.process.pid
    assert not path.exists()


def test_who_cannot_run_leaves_the_pid_file_of_who_does(tmp_path):
    path = tmp_path / "pid"
    words = (f"listener {{}} 127.0.0.1\npid_file {path}\npersistence true\n"
             f"persistence_location {tmp_path}\n")
    with configured(tmp_path, words.format(free_port()), "one.conf") as broker:
        broker.until("listening")
        said = path.read_text()
        second = tmp_path / "two.conf"
        second.write_text(words.format(free_port()))
        status, told = ends_at_once("-c", second)
        assert status == 1 and "another" in told, told
        assert path.read_text() == said == f"{broker.process.pid}\n"


def test_signals_that_mosquitto_knows_end_nothing(tmp_path):
    port = free_port()
    with configured(tmp_path, f"listener {port} 127.0.0.1\nallow_anonymous true\n",
                    "b.conf") as broker:
        broker.until("listening")
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            broker.process.send_signal(number)
        broker.hang_up()  # they are there before it
        broker.until("loaded again")
        assert answer(port, connect("a"))[0] == 0


def test_root_becomes_the_user_and_others_stay_who_they_are(tmp_path):
    port = free_port()
    words = f"listener {port} 127.0.0.1\nallow_anonymous true\nuser nobody\n"
    wanted = pwd.getpwnam("nobody").pw_uid if os.getuid() == 0 else os.getuid()
    # A process that gave up its rights cannot be looked into by the leak sanitizer.
    with configured(tmp_path, words, "b.conf",
                    environment={"ASAN_OPTIONS": "detect_leaks=0"}) as broker:
        broker.until("listening")
        status = pathlib.Path(f"/proc/{broker.process.pid}/status").read_text()
        ids = re.search(r"^Uid:\s+(\d+)\s+(\d+)\s+(\d+)", status, re.MULTILINE).groups()
        assert {int(number) for number in ids} == {wanted}
        assert answer(port, connect("a"))[0] == 0


def test_a_disk_that_fails_at_the_end_is_said(tmp_path):
    port = free_port()
    words = (f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence true\n"
             f"persistence_location {tmp_path}\n")
    with configured(tmp_path, words, "b.conf") as broker:
        broker.until("listening")
        (tmp_path / "mosquitto.db.journal").rmdir()
        with Bytes(port, connect("away", expiry=1000, clean=False)) as client:
            client.expect(CONNACK)
    assert "cannot write" in "".join(broker.said)


def test_a_socket_belongs_to_who_root_becomes():
    wanted = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    with tempfile.TemporaryDirectory() as name:
        path = pathlib.Path(name, "s")
        words = f"listener 0 {path}\nallow_anonymous true\nuser nobody\n"
        with configured(pathlib.Path(name), words, "b.conf",
                        environment={"ASAN_OPTIONS": "detect_leaks=0"}) as broker:
            broker.until("listening")
            found = path.stat()
            assert (found.st_uid, stat.S_IMODE(found.st_mode)) == (wanted.pw_uid, 0o660)
            assert found.st_gid == (wanted.pw_gid if os.getuid() == 0 else os.getgid())


def test_who_root_becomes_can_write_what_is_kept():
    port = free_port()
    nobody = pwd.getpwnam("nobody").pw_uid if os.getuid() == 0 else os.getuid()
    # Not in the folder of the tests, which is closed to others.
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        os.chown(folder, nobody, -1)
        words = (f"listener {port} 127.0.0.1\nallow_anonymous true\nuser nobody\n"
                 f"persistence true\npersistence_location {folder}\n")
        for before in (0, 1):
            with configured(folder, words, "b.conf",
                            environment={"ASAN_OPTIONS": "detect_leaks=0"}) as broker:
                broker.until("listening")
                with Bytes(port, connect("away", expiry=1000, clean=False)) as client:
                    assert client.expect(CONNACK)[:2] == bytes((before, 0))
        kept = folder / "mosquitto.db.journal"
        assert {path.stat().st_uid for path in (kept, *kept.iterdir())} == {nobody}
        assert list(kept.iterdir())


@pytest.mark.skipif(os.getuid() != 0, reason="root may use any folder, who it becomes may not")
def test_whose_a_folder_has_to_be_is_said(tmp_path):
    path = tmp_path / "b.conf"
    path.write_text(f"listener {free_port()} 127.0.0.1\nuser nobody\npersistence true\n"
                    f"persistence_location {tmp_path}\n")
    status, said = ends_at_once("-c", path)
    assert status == 1
    assert f"cannot use the folder {tmp_path}/mosquitto.db.journal: Permission denied; " in said
    assert "it has to belong to the user that the broker runs as" in said


def session_refused(broker):
    """A client that is answered: the broker is past its start."""
    port = int(broker.said[-1].split("127.0.0.1:")[1].split(" ")[0])
    return Bytes(port, connect("a"))


@pytest.mark.parametrize("words, status, says", [
    ("listener 1883\nplugin x.so\n", 2, ":2: `plugin` is not possible: "),
    ("listener 1883\nconnection b\n", 2, ":2: `connection` is not possible: "),
    ("lissener 1883\n", 2, "did you mean listener?"),
    ("listener 1883\npassword_file /nowhere\n", 1, "cannot read /nowhere: No such file"),
    ("listener 1883\ncertfile /nowhere\nkeyfile /nowhere\n", 1, ":1: "),
    ("listener 1883\nuser nobody-of-that-name\nbind_address 127.0.0.1\n", 1, "nobody-of-that-name"),
])
def test_what_is_wrong_is_an_exit_status_and_a_sentence(tmp_path, words, status, says):
    path = tmp_path / "b.conf"
    path.write_text(words.replace("1883", f"{free_port()} 127.0.0.1")
                    .replace("bind_address 127.0.0.1\n", ""))
    got, said = ends_at_once("-c", path)
    assert (got, says in said) == (status, True), said
    if "user " not in words:
        got, said = ends_at_once("--test-config", "-c", path)
        assert (got, says in said) == (2, True), said


def test_who_checks_a_configuration_is_told_and_not_its_log(tmp_path):
    path = tmp_path / "b.conf"
    path.write_text(f"listener 1883\nautosave_interval 5\nlog_dest file {tmp_path}/b.log\n"
                    "log_type error\n")
    status, said = ends_at_once("--test-config", "-c", path)
    assert (status, "b.conf:2: `autosave_interval` has no effect" in said) == (0, True), said
    assert not (tmp_path / "b.log").exists()


def test_a_configuration_is_checked_without_a_start(tmp_path):
    path = tmp_path / "b.conf"
    path.write_text(f"listener {free_port()}\nautosave_interval 5\n")
    status, said = ends_at_once("--test-config", "-c", path)
    assert status == 0
    assert f"{path}: good" in said
    assert f"{path}:2: `autosave_interval` has no effect" in said
    assert ends_at_once("-c")[0] == 2
    assert ends_at_once("--test-config", "-c", tmp_path / "none")[0] == 2
