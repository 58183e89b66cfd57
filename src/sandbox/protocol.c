#include "sandbox/protocol.h"

#include "sandbox/specification.h"

#include <errno.h>
#include <string.h>

_Static_assert(sizeof(((struct sandbox_message_forget *)0)->name) == SANDBOX_NAME_MAX,
               "room for each name");
_Static_assert(SANDBOX_DESCRIPTORS + 1 <= IPC_DESCRIPTORS_MAX, "a start is one message");

static const uint16_t lengths[] = {
        [SANDBOX_MESSAGE_WELCOME] = sizeof(struct sandbox_message_welcome),
        [SANDBOX_MESSAGE_START] = sizeof(struct sandbox_message_start),
        [SANDBOX_MESSAGE_KILL] = sizeof(struct sandbox_message_id),
        [SANDBOX_MESSAGE_ASK_USAGE] = sizeof(struct sandbox_message_id),
        [SANDBOX_MESSAGE_STARTED] = sizeof(struct sandbox_message_started),
        [SANDBOX_MESSAGE_FAILED] = sizeof(struct sandbox_message_failed),
        [SANDBOX_MESSAGE_ENDED] = sizeof(struct sandbox_message_ended),
        [SANDBOX_MESSAGE_USAGE] = sizeof(struct sandbox_message_usage),
        [SANDBOX_MESSAGE_FORGET] = sizeof(struct sandbox_message_forget),
};

static bool start_is_right(const struct sandbox_message_start *start, unsigned descriptors)
{
        return start->slots < 1U << SANDBOX_DESCRIPTORS && start->reserved == 0 &&
               descriptors == 1U + (unsigned)__builtin_popcount(start->slots);
}

static bool content_is_right(const struct ipc_message *message)
{
        const void *payload = message->payload;
        const struct sandbox_message_welcome *welcome = payload;
        const struct sandbox_message_started *started = payload;
        const struct sandbox_message_failed *failed = payload;
        const struct sandbox_message_ended *ended = payload;
        const struct sandbox_message_forget *forget = payload;

        switch (message->type) {
        case SANDBOX_MESSAGE_WELCOME:
                return welcome->version == SANDBOX_PROTOCOL_VERSION &&
                       welcome->walls < 1U << SANDBOX_WALLS;
        case SANDBOX_MESSAGE_STARTED:
                return started->walls < 1U << SANDBOX_WALLS && started->pid > 0;
        case SANDBOX_MESSAGE_FAILED:
                return failed->error < 0 && failed->error > -4096 && failed->step < SANDBOX_STEPS &&
                       memchr(failed->where, '\0', sizeof(failed->where));
        case SANDBOX_MESSAGE_ENDED:
                return ended->end <= SANDBOX_END_STORAGE;
        case SANDBOX_MESSAGE_FORGET:
                return memchr(forget->name, '\0', sizeof(forget->name)) &&
                       sandbox_name_is_valid(forget->name);
        default:
                return true;
        }
}

int sandbox_message_check(const struct ipc_message *message)
{
        bool right;

        if (message->type == 0 || message->type >= ARRAY_SIZE(lengths) ||
            message->length != lengths[message->type])
                return -EPROTO;
        if (message->type == SANDBOX_MESSAGE_START)
                right = start_is_right((const void *)message->payload, message->descriptors_count);
        else
                right = message->descriptors_count == 0 && content_is_right(message);
        return right ? 0 : -EPROTO;
}
