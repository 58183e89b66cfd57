/* agent/gate/caller.h - a client that is logged in, or was when it left its will behind. */
#pragma once

#include "access/mqtt-client.h"
#include "agent/gate/gate-internal.h"
#include "agent/gate/topics.h"
#include "command/session.h"
#include "mqtt/hooks.h"

struct gate_caller {
        struct gate *gate;
        struct command_session session;
        struct list requests; /* struct gate_request under way */
        size_t requests_count;
        struct mqtt_text client_id;      /* the end of: */
        struct mqtt_text response_topic; /* "pi/rpc/response/CLIENTID" */
        bool has_response_topic;         /* its client id can be part of one */
        struct access_client *rights;    /* NULL: not let in yet */
        bool connected;                  /* and counted as that */
        char texts[];                    /* the topic, and where it comes from, terminated */
};

/* One whose principal is not known yet. -ENOMEM. */
int gate_caller_new(struct gate *gate, const struct mqtt_who *who, struct gate_caller **ret);
/* Nobody waits for what is under way any more. NULL is fine. */
struct gate_caller *gate_caller_free(struct gate_caller *caller);
/* Who it is. `owned`: there is somebody of that name, not anybody. -ENOMEM. */
int gate_caller_know(struct gate_caller *caller, const struct command_principal *principal,
                     enum access_known_by known_by, bool owned);
/* What users and rules say of it now: its principal has another role, or none. */
void gate_caller_refresh(struct gate_caller *caller);
/* What rules say of a topic that is not ours; of ours they say nothing. */
bool gate_caller_may(struct gate_caller *caller, enum acl_access access, struct mqtt_text topic);
bool gate_caller_may_subscribe(struct gate_caller *caller, struct mqtt_text filter);
/* It is let in. */
void gate_caller_enter(struct gate_caller *caller);
/* The connection is gone: what is under way is carried out, and not answered. */
void gate_caller_leave(struct gate_caller *caller);

static inline struct gate_reader gate_caller_reader(const struct gate_caller *caller)
{
        return (struct gate_reader){caller->session.principal.role, caller->client_id};
}
