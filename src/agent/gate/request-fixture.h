/* agent/gate/request-fixture.h - for tests of requests: a client that follows its replies. */
#pragma once

#include "agent/gate/gate-fixture.h"
#include "agent/gate/gate-internal.h"

#define PONG "{\"success\":true,\"type\":\"pong\",\"timestamp\":"
#define PING "'{\"command\":\"ping\"}'"

/* `a`, with QoS `qos`, a digit. */
#define FOLLOW_REPLIES(qos)                                                                        \
        "a> " LOGIN_5("a") "a< " WELCOME_5 "a> 82{0001 () [pi/rpc/response/a/#] 0" qos "}\n"       \
                           "a< 90{0001 () 0" qos "}\n"

static inline void begin(struct fixture *f)
{
        fixture_open(f);
        conversation_run(&f->talk, FOLLOW_REPLIES("2"));
}
