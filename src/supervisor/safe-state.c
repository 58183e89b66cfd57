#include "supervisor/safe-state.h"

#include "supervisor/hold.h"
#include "supervisor/run-file.h"

#include <errno.h>
#include <string.h>

/* How many lines somebody holds; -EIO. */
static int drive_all(const struct line_driver *driver, const struct guard_hold holds[],
                     size_t count, struct log *log)
{
        struct hold_result all = {0};

        for (size_t i = 0; i < count; i++) {
                struct hold_result one = {0};

                hold_take_over(driver, &holds[i], &one);
                if (one.failed > 0)
                        log_error(
                                log, "safe-state", "cannot drive consumer=%s chip=%s lines=%u: %s",
                                holds[i].consumer, holds[i].chip, one.failed, strerror(-one.error));
                all.driven += one.driven;
                all.kept += one.kept;
                all.busy += one.busy;
                all.failed += one.failed;
        }
        log_warning(log, "safe-state",
                    "drove what a supervisor left behind driven=%u kept=%u busy=%u failed=%u",
                    all.driven, all.kept, all.busy, all.failed);
        return all.failed > 0 ? -EIO : (int)all.busy;
}

int safe_state_run(const struct line_driver *driver, int directory_fd, struct log *log)
{
        AUTO_FREE struct guard_hold *holds = calloc(GUARD_HOLDS_MAX, sizeof(*holds));
        size_t count;
        int r;

        if (!holds)
                return -ENOMEM;
        r = run_file_read(directory_fd, holds, &count);
        if (r == -ENOENT)
                return 0;
        if (r < 0) {
                log_error(log, "safe-state", "cannot read the record of lines: %s", strerror(-r));
                return r;
        }
        if (count > 0)
                r = drive_all(driver, holds, count, log);
        if (r > 0)
                return 0; /* not the end of it: see the header */
        return r < 0 ? r : run_file_remove(directory_fd);
}
