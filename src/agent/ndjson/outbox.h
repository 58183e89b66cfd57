/* agent/ndjson/outbox.h - replies in the order of their requests.
 *
 * A request takes a slot before it is dispatched. A reply that comes when all
 * earlier ordered ones are out goes straight to the stream; another waits in its
 * slot. Requests with an `id` are not ordered: theirs overtake. */
#pragma once

#include "base/list.h"
#include "command/request.h"
#include "net/stream.h"

struct ndjson_outbox;

struct ndjson_slot {
        struct list link;
        struct ndjson_outbox *outbox;
        struct command_request *request; /* NULL: answered, or not known yet */
        bool ordered;
        bool answered;
        char *text; /* the reply that waits */
        size_t length;
};

struct ndjson_outbox {
        struct net_stream *stream;
        struct net_budget *budget;
        struct list ordered;   /* slots whose replies must wait for one another */
        struct list unordered; /* slots of requests with an id, under way */
        size_t pending;        /* requests whose reply has not gone to the stream */
        uint64_t bytes;        /* that went to the stream in all */
};

void ndjson_outbox_init(struct ndjson_outbox *outbox, struct net_stream *stream,
                        struct net_budget *budget);
/* Nobody reads any more: abandons the requests that are under way. */
void ndjson_outbox_done(struct ndjson_outbox *outbox);

/* Before dispatch. */
void ndjson_slot_open(struct ndjson_slot *slot, struct ndjson_outbox *outbox, bool ordered);
/* After dispatch, for a request that goes on. */
void ndjson_slot_wait(struct ndjson_slot *slot, struct command_request *request);
/* The reply of the slot, newline included; without a byte: there was no memory for one. 1: sent,
 * the slot is the caller's again; 0: kept until its turn. -ENOMEM, -ENOBUFS: neither; the slot is
 * the caller's, who closes. */
int ndjson_slot_answer(struct ndjson_slot *slot, const char *line, size_t length);
