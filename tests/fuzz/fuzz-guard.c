/* Fuzzes what agent and supervisor say to each other, and the supervisor's record.
 *
 * The first byte is a message's type and the second its count of descriptors; type
 * 0 is the record of all holds. Whatever is taken is what the rest of the program
 * relies on, and can be made safe by a kernel that refuses everything. */
#include "fuzz/fuzz.h"
#include "fuzz/ipc-message.h"
#include "ipc/guard.h"
#include "supervisor/hold.h"
#include "supervisor/run-file.h"

#include <errno.h>
#include <string.h>

static int refuse_get(int fd, uint64_t mask, uint64_t *ret)
{
        MUST(mask != 0);
        return -EINVAL;
}

static int take_get(int fd, uint64_t mask, uint64_t *ret)
{
        MUST(mask != 0);
        *ret = mask;
        return 0;
}

static int refuse_set(int fd, uint64_t mask, uint64_t values)
{
        MUST(mask != 0 && (values & ~mask) == 0);
        return -EPERM;
}

static int check_config(int fd, const struct gpio_v2_line_config *config)
{
        MUST(config->num_attrs <= GPIO_V2_LINE_NUM_ATTRS_MAX);
        for (unsigned i = 0; i < config->num_attrs; i++)
                MUST(config->attrs[i].mask != 0);
        return -EINVAL;
}

static int refuse_request(const char *chip, struct gpio_v2_line_request *request)
{
        MUST(chip[0] == '/');
        MUST(request->num_lines > 0 && request->num_lines <= GUARD_LINES_MAX);
        (void)check_config(0, &request->config);
        return -EBUSY;
}

static int refuse_pwm(int fd)
{
        return -EIO;
}

static int refuse_open(const char *folder)
{
        MUST(folder[0] == '/');
        return -ENOENT;
}

static void check_hold(const struct guard_hold *hold)
{
        static const struct line_driver none = {refuse_get,     refuse_set, check_config,
                                                refuse_request, refuse_pwm, refuse_pwm,
                                                refuse_open};
        struct line_driver reads = none;
        struct hold_result result = {0}, taken = {0};

        reads.get_values = take_get;
        MUST(hold->lines_count > 0 && hold->lines_count <= GUARD_LINES_MAX);
        MUST(memchr(hold->consumer, '\0', sizeof(hold->consumer)) != NULL);
        MUST(memchr(hold->chip, '\0', sizeof(hold->chip)) != NULL);
        MUST(hold_verify(&none, hold, 0) < 0);
        (void)hold_verify(&reads, hold, 0);
        if (!hold_switch(&reads, hold, 0, &result))
                hold_reconfigure(&reads, hold, 0, &result);
        MUST(result.driven == 0 && result.kept + result.failed == hold->lines_count);
        hold_take_over(&none, hold, &taken);
        MUST(taken.driven == 0 && taken.kept + taken.failed + taken.busy == hold->lines_count);
}

static void fuzz_message(const uint8_t *bytes, size_t count)
{
        struct ipc_message message;

        if (!ipc_message_of(bytes, count, &message) || guard_message_check(&message) < 0)
                return;
        MUST(message.type >= GUARD_HELLO && message.type <= GUARD_STOPPING);
        if (message.type == GUARD_HOLD || message.type == GUARD_RETURN)
                check_hold((const void *)message.payload);
}

static void fuzz_record(const uint8_t *bytes, size_t count)
{
        struct guard_hold *holds = calloc(GUARD_HOLDS_MAX, sizeof(*holds));
        size_t holds_count = 0;

        MUST(holds != NULL);
        if (run_file_decode(bytes, count, holds, &holds_count) == 0)
                for (size_t i = 0; i < holds_count; i++)
                        check_hold(&holds[i]);
        free(holds);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
        if (count < 2)
                return 0;
        if (bytes[0] == 0)
                fuzz_record(bytes + 2, count - 2);
        else
                fuzz_message(bytes, count);
        return 0;
}
