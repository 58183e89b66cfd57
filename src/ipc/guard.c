#include "ipc/guard.h"

#include <errno.h>
#include <linux/gpio.h>
#include <stdbool.h>
#include <string.h>

/* Terminated, not empty, printable ASCII, nothing hidden behind its end. */
static bool text_is_plain(const char *text, size_t size)
{
        size_t length = strnlen(text, size);

        if (length == 0 || length == size)
                return false;
        for (size_t i = 0; i < length; i++)
                if (text[i] < ' ' || text[i] > '~')
                        return false;
        for (size_t i = length; i < size; i++)
                if (text[i] != '\0')
                        return false;
        return true;
}

static bool path_is_plain(const char *path)
{
        return text_is_plain(path, GUARD_PATH_MAX) && path[0] == '/' && !strstr(path, "/../");
}

static bool line_is_sound(const struct guard_hold *hold, size_t i)
{
        const uint64_t directions = GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_OUTPUT;

        if (hold->kind == GUARD_KIND_PWM)
                return hold->flags[i] == 0 &&
                       (hold->actions[i] == GUARD_OFF || hold->actions[i] == GUARD_KEEP);
        if (hold->actions[i] > GUARD_INPUT || (hold->flags[i] & directions) == directions)
                return false;
        for (size_t j = 0; j < i; j++)
                if (hold->offsets[j] == hold->offsets[i])
                        return false;
        if (hold->actions[i] == GUARD_OFF || hold->actions[i] == GUARD_ON)
                return hold->flags[i] & GPIO_V2_LINE_FLAG_OUTPUT;
        return true;
}

int guard_hold_check(const struct guard_hold *hold)
{
        const size_t max = hold->kind == GUARD_KIND_PWM ? 1 : GUARD_LINES_MAX;

        if ((hold->kind != GUARD_KIND_LINES && hold->kind != GUARD_KIND_PWM) ||
            hold->lines_count == 0 || hold->lines_count > max)
                return -EINVAL;
        if (!text_is_plain(hold->consumer, sizeof(hold->consumer)) || !path_is_plain(hold->chip))
                return -EINVAL;
        for (size_t i = 0; i < hold->lines_count; i++)
                if (!line_is_sound(hold, i))
                        return -EINVAL;
        for (size_t i = hold->lines_count; i < GUARD_LINES_MAX; i++)
                if (hold->offsets[i] != 0 || hold->actions[i] != 0 || hold->flags[i] != 0)
                        return -EINVAL;
        return 0;
}

static int check_shape(const struct ipc_message *message)
{
        static const struct {
                uint16_t length;
                uint8_t descriptors;
        } shapes[] = {
                [GUARD_HELLO] = {sizeof(struct guard_hello), 0},
                [GUARD_WELCOME] = {sizeof(struct guard_welcome), 0},
                [GUARD_HOLD] = {sizeof(struct guard_hold), 1},
                [GUARD_LET_GO] = {sizeof(struct guard_let_go), 0},
                [GUARD_ACK] = {sizeof(struct guard_answer), 0},
                [GUARD_REFUSED] = {sizeof(struct guard_answer), 0},
                [GUARD_RETURN] = {sizeof(struct guard_hold), 1},
                [GUARD_STOPPING] = {0, 0},
        };

        if (message->type < GUARD_HELLO || message->type >= ARRAY_SIZE(shapes) ||
            message->length != shapes[message->type].length ||
            message->descriptors_count != shapes[message->type].descriptors)
                return -EPROTO;
        return 0;
}

static int check_answer(const struct ipc_message *message)
{
        const struct guard_answer *answer = (const void *)message->payload;
        bool refused = message->type == GUARD_REFUSED;

        /* 4095: the largest error the kernel has room for. */
        if (answer->reserved != 0 || answer->error > 0 || answer->error < -4095 ||
            refused != (answer->error < 0))
                return -EPROTO;
        return 0;
}

int guard_message_check(const struct ipc_message *message)
{
        const void *payload = message->payload;
        const struct guard_hello *hello = payload;
        const struct guard_welcome *welcome = payload;
        int r = check_shape(message);

        if (r < 0)
                return r;
        if (message->type == GUARD_HELLO)
                return hello->version == GUARD_VERSION ? 0 : -EPROTO;
        if (message->type == GUARD_WELCOME)
                return welcome->version == GUARD_VERSION && welcome->returned <= GUARD_HOLDS_MAX
                               ? 0
                               : -EPROTO;
        if (message->type == GUARD_HOLD)
                return guard_hold_check(payload);
        if (message->type == GUARD_RETURN)
                return guard_hold_check(payload) < 0 ? -EPROTO : 0;
        if (message->type == GUARD_ACK || message->type == GUARD_REFUSED)
                return check_answer(message);
        return 0;
}
