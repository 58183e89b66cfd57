/* agent/transports.h - the ways in to the registry: the command server, MQTT and HTTP, and what
 * they have in common: the memory of their peers, the certificate, who a stranger is. */
#pragma once

#include "agent/access/access.h"
#include "agent/builtin/builtin.h"
#include "agent/capacity.h"
#include "agent/config.h"
#include "base/log.h"
#include "command/registry.h"

/* What they need of the others; all of it outlives them. */
struct transports_setup {
        const struct agent_config *config;
        struct loop *loop;
        struct log *log;
        struct command_registry *registry;
        struct access *access;   /* knows who a caller is */
        struct builtin *builtin; /* has figures for HTTP */
};

typedef void transports_stopped_fn(void *owner);

struct transports {
        struct transports_setup setup;
        struct capacity capacity;
        struct net_context *net;
        struct net_tls *tls; /* NULL: nobody asks for it */
        struct ndjson_server *server;
        struct gate *gate; /* NULL: no MQTT */
        struct web *web;   /* NULL: no HTTP */
        unsigned running;  /* that have not stopped yet */
        transports_stopped_fn *stopped;
        void *owner; /* of `stopped` */
};

/* Serves from here on. One whose port another program has is left out, but for the command server,
 * and the log says so. -errno; `error` holds a sentence, or is as it was where there is nothing
 * more to say. *transports, all zero before, is to be done in each case. */
int transports_open(struct transports *transports, const struct transports_setup *setup,
                    struct error *error);
/* Closes what is left at once. */
void transports_done(struct transports *transports);

/* Reads again what may change meanwhile: the certificate, users and rules of MQTT. Connections go
 * on with what they began with; what cannot be read stays as it was, and the log says so. 0, or
 * -errno of the first that could not, with a sentence. */
int transports_read_again(struct transports *transports, struct error *error);

/* Takes no more requests; once those under way are answered, connections close. `stopped` is
 * called when all are gone, perhaps at once. */
void transports_stop(struct transports *transports, transports_stopped_fn *stopped, void *owner);
