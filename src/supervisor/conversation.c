#include "supervisor/conversation.h"

#include <errno.h>

enum { MESSAGES_AT_ONCE = 32 };

static int say(struct conversation *c, uint16_t type, const void *payload, size_t length)
{
        return ipc_send(c->channel, type, payload, length, NULL, 0);
}

static int answer(struct conversation *c, uint64_t id, int error)
{
        const struct guard_answer answer = {.id = id, .error = error};

        return say(c, error < 0 ? GUARD_REFUSED : GUARD_ACK, &answer, sizeof(answer));
}

static int take_hello(struct conversation *c)
{
        struct guard_welcome welcome = {.version = GUARD_VERSION};
        int r = 0;

        if (c->greeted)
                return -EPROTO;
        for (size_t i = 0; r == 0 && i < hold_table_count(c->table); i++) {
                int fd;
                const struct guard_hold *hold = hold_table_at(c->table, i, &fd);

                r = ipc_send(c->channel, GUARD_RETURN, hold, sizeof(*hold), &fd, 1);
                welcome.returned++;
        }
        if (r == 0)
                r = say(c, GUARD_WELCOME, &welcome, sizeof(welcome));
        c->greeted = r == 0;
        return r;
}

static int take_hold(struct conversation *c, struct ipc_message *message, int sound)
{
        const struct guard_hold *hold = (const void *)message->payload;
        AUTO_CLOSE int fd = ipc_message_take_descriptor(message);
        int r = sound;

        if (r == 0)
                r = hold_table_put(c->table, hold, fd);
        if (r == 0)
                fd = -1; /* the table's */
        return answer(c, hold->id, r);
}

static int take_message(struct conversation *c, struct ipc_message *message)
{
        const struct guard_let_go *let_go = (const void *)message->payload;
        int r = guard_message_check(message);

        /* A hold that is not sound is refused in words: everything else that is not as
         * agreed ends the conversation. */
        if (r < 0 && !(r == -EINVAL && message->type == GUARD_HOLD))
                return -EPROTO;
        if (message->type == GUARD_HELLO)
                return take_hello(c);
        if (!c->greeted)
                return -EPROTO;
        switch (message->type) {
        case GUARD_HOLD:
                return take_hold(c, message, r);
        case GUARD_LET_GO:
                return answer(c, let_go->id, hold_table_remove(c->table, let_go->id));
        case GUARD_STOPPING:
                c->stopping = true;
                return 0;
        default:
                return -EPROTO; /* what only we say */
        }
}

int conversation_run(struct conversation *c)
{
        for (unsigned i = 0; i < MESSAGES_AT_ONCE; i++) {
                struct ipc_message message;
                int r = ipc_receive(c->channel, &message);

                if (r <= 0)
                        return r == -EAGAIN ? 1 : r;
                r = take_message(c, &message);
                ipc_message_discard(&message);
                if (r < 0)
                        return r;
        }
        return 1;
}
