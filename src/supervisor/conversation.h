/* supervisor/conversation.h - our side of ipc/guard.h with one life of the agent:
 * what it says changes the table of holds and is answered. */
#pragma once

#include "ipc/guard.h"
#include "supervisor/hold-table.h"

#include <stdbool.h>

struct conversation {
        struct ipc_channel *channel; /* borrowed, as the table */
        struct hold_table *table;
        bool greeted;  /* HELLO came and was answered */
        bool stopping; /* STOPPING came: its end is wanted */
};

/* Takes what waits on the channel, at most some dozen messages. 1: more may come;
 * 0: the agent closed its end; -EPROTO: it does not keep to the protocol;
 * -EAGAIN: it does not read our answers, which can be at most a few; -errno. */
int conversation_run(struct conversation *conversation);
