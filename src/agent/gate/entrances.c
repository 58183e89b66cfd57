#include "agent/gate/entrances.h"

#include "agent/gate/gate-internal.h"
#include "net/networks.h"
#include "net/tls-session.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { SOCKET_MODE = 0660 };

static const struct {
        const char *name;           /* in the log */
        const char *address, *port; /* in the status */
} entrances[GATE_ENTRANCES] = {
        [GATE_TCP] = {"mqtt", "address", "port"},
        [GATE_TLS] = {"mqtts", "tls_address", "tls_port"},
        [GATE_SOCKET] = {"mqtt", "socket", NULL},
};

static bool is_listening(const struct gate *gate)
{
        for (size_t i = 0; i < GATE_ENTRANCES; i++)
                if (gate->listeners[i])
                        return true;
        return false;
}

void gate_write_entrances(const struct gate *gate, struct json_writer *writer)
{
        char text[NET_ADDRESS_TEXT_MAX];

        json_write_bool(writer, "listening", is_listening(gate));
        for (size_t i = 0; i < GATE_ENTRANCES; i++) {
                const struct net_address *address;

                if (!gate->listeners[i])
                        continue;
                address = net_listener_address(gate->listeners[i]);
                json_write_string(writer, entrances[i].address, net_address_text(address, text));
                if (entrances[i].port)
                        json_write_integer(writer, entrances[i].port, net_address_port(address));
        }
}

static bool has_room(const struct gate *gate)
{
        size_t waiting = 0;

        for (size_t i = 0; i < GATE_ENTRANCES; i++)
                waiting += gate->ways[i] ? net_entrance_waiting(gate->ways[i]) : 0;
        return !gate->stopping &&
               mqtt_broker_connections(gate->broker) + waiting < gate->options.connections_max;
}

static void refuse(struct gate *gate, const char *area, const struct net_address *peer,
                   const char *why)
{
        char text[NET_ADDRESS_TEXT_MAX];

        gate->counts.refused++;
        log_info(gate->options.log, area, "refused peer=%s why=\"%s\"",
                 net_address_text(peer, text), why);
}

static void on_refused(void *owner, const struct net_address *peer, int reason, const char *why)
{
        (void)reason;
        refuse(owner, entrances[GATE_TLS].name, peer, why);
}

static void on_refused_proxy(void *owner, const struct net_address *peer, int reason,
                             const char *why)
{
        (void)reason;
        refuse(owner, entrances[GATE_TCP].name, peer, why);
}

void gate_adopt(struct gate *gate, enum gate_entrance entrance, int fd,
                const struct net_address *peer)
{
        const struct config_texts *proxies = &gate->options.config->proxies;
        int r = -EBUSY;

        if (entrance == GATE_TCP && !net_networks_have(proxies->items, proxies->count, peer)) {
                refuse(gate, entrances[GATE_TCP].name, peer, "it is none of mqtt.proxies");
                close(fd);
                return;
        }
        if (has_room(gate) && gate->ways[entrance]) {
                net_entrance_admit(gate->ways[entrance], fd, peer);
                return;
        }
        if (has_room(gate))
                r = mqtt_broker_attach(gate->broker, fd, NULL, peer, NULL);
        if (r < 0) {
                gate->counts.refused++;
                close(fd);
        }
}

void gate_adopt_stream(struct gate *gate, struct net_stream *stream)
{
        int r = has_room(gate) ? mqtt_broker_adopt(gate->broker, stream, NULL) : -EBUSY;

        if (r < 0) {
                gate->counts.refused++;
                net_stream_close(stream);
        }
}

/* Who wants to speak something else has found the wrong port. */
static void on_stream(void *owner, struct net_stream *stream)
{
        char protocol[NET_PROTOCOL_SIZE];
        struct net_address peer;

        net_stream_protocol(stream, protocol);
        if (protocol[0] == '\0' || strcmp(protocol, "mqtt") == 0) {
                gate_adopt_stream(owner, stream);
                return;
        }
        net_peer_address(net_stream_peer(stream), &peer);
        on_refused(owner, &peer, -EPROTO, "it wants to speak another protocol");
        net_stream_close(stream);
}

int gate_open_ways(struct gate *gate)
{
        const struct net_entrance_options tls = {.tls = gate->options.tls}, proxy = {.proxy = true};
        struct net_entrance_owner owner = {
                .owner = gate, .on_stream = on_stream, .on_refused = on_refused};
        struct loop *loop = command_registry_loop(gate->registry);
        int r = 0;

        if (tls.tls)
                r = net_entrance_new(loop, gate->options.net, &tls, &owner, &gate->ways[GATE_TLS]);
        owner.on_refused = on_refused_proxy;
        if (r == 0 && gate->options.config->proxies.count > 0)
                r = net_entrance_new(loop, gate->options.net, &proxy, &owner,
                                     &gate->ways[GATE_TCP]);
        return r;
}

static void on_accept(void *owner, int fd, const struct net_address *peer)
{
        gate_adopt(owner, GATE_TCP, fd, peer);
}

static void on_accept_tls(void *owner, int fd, const struct net_address *peer)
{
        gate_adopt(owner, GATE_TLS, fd, peer);
}

static void on_accept_local(void *owner, int fd, const struct net_address *peer)
{
        gate_adopt(owner, GATE_SOCKET, fd, peer);
}

static void on_exhausted(void *owner, int error)
{
        struct gate *gate = owner;

        gate->counts.refused++;
        log_warning(gate->options.log, gate->counts.name,
                    "turning connections away connections=%zu: %s",
                    mqtt_broker_connections(gate->broker), strerror(-error));
}

int gate_listen(struct gate *gate, enum gate_entrance entrance, const struct net_address *address,
                struct error *error)
{
        static void (*const on_accepts[])(void *, int, const struct net_address *) = {
                [GATE_TCP] = on_accept,
                [GATE_TLS] = on_accept_tls,
                [GATE_SOCKET] = on_accept_local};
        const struct net_listener_owner owner = {
                .owner = gate, .on_accept = on_accepts[entrance], .on_exhausted = on_exhausted};
        char text[NET_ADDRESS_TEXT_MAX];
        int r = net_listener_new(command_registry_loop(gate->registry), address, SOCKET_MODE,
                                 &owner, &gate->listeners[entrance]);

        net_address_text(address, text);
        if (r == -EADDRINUSE) {
                error_set(error, r,
                          "cannot listen on %s: another program does already, such as mosquitto; "
                          "stop it (`ss -ltnp` names it), or set mqtt.%s to another %s or "
                          "mqtt.enabled to false; all but MQTT is served",
                          text, entrance == GATE_SOCKET ? "socket" : entrances[entrance].port,
                          entrance == GATE_SOCKET ? "path" : "port");
                return GATE_PORT_IN_USE;
        }
        if (r < 0)
                return error_set(error, r, "mqtt: cannot listen on %s: %s", text, strerror(-r));
        log_info(gate->options.log, entrances[entrance].name, "listening address=%s",
                 net_address_text(net_listener_address(gate->listeners[entrance]), text));
        return 0;
}

void gate_close_entrances(struct gate *gate)
{
        for (size_t i = 0; i < GATE_ENTRANCES; i++)
                gate->listeners[i] = net_listener_free(gate->listeners[i]);
        for (size_t i = 0; i < GATE_ENTRANCES; i++)
                gate->ways[i] = net_entrance_free(gate->ways[i]);
}
