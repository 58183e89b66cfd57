#include "agent/handler/validation.h"

#include "agent/handler/source-text.h"
#include "base/attributes.h"
#include "base/buffer.h"
#include "data/json.h"
#include "loop/io.h"
#include "loop/timer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { REPORT_DEPTH = 16, READ_SIZE = 16 << 10, WHY_MAX = 255, READS = 64 };

struct validation {
        struct spawner_program program;
        struct loop_io io;
        int fd; /* of its output; -1: at its end */
        struct buffer report;
        struct loop_timer deadline;
        struct diagnosis *diagnosis;
        validation_done_fn *done;
        void *owner;
        bool too_long;
        unsigned limit_ms;
        const char *name; /* for sentences */
};

static void memory_free(struct loop_io *io)
{
        free(container_of(io, struct validation, io));
}

static void tell(struct validation *validation, enum validation_verdict verdict, const char *format,
                 ...) PRINTF_LIKE(3, 4);

/* The owner may free it in there. */
static void tell(struct validation *validation, enum validation_verdict verdict, const char *format,
                 ...)
{
        char why[WHY_MAX + 1];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(why, sizeof(why), format, arguments);
        va_end(arguments);
        loop_timer_stop(&validation->deadline);
        spawner_forget(&validation->program);
        validation->done(validation->owner, verdict, why);
}

/* --- what it said ------------------------------------------------------------------------ */

static void read_report(struct validation *validation, unsigned reads)
{
        while (reads-- > 0 && !validation->too_long) {
                struct buffer *report = &validation->report;
                ssize_t count;

                if (buffer_reserve(report, READ_SIZE) < 0) {
                        validation->too_long = true;
                        return;
                }
                count = read(validation->fd, buffer_data(report) + buffer_length(report),
                             READ_SIZE);
                if (count <= 0) {
                        if (count == 0)
                                loop_io_watch(&validation->io, 0);
                        return;
                }
                buffer_commit(report, (size_t)count);
        }
}

static void on_readable(struct loop_io *io, unsigned events)
{
        (void)events;
        read_report(container_of(io, struct validation, io), 1);
}

static void judge(struct validation *validation)
{
        const struct buffer *report = &validation->report;
        AUTO_JSON cJSON *tree = NULL;
        bool valid;

        if (validation->too_long ||
            json_parse(buffer_data(report), buffer_length(report), REPORT_DEPTH, &tree, NULL) < 0 ||
            !json_get_bool(tree, "valid", &valid)) {
                tell(validation, VALIDATION_FAILED, "the %s's answer cannot be understood",
                     validation->name);
                return;
        }
        if (valid)
                tell(validation, VALIDATION_PASSED, "%s", "");
        else if (diagnosis_add_report(validation->diagnosis, tree) < 0)
                tell(validation, VALIDATION_FAILED, "the %s refuses it and says not why",
                     validation->name);
        else
                tell(validation, VALIDATION_REFUSED, "%s", "");
}

/* --- its life ---------------------------------------------------------------------------- */

static void on_ended(struct validation *validation, const struct sandbox_event *event)
{
        int status = event->wait_status;

        read_report(validation, READS);
        if (event->end == SANDBOX_END_MEMORY)
                tell(validation, VALIDATION_FAILED, "the %s needed too much memory for it",
                     validation->name);
        else if (WIFSIGNALED(status))
                tell(validation, VALIDATION_FAILED, "the %s was killed by SIG%s", validation->name,
                     sigabbrev_np(WTERMSIG(status)) ? sigabbrev_np(WTERMSIG(status)) : "?");
        else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                tell(validation, VALIDATION_FAILED, "the %s ended with status %d", validation->name,
                     WIFEXITED(status) ? WEXITSTATUS(status) : -1);
        else
                judge(validation);
}

static void on_program(struct spawner_program *program, const struct sandbox_event *event)
{
        struct validation *validation = container_of(program, struct validation, program);
        char why[SPAWNER_WHY_MAX + 1];

        switch (event->kind) {
        case SANDBOX_STARTED:
                loop_timer_start(&validation->deadline, validation->limit_ms);
                return;
        case SANDBOX_FAILED:
                spawner_failure_text(event, why, sizeof(why));
                tell(validation, VALIDATION_FAILED, "the %s could not be started: %s",
                     validation->name, why);
                return;
        case SANDBOX_GONE:
                tell(validation, VALIDATION_FAILED, "the %s went with its spawner",
                     validation->name);
                return;
        case SANDBOX_ENDED:
                on_ended(validation, event);
                return;
        case SANDBOX_USAGE:
        case SANDBOX_READY:
                return;
        }
}

static void on_deadline(struct loop_timer *timer)
{
        tell(container_of(timer, struct validation, deadline), VALIDATION_FAILED,
             "the %s did not come to an end within %u s",
             container_of(timer, struct validation, deadline)->name,
             container_of(timer, struct validation, deadline)->limit_ms / 1000);
}

static int open_report(struct validation *validation, struct loop *loop, int *ret_theirs)
{
        int ends[2], r;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        *ret_theirs = ends[1];
        r = loop_io_open(&validation->io, loop, ends[0], on_readable);
        if (r < 0) {
                close(ends[0]);
                return r;
        }
        validation->fd = ends[0];
        loop_io_watch(&validation->io, LOOP_READABLE);
        return 0;
}

int validation_start(const struct validation_setup *setup, validation_done_fn *done, void *owner,
                     struct validation **ret)
{
        struct validation *validation = calloc(1, sizeof(*validation));
        AUTO_CLOSE int source = -1, theirs = -1;
        int r;

        if (!validation)
                return -ENOMEM;
        validation->fd = -1;
        validation->diagnosis = setup->diagnosis;
        validation->done = done;
        validation->owner = owner;
        validation->limit_ms =
                launch_is_compiled(setup->filename) ? VALIDATION_COMPILE_MS : VALIDATION_MS;
        validation->name = launch_is_compiled(setup->filename) ? "compiler" : "validator";
        buffer_init(&validation->report, VALIDATION_REPORT_MAX);
        loop_timer_init(&validation->deadline, setup->loop, on_deadline);
        r = source_text_reopen(setup->code_fd, &source);
        if (r == 0)
                r = open_report(validation, setup->loop, &theirs);
        if (r == 0) {
                const int descriptors[3] = {source, theirs, setup->object_fd};

                r = launch_check(setup->launch, setup->spawner, setup->filename, descriptors,
                                 &validation->program, on_program);
        }
        if (r < 0) {
                validation_free(validation);
                return r;
        }
        loop_timer_start(&validation->deadline, VALIDATION_START_MS);
        *ret = validation;
        return 0;
}

struct validation *validation_free(struct validation *validation)
{
        if (!validation)
                return NULL;
        loop_timer_stop(&validation->deadline);
        spawner_forget(&validation->program);
        buffer_done(&validation->report);
        if (validation->fd < 0) {
                free(validation);
                return NULL;
        }
        loop_io_close(&validation->io, memory_free);
        close(validation->fd);
        return NULL;
}
