/* bench/trial.h - what each generator of load is told on its command line: whom it loads, for how
 * long, and from which processor. */
#pragma once

#include <getopt.h>
#include <netinet/in.h>

struct trial {
        struct sockaddr_in address; /* of the server; port 0: not told */
        unsigned warm_up_ms, window_ms;
        int cpu;    /* -1: any */
        int server; /* its process id; 0: not told */
};

/* For getopt_long(): letters that are nobody else's. */
#define TRIAL_OPTIONS                                                                              \
        {"host", required_argument, NULL, 'h'}, {"port", required_argument, NULL, 'p'},            \
                {"warm-up-ms", required_argument, NULL, 'u'},                                      \
                {"window-ms", required_argument, NULL, 'w'},                                       \
                {"cpu", required_argument, NULL, 'c'},                                             \
        {                                                                                          \
                "server", required_argument, NULL, 's'                                             \
        }
#define TRIAL_USAGE                                                                                \
        "  --warm-up-ms N   runs that long before it counts (300)\n"                               \
        "  --window-ms N    counts that long (2000)\n"                                             \
        "  --cpu N          pins itself to that core\n"                                            \
        "  --server PID     reports that process's CPU time\n"

/* 127.0.0.1, and what the usage says. */
struct trial trial_default(void);
/* 1: the letter is none of these; -EINVAL: its text is no such, and stderr says so. */
int trial_parse(struct trial *trial, int letter, const char *text);
