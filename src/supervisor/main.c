/* pifleet-supervisor: runs the agent and answers for its lines. */
#include "base/cleanup.h"
#include "supervisor/options.h"
#include "supervisor/run-dir.h"
#include "supervisor/safe-state.h"
#include "supervisor/supervisor.h"

#include <errno.h>
#include <stdio.h>

enum { EXIT_USAGE = 2 };

static int complain(const struct error *error, int status)
{
        fprintf(stderr, "pifleet-supervisor: %s\n", error->text);
        return status;
}

/* The lines of a supervisor that lives are its own affair. */
static int run_safe_state(const char *run_dir, struct log *log)
{
        AUTO_CLOSE int fd = -1;
        struct error error;
        int r = run_dir_open(run_dir, &fd, &error);

        if (r == -EBUSY) {
                log_info(log, "safe-state", "nothing to do: the supervisor lives");
                return EXIT_SUCCESS;
        }
        if (r < 0)
                return complain(&error, EXIT_FAILURE);
        return safe_state_run(&line_driver_kernel, fd, log) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run_supervisor(const struct supervisor_options *options, struct log *log)
{
        /* Closed last: the supervisor's end removes the record there. */
        AUTO_CLOSE int fd = -1;
        AUTO(supervisor) struct supervisor *supervisor = NULL;
        struct error error;
        int r;

        r = run_dir_open(options->run_dir, &fd, &error);
        if (r < 0 && (options->run_dir || r == -EBUSY))
                return complain(&error, EXIT_FAILURE);
        if (r < 0)
                log_warning(log, "supervisor",
                            "%s; no record is kept, --safe-state will know of no lines",
                            error.text);
        r = supervisor_new(&line_driver_kernel, fd, log, options->program, &supervisor, &error);
        if (r < 0)
                return complain(&error, EXIT_FAILURE);
        return supervisor_run(supervisor);
}

int main(int argc, char *argv[])
{
        AUTO(log) struct log *log = NULL;
        struct supervisor_options options;
        struct error error;
        int r;

        r = supervisor_options_parse(&options, argc, argv, &error);
        if (r == SUPERVISOR_OPTIONS_DONE)
                return EXIT_SUCCESS;
        if (r < 0)
                return complain(&error, EXIT_USAGE);
        r = log_new(NULL, LOG_LEVEL_INFO, &log);
        if (r < 0) {
                error_set(&error, r, "not enough memory");
                return complain(&error, EXIT_FAILURE);
        }
        return options.safe_state ? run_safe_state(options.run_dir, log)
                                  : run_supervisor(&options, log);
}
