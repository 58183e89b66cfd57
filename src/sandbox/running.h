/* sandbox/running.h - one program from its launch to the last of its processes.
 *
 * A state machine without a descriptor of its own: the spawner polls and calls. What
 * the asker has to be told is kept here until it takes it. */
#pragma once

#include "sandbox/launch.h"
#include "sandbox/site.h"

enum running_owes { OWES_STARTED = 1, OWES_FAILED = 2, OWES_ENDED = 4, OWES_USAGE = 8 };

struct running {
        bool used; /* all else is nothing without it */
        uint64_t id;
        unsigned number; /* in the table; names the control group */
        char name[SANDBOX_NAME_MAX];
        uint32_t walls;
        struct sandbox_limits limits;
        struct launched process;
        int cgroup_fd;
        pid_t pid;          /* of the program, once it said so */
        bool started, gone; /* execve(2) went well; nothing is left */
        unsigned owes;      /* enum running_owes */
        bool forget;        /* its name is given back when it is gone */

        bool ending;
        enum sandbox_end end;
        uint64_t kill_ms; /* when asking to end was not enough */

        int error; /* why it did not start */
        enum sandbox_step step;
        char where[256];
        bool reported; /* the next three are init's */
        int wait_status;
        uint32_t children;
        uint64_t cpu_us, memory_peak_bytes;
        uint64_t storage_bytes; /* at the last look */
};

struct process_table;

/* `what` says what is to run, and is ready to. */
struct preparation;
void running_start(struct running *running, const struct site *site, struct preparation *what,
                   unsigned number, uint64_t id);
/* Not even tried. */
void running_refuse(struct running *running, uint64_t id, const char *name, enum sandbox_step step,
                    int error, const char *where);
/* What to poll for reading; running_on_ready() is called when it is. */
int running_descriptor(const struct running *running);
void running_on_ready(struct running *running, const struct site *site);
/* Everything is to end, for this reason. The second reason does not count. */
void running_end(struct running *running, enum sandbox_end end, uint64_t now_ms);
/* The deadline of an end has passed. */
void running_insist(struct running *running, const struct site *site, uint64_t now_ms);

/* Is there a limit that no kernel watches? */
bool running_wants_watching(const struct running *running);
/* `table` may be NULL where there is a control group. */
void running_measure(struct running *running, const struct site *site,
                     const struct process_table *table, struct sandbox_usage *ret);
/* Ends what went beyond its limits. */
void running_watch(struct running *running, const struct site *site,
                   const struct process_table *table, uint64_t now_ms);
