#include "agent/gate/caller.h"

#include "agent/gate/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int gate_caller_new(struct gate *gate, const struct mqtt_who *who, struct gate_caller **ret)
{
        size_t prefix = gate->topics.response_length, id = who->client_id.length;
        char origin[NET_ADDRESS_TEXT_MAX];
        struct net_address peer;
        struct gate_caller *caller;
        char *place;

        net_peer_address(who->peer, &peer);
        net_address_text(&peer, origin);
        caller = calloc(1, sizeof(*caller) + prefix + id + strlen(origin) + 1);
        if (!caller)
                return -ENOMEM;
        caller->gate = gate;
        list_init(&caller->requests);
        memcpy(caller->texts, gate->topics.base, prefix);
        memcpy(caller->texts + prefix, who->client_id.bytes, id);
        caller->client_id = (struct mqtt_text){caller->texts + prefix, (uint16_t)id};
        caller->has_response_topic =
                prefix + id <= MQTT_TEXT_MAX && gate_client_id_is_usable(caller->client_id);
        if (caller->has_response_topic)
                caller->response_topic = (struct mqtt_text){caller->texts, (uint16_t)(prefix + id)};
        place = caller->texts + prefix + id;
        strcpy(place, origin);
        caller->session = (struct command_session){
                .id = command_registry_new_session_id(gate->registry),
                .transport = gate->counts.name,
                .origin = place,
                .origin_key = net_address_origin(&peer),
        };
        *ret = caller;
        return 0;
}

void gate_caller_enter(struct gate_caller *caller)
{
        caller->connected = true;
        caller->gate->counts.connections++;
        caller->gate->counts.connections_total++;
}

void gate_caller_leave(struct gate_caller *caller)
{
        struct list *link;

        if (caller->connected)
                caller->gate->counts.connections--;
        caller->connected = false;
        while ((link = list_take_first(&caller->requests)))
                gate_request_abandon(gate_request_from_link(link));
}

struct gate_caller *gate_caller_free(struct gate_caller *caller)
{
        if (!caller)
                return NULL;
        gate_caller_leave(caller);
        free(caller);
        return NULL;
}
