/* host/host.h - the conversation with the agent: load once, then one call after the
 * other. docs/host-protocol.md. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "host/channel.h"

#include <pifleet/handler.h>

enum { HOST_PROTOCOL_VERSION = 1 };

struct host {
        struct host_channel channel;
        struct buffer out;
        const struct pifleet_module *module;
};

/* Takes `protocol_fd` over. -errno of host_channel_init(). */
int host_init(struct host *host, int protocol_fd);
void host_done(struct host *host);

/* Talks until the agent closes its end, which is 0, or the module could not be
 * loaded, which is 0 too: the agent was told. Takes `module_fd` over. -EBADMSG with a
 * sentence: the agent does not keep to the protocol; -ENOMEM; -errno of the channel. */
int host_serve(struct host *host, int module_fd, struct error *error);
