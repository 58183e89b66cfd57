#include "agent/gate/caller.h"

#include "agent/gate/request.h"
#include "proto/mqtt/topic.h"

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

int gate_caller_know(struct gate_caller *caller, const struct command_principal *principal,
                     enum access_known_by known_by, bool owned)
{
        const char *role = command_role_name(principal->role);
        struct mqtt_text user = {principal->name, owned ? (uint16_t)strlen(principal->name) : 0};
        int r = access_client_new(&caller->gate->rules, user, (struct mqtt_text){"", 0},
                                  &caller->rights);

        if (r < 0)
                return r;
        caller->rights->known_by = known_by;
        caller->rights->own_role = role;
        caller->session.principal = *principal;
        return 0;
}

void gate_caller_refresh(struct gate_caller *caller)
{
        struct access_client *rights = caller->rights;
        enum command_role role = COMMAND_ROLE_NONE;

        if (rights->generation == rights->rules->generation)
                return;
        access_client_refresh(rights);
        if (rights->known_by != ACCESS_KNOWN_BY_PASSWORD)
                return;
        if (!rights->gone)
                command_role_parse(rights->role.bytes, &role); /* the table's: terminated */
        caller->session.principal.role = role;
}

static bool is_ours(const struct gate_caller *caller, struct mqtt_text name)
{
        enum gate_place place = gate_topics_place(&caller->gate->topics, name);

        return place != GATE_PLACE_OUTSIDE && place != GATE_PLACE_SYSTEM;
}

bool gate_caller_may(struct gate_caller *caller, enum acl_access access, struct mqtt_text topic)
{
        if (caller->rights->gone)
                return false;
        return !caller->rights->rules->acl || is_ours(caller, topic) ||
               access_client_may(caller->rights, caller->gate->topic_hash, caller->client_id,
                                 access, topic);
}

bool gate_caller_may_subscribe(struct gate_caller *caller, struct mqtt_text filter)
{
        struct mqtt_text share, rest;

        if (mqtt_topic_filter_split_shared(filter, &share, &rest))
                filter = rest;
        if (caller->rights->gone)
                return false;
        return is_ours(caller, filter) ||
               access_client_may_subscribe(caller->rights, caller->client_id, filter);
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
        access_client_free(caller->rights);
        free(caller);
        return NULL;
}
