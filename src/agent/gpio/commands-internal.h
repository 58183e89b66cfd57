/* agent/gpio/commands-internal.h - what the files of the commands share: commands.c
 * (levels, status, tests) and commands-pwm.c. */
#pragma once

#include "agent/gpio/commands.h"
#include "agent/gpio/pwm-software.h"
#include "command/reply.h"
#include "data/json.h"
#include "loop/work.h"

struct gpio_commands {
        struct command_registry *registry;
        struct gpio_worker *worker;
        struct loop_work *searches; /* for the holders of pins */
        char chip[GPIO_NAME_MAX];
        const char *processes;
        bool simulated;
        /* As told last. */
        unsigned warnings[GPIO_LINES_MAX];
        uint64_t edges_lost[GPIO_LINES_MAX];
};

enum { TAG_COMMANDS = 1 }; /* of all jobs that come from commands */

/* 0: *ret is a pin of the header. Else the request has its reply. */
int gpio_command_take_pin(struct command_request *request, const cJSON *argument, unsigned *ret);
/* What a job needs in any case; all else is zero. */
struct gpio_job gpio_command_job(enum gpio_job_kind kind, const char *cause);
/* What `run` returns: the reply comes with the result, to `done`, whose context is
 * the request and whose owner `commands`. */
int gpio_command_submit(struct gpio_commands *commands, struct command_request *request,
                        const struct gpio_job *job, gpio_worker_done_fn *done);
/* The reply of `done`, to be filled in and then ended; NULL: the result was a failure, and
 * the request has its reply. */
struct json_writer *gpio_command_reply(struct gpio_commands *commands,
                                       struct command_request *request,
                                       const struct gpio_result *result);
void gpio_command_reply_end(struct gpio_commands *commands, struct command_request *request,
                            struct json_writer *writer);
/* `wait`: how long the job waits for a pin that somebody else holds, on top of what the
 * command takes anyway. */
void gpio_command_take_wait(struct command_request *request, struct gpio_job *job);

/* commands-busy.c */

/* How many may wait for theirs: others have no `pid` in their reply. */
enum { GPIO_SEARCHES_WAITING = 16 };

/* The result is -EBUSY: replies, as soon as it is known which process has the pin. */
void gpio_command_reply_busy(struct gpio_commands *commands, struct command_request *request,
                             const struct gpio_result *result);

/* commands-event.c */

void gpio_commands_publish(void *commands, const struct gpio_pin_change *change);
/* The names of what is wrong with a pin, as a member of the open object; none when
 * nothing is. */
void gpio_commands_write_warnings(struct json_writer *writer, unsigned warnings,
                                  uint64_t edges_lost);

/* commands-pwm.c */

extern const struct command gpio_pwm_commands[];
extern const size_t gpio_pwm_commands_count;

/* What is alike in their schemas. */

#define PIN_SCHEMA(text)                                                                           \
        "\"pin\":{\"type\":[\"integer\",\"string\"],"                                              \
        "\"description\":\"" text "BCM number, or a name: \\\"GPIO17\\\", \\\"BOARD11\\\", "       \
        "\\\"J8:11\\\", \\\"WPI0\\\"\",\"examples\":[17,\"GPIO17\",\"BOARD11\"]}"

#define WAIT_SCHEMA                                                                                \
        "\"wait\":{\"type\":\"number\",\"minimum\":0,\"maximum\":60,\"default\":0,"                \
        "\"description\":\"seconds to wait for a pin that somebody else holds\"}"
