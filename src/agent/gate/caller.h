/* agent/gate/caller.h - a client that is logged in, or was when it left its will behind. */
#pragma once

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
        bool connected;                  /* and counted as that */
        char texts[];                    /* the topic, and where it comes from, terminated */
};

/* One whose principal is not known yet. -ENOMEM. */
int gate_caller_new(struct gate *gate, const struct mqtt_who *who, struct gate_caller **ret);
/* Nobody waits for what is under way any more. NULL is fine. */
struct gate_caller *gate_caller_free(struct gate_caller *caller);
/* It is let in. */
void gate_caller_enter(struct gate_caller *caller);
/* The connection is gone: what is under way is carried out, and not answered. */
void gate_caller_leave(struct gate_caller *caller);

static inline struct gate_reader gate_caller_reader(const struct gate_caller *caller)
{
        return (struct gate_reader){caller->session.principal.role, caller->client_id};
}
