"""`pifleet clients` and `pifleet kick`, and the commands behind them, against a real agent."""

import itertools
import json

from command_line import OK, REFUSED, USAGE, run
from fake_agent import FakeAgent
from test_gate_rpc import SECONDS, TOKENS, Client, mqtt_port, user
from test_mqtt_durable import Durable


def ask(agent, *words):
    return run(*words, "--socket", agent.socket)


def test_nobody_is_there(agent):
    status, _, err = ask(agent, "clients", "--text")
    assert (status, err) == (OK, "Nobody is connected.\n")


def test_those_who_are_there_and_those_who_are_away(agent):
    away, here = Durable(agent, "away"), Client(mqtt_port(agent), "here")
    away.follow("news/#", qos=1)
    away.leave()
    status, out, _ = ask(agent, "clients", "--text")
    assert status == OK
    lines = {line.split()[0]: line.split()[1:] for line in out.splitlines()[2:]}
    assert lines["away"][0] == "away" and lines["away"][-2:] == ["1", "0"]
    assert lines["here"][0] == "connected" and lines["here"][2] == "open"
    clients = json.loads(ask(agent, "clients")[1])
    assert (clients["connected"], clients["sessions"], clients["next"]) == (1, 2, None)
    assert {client["client_id"] for client in clients["clients"]} == {"away", "here"}
    here.leave()


def test_of_one_all_is_told(agent):
    me = Client(mqtt_port(agent), "me")
    me.follow("news/#", qos=1)
    client = json.loads(ask(agent, "clients", "me")[1])
    assert client["subscriptions"] == [{"filter": "news/#", "qos": 1}]
    assert (client["user"], client["version"]) == ("open", "5.0")
    status, _, err = ask(agent, "clients", "nobody", "--text")
    assert (status, "mqtt_clients lists" in err) == (REFUSED, True)
    me.leave()


def test_a_list_without_an_end_is_cut_off():
    pages = itertools.count(1)

    def page(_request):
        number = next(pages)
        return {"success": True, "clients": [{"client_id": f"c{number}"}], "next": f"a{number}"}

    with FakeAgent({"mqtt_clients": page}) as fake:
        status, out, err = run("clients", "--port", str(fake.port))
        assert (status, len(json.loads(out)["clients"]), len(fake.requests)) == (OK, 200, 200)
        assert err == "There are more: pifleet call mqtt_clients cursor=a200\n"


def test_many_clients_come_on_pages(agent):
    many = [Client(mqtt_port(agent), f"client-{number}") for number in range(5)]
    seen, cursor = [], {}
    while True:
        page = agent.call({"command": "mqtt_clients", "limit": 2, **cursor})
        seen += [client["client_id"] for client in page["clients"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert sorted(seen) == [f"client-{number}" for number in range(5)]
    for client in many:
        client.leave()


def test_who_is_kicked_is_gone(agent):
    me = Client(mqtt_port(agent), "me")
    assert ask(agent, "kick", "me", "--text") == (OK, "session  kept\n", "")
    assert me.farewells.get(timeout=SECONDS) != 0
    me.leave()
    assert ask(agent, "kick", "nobody", "--text")[0] == REFUSED
    assert ask(agent, "kick")[0] == USAGE
    assert 'kicked client="me" session=kept who=' in agent.stderr()
    assert "audit: mqtt_kick outcome=ok" in agent.stderr()


def test_a_session_ends_with_its_client_if_so_asked(agent):
    me = Durable(agent, "me")
    me.follow("news", qos=1)
    me.leave()
    assert ask(agent, "kick", "--session", "me", "--text") == (OK, "session  ended\n", "")
    assert json.loads(ask(agent, "clients")[1])["clients"] == []
    me = Durable(agent, "me")
    assert not me.resumed
    me.leave()


def test_it_is_for_administrators(start_agent):
    agent = start_agent(config=TOKENS)
    me = Client(mqtt_port(agent), "me", **user("operator"))
    assert me.greeting == 0
    for command in ({"command": "mqtt_clients"}, {"command": "mqtt_client", "client_id": "me"},
                    {"command": "mqtt_kick", "client_id": "me"}):
        me.follow_replies()
        assert me.call(**command)["code"] == "FORBIDDEN"
    me.leave()
