#include "ipc/guard.h"

#include "support/test.h"

#include <errno.h>
#include <linux/gpio.h>
#include <stdio.h>

static struct guard_hold sound(void)
{
        return (struct guard_hold){
                .id = 1,
                .kind = GUARD_KIND_LINES,
                .lines_count = 2,
                .consumer = "pifleet:motor",
                .chip = "/dev/gpiochip0",
                .offsets = {17, 27},
                .actions = {GUARD_OFF, GUARD_INPUT},
                .flags = {GPIO_V2_LINE_FLAG_OUTPUT,
                          GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_BIAS_PULL_UP},
        };
}

static struct guard_hold sound_pwm(void)
{
        return (struct guard_hold){
                .id = 2,
                .kind = GUARD_KIND_PWM,
                .lines_count = 1,
                .consumer = "pifleet:servo",
                .chip = "/sys/class/pwm/pwmchip0/pwm1",
                .offsets = {1},
                .actions = {GUARD_OFF},
        };
}

static void fill(struct ipc_message *message, uint16_t type, const void *payload, size_t length,
                 uint8_t descriptors)
{
        *message = (struct ipc_message){
                .type = type, .length = (uint16_t)length, .descriptors_count = descriptors};
        memcpy(message->payload, payload, length);
}

TEST(a_sound_hold_passes)
{
        struct guard_hold hold = sound(), pwm = sound_pwm();

        CHECK_EQ(guard_hold_check(&hold), 0);
        CHECK_EQ(guard_hold_check(&pwm), 0);
        pwm.actions[0] = GUARD_KEEP;
        CHECK_EQ(guard_hold_check(&pwm), 0);
}

TEST(all_lines_of_a_request_may_be_held)
{
        struct guard_hold hold = sound();

        hold.lines_count = GUARD_LINES_MAX;
        for (uint32_t i = 0; i < GUARD_LINES_MAX; i++) {
                hold.offsets[i] = i;
                hold.actions[i] = GUARD_KEEP;
                hold.flags[i] = GPIO_V2_LINE_FLAG_OUTPUT;
        }
        CHECK_EQ(guard_hold_check(&hold), 0);
        hold.offsets[63] = 0;
        CHECK_EQ(guard_hold_check(&hold), -EINVAL);
}

static void break_kind(struct guard_hold *h)
{
        h->kind = 3;
}
static void break_kind_zero(struct guard_hold *h)
{
        h->kind = 0;
}
static void break_no_lines(struct guard_hold *h)
{
        h->lines_count = 0;
}
static void break_many_lines(struct guard_hold *h)
{
        h->lines_count = GUARD_LINES_MAX + 1;
}
static void break_count(struct guard_hold *h)
{
        h->lines_count = UINT32_MAX;
}
static void break_action(struct guard_hold *h)
{
        h->actions[1] = GUARD_INPUT + 1;
}
static void break_input_off(struct guard_hold *h)
{
        h->actions[1] = GUARD_OFF;
}
static void break_input_on(struct guard_hold *h)
{
        h->actions[1] = GUARD_ON;
}
static void break_both(struct guard_hold *h)
{
        h->flags[0] |= GPIO_V2_LINE_FLAG_INPUT;
}
static void break_twice(struct guard_hold *h)
{
        h->offsets[1] = h->offsets[0];
}
static void break_no_consumer(struct guard_hold *h)
{
        memset(h->consumer, 0, GUARD_NAME_MAX);
}
static void break_long_consumer(struct guard_hold *h)
{
        memset(h->consumer, 'x', GUARD_NAME_MAX);
}
static void break_hidden(struct guard_hold *h)
{
        h->consumer[20] = 'x';
}
static void break_control(struct guard_hold *h)
{
        h->consumer[2] = '\n';
}
static void break_latin(struct guard_hold *h)
{
        h->consumer[2] = (char)0xe4;
}
static void break_long_path(struct guard_hold *h)
{
        memset(h->chip, '/', GUARD_PATH_MAX);
}
static void break_relative(struct guard_hold *h)
{
        h->chip[0] = 'x';
}
static void break_up(struct guard_hold *h)
{
        memcpy(h->chip, "/dev/../gpioch", 14);
}
static void break_behind(struct guard_hold *h)
{
        h->offsets[2] = 1;
}
static void break_behind_action(struct guard_hold *h)
{
        h->actions[63] = 1;
}
static void break_behind_flags(struct guard_hold *h)
{
        h->flags[2] = 1;
}

TEST(a_hold_that_is_not_as_described_is_refused)
{
        static const struct {
                const char *name;
                void (*break_it)(struct guard_hold *hold);
        } cases[] = {
                {"a kind nobody knows", break_kind},
                {"no kind", break_kind_zero},
                {"no lines", break_no_lines},
                {"too many lines", break_many_lines},
                {"far too many lines", break_count},
                {"an action nobody knows", break_action},
                {"an input that is to be off", break_input_off},
                {"an input that is to be on", break_input_on},
                {"input and output", break_both},
                {"a line twice", break_twice},
                {"no consumer", break_no_consumer},
                {"a consumer without an end", break_long_consumer},
                {"something behind the consumer", break_hidden},
                {"a line break in the consumer", break_control},
                {"not ASCII in the consumer", break_latin},
                {"a path without an end", break_long_path},
                {"a relative path", break_relative},
                {"a path that climbs", break_up},
                {"an offset behind the last line", break_behind},
                {"an action behind the last line", break_behind_action},
                {"flags behind the last line", break_behind_flags},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct guard_hold hold = sound();

                cases[i].break_it(&hold);
                if (guard_hold_check(&hold) != -EINVAL)
                        FAIL("%s: was taken", cases[i].name);
        }
}

