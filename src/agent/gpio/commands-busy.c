/* Who has the pin? Its name is the kernel's to tell at once; which process that is takes
 * a walk through all of them, which is done aside (loop/work.h): neither pins nor other
 * clients wait for it. */
#include "agent/gpio/commands-internal.h"
#include "agent/gpio/line-holder.h"
#include "base/attributes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SEARCH_MS = 200 };

/* Values alone while it runs. */
struct search {
        struct loop_job job;
        struct gpio_commands *commands;
        struct command_request *request;
        unsigned pin;
        char consumer[GPIO_NAME_MAX];
        int64_t pid; /* 0: not known, or the kernel itself */
};

static void reply(const struct search *search)
{
        const char *consumer = search->consumer[0] != '\0' ? search->consumer : "?";
        struct json_writer *writer;
        char process[32] = "";

        if (search->pid > 0)
                snprintf(process, sizeof(process), " (process %" PRId64 ")", search->pid);
        writer = command_reply_open_failure(
                search->request, COMMAND_PIN_IN_USE,
                "GPIO%u is in use by \"%s\"%s; free it there, or use another pin", search->pin,
                consumer, process);
        json_write_integer(writer, "pin", search->pin);
        json_write_string(writer, "consumer", consumer);
        if (search->pid > 0)
                json_write_integer(writer, "pid", search->pid);
        json_write_bool(writer, "simulated", search->commands->simulated);
        command_reply_send(search->request);
}

static void search_run(struct loop_job *job)
{
        struct search *search = container_of(job, struct search, job);

        (void)gpio_line_holder_find(search->commands->processes, search->commands->chip,
                                    search->pin, SEARCH_MS, &search->pid);
}

static void search_done(struct loop_job *job)
{
        struct search *search = container_of(job, struct search, job);

        reply(search);
        free(search);
}

void gpio_command_reply_busy(struct gpio_commands *commands, struct command_request *request,
                             const struct gpio_result *result)
{
        struct search found = {.job = {.run = search_run, .done = search_done},
                               .commands = commands,
                               .request = request,
                               .pin = result->pin};
        struct search *search;

        memcpy(found.consumer, result->consumer, sizeof(found.consumer));
        search = commands->simulated ? NULL : malloc(sizeof(*search));
        if (search) {
                *search = found;
                if (loop_work_submit(commands->searches, &search->job) == 0)
                        return;
                free(search);
        }
        reply(&found);
}
