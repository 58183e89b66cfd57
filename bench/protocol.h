/* bench/protocol.h - what the generator says to a server, and what it expects.
 *
 * A protocol fits when one request has one reply, replies come in order, and
 * a reply ends with its only newline, or all are HTTP answers of one length. A new one is a new row
 * in protocol.c. */
#pragma once

#include <stdbool.h>

struct protocol {
        const char *name;
        const char *request;  /* NULL: to be given */
        const char *other;    /* sent in turn with it, and of its length; NULL: none */
        const char *expected; /* every reply contains this */
        bool replies_have_one_length;
};

/* NULL: there is none of that name. */
const struct protocol *protocol_find(const char *name);
/* All names, for messages: "json, resp, ...". */
const char *protocol_names(void);