TEST(a_pwm_channel_is_one_and_cannot_be_on_or_an_input)
{
        struct guard_hold pwm = sound_pwm();

        pwm.actions[0] = GUARD_ON;
        CHECK_EQ(guard_hold_check(&pwm), -EINVAL);
        pwm.actions[0] = GUARD_INPUT;
        CHECK_EQ(guard_hold_check(&pwm), -EINVAL);
        pwm = sound_pwm();
        pwm.flags[0] = GPIO_V2_LINE_FLAG_OUTPUT;
        CHECK_EQ(guard_hold_check(&pwm), -EINVAL);
        pwm = sound_pwm();
        pwm.lines_count = 2;
        CHECK_EQ(guard_hold_check(&pwm), -EINVAL);
}

TEST(each_message_has_one_size_and_its_descriptors)
{
        const struct guard_hello hello = {.version = GUARD_VERSION, .pid = 1};
        const struct guard_welcome welcome = {.version = GUARD_VERSION};
        const struct guard_hold hold = sound();
        const struct guard_let_go let_go = {.id = 1};
        const struct guard_answer ack = {.id = 1}, refused = {.id = 1, .error = -ENOSPC};
        const struct {
                uint16_t type;
                const void *payload;
                size_t length;
                uint8_t descriptors;
        } cases[] = {
                {GUARD_HELLO, &hello, sizeof(hello), 0},
                {GUARD_WELCOME, &welcome, sizeof(welcome), 0},
                {GUARD_HOLD, &hold, sizeof(hold), 1},
                {GUARD_LET_GO, &let_go, sizeof(let_go), 0},
                {GUARD_ACK, &ack, sizeof(ack), 0},
                {GUARD_REFUSED, &refused, sizeof(refused), 0},
                {GUARD_RETURN, &hold, sizeof(hold), 1},
                {GUARD_STOPPING, "", 0, 0},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct ipc_message message;

                fill(&message, cases[i].type, cases[i].payload, cases[i].length,
                     cases[i].descriptors);
                CHECK_EQ(guard_message_check(&message), 0);
                message.length++;
                CHECK_EQ(guard_message_check(&message), -EPROTO);
                message.length--;
                message.descriptors_count++;
                CHECK_EQ(guard_message_check(&message), -EPROTO);
        }
}

TEST(an_unknown_type_and_values_nobody_sends_end_the_conversation)
{
        const struct guard_hello hello = {.version = GUARD_VERSION + 1};
        const struct guard_welcome welcome = {.version = GUARD_VERSION,
                                              .returned = GUARD_HOLDS_MAX + 1};
        const struct guard_answer kindly_refused = {.id = 1, .error = 0};
        const struct guard_answer failed_ack = {.id = 1, .error = -EIO};
        const struct guard_answer positive = {.id = 1, .error = EIO};
        const struct guard_answer huge = {.id = 1, .error = INT32_MIN};
        const struct guard_answer reserved = {.id = 1, .reserved = 1};
        struct guard_hold hold = sound();
        struct ipc_message message;

        fill(&message, 0, "", 0, 0);
        CHECK_EQ(guard_message_check(&message), -EPROTO);
        fill(&message, GUARD_STOPPING + 1, "", 0, 0);
        CHECK_EQ(guard_message_check(&message), -EPROTO);
        fill(&message, UINT16_MAX, "", 0, 0);
        CHECK_EQ(guard_message_check(&message), -EPROTO);
        fill(&message, GUARD_HELLO, &hello, sizeof(hello), 0);
        CHECK_EQ(guard_message_check(&message), -EPROTO);
        fill(&message, GUARD_WELCOME, &welcome, sizeof(welcome), 0);
        CHECK_EQ(guard_message_check(&message), -EPROTO);
        fill(&message, GUARD_REFUSED, &kindly_refused, sizeof(kindly_refused), 0);
        CHECK_EQ(guard_message_check(&message), -EPROTO);
        fill(&message, GUARD_ACK, &failed_ack, sizeof(failed_ack), 0);
        CHECK_EQ(guard_message_check(&message), -EPROTO);
        fill(&message, GUARD_REFUSED, &positive, sizeof(positive), 0);
        CHECK_EQ(guard_message_check(&message), -EPROTO);
        fill(&message, GUARD_REFUSED, &huge, sizeof(huge), 0);
        CHECK_EQ(guard_message_check(&message), -EPROTO);
        fill(&message, GUARD_ACK, &reserved, sizeof(reserved), 0);
        CHECK_EQ(guard_message_check(&message), -EPROTO);

        /* A wrong HOLD is refused in words, a wrong RETURN ends the talk. */
        hold.kind = 9;
        fill(&message, GUARD_HOLD, &hold, sizeof(hold), 1);
        CHECK_EQ(guard_message_check(&message), -EINVAL);
        fill(&message, GUARD_RETURN, &hold, sizeof(hold), 1);
        CHECK_EQ(guard_message_check(&message), -EPROTO);
}
