/* agent/service/failure.h - why something that was asked of the bus did not work
 * out, as a kind for programs and as words. */
#pragma once

#include "base/attributes.h"
#include "command/command.h"

#include <stdint.h>

enum service_failure_kind {
        SERVICE_FAILURE_NO_BUS,    /* there is no bus, or nobody on it who knows units */
        SERVICE_FAILURE_LOST,      /* the connection broke, or waits to be tried again */
        SERVICE_FAILURE_NO_ANSWER, /* not in time */
        SERVICE_FAILURE_REFUSED,   /* polkit, or the bus's own policy */
        SERVICE_FAILURE_NO_UNIT,   /* no unit file of that name */
        SERVICE_FAILURE_FORBIDDEN, /* the unit itself does not allow it: masked, manual start */
        SERVICE_FAILURE_MEMORY,
        SERVICE_FAILURE_OTHER,
};

enum { SERVICE_FAILURE_TEXT_MAX = 256 };

struct service_failure {
        enum service_failure_kind kind;
        uint64_t retry_ms; /* LOST, NO_BUS: when it will be tried again; 0: at the next call */
        char text[SERVICE_FAILURE_TEXT_MAX];
};

/* Fills *ret, cutting the text where it is too long. Returns -1, to stand behind
 * `return`. */
int service_failure_set(struct service_failure *ret, enum service_failure_kind kind,
                        const char *format, ...) PRINTF_LIKE(3, 4);

/* What a D-Bus error name stands for ("org.freedesktop.systemd1.NoSuchUnit"). */
enum service_failure_kind service_failure_of(const char *name);

/* The failed reply: a sentence that begins with `what` ("start nginx.service")
 * cannot be done, and what to do. Returns 0. */
int service_failure_reply(struct command_request *request, const struct service_failure *failure,
                          const char *what);
