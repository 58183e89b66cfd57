/* cli/interrupt.h - Ctrl-C and its like, put off until a subcommand has said good-bye.
 *
 *     r = interrupt_begin(&interrupt);
 *     ... wait for interrupt.fd to be readable, among others ...
 *     interrupt_end(&interrupt);         ends the program when a signal came
 */
#pragma once

#include <signal.h>

struct interrupt {
        int fd; /* readable: SIGINT, SIGTERM or SIGHUP came; nobody reads it */
        sigset_t before;
};

/* Puts them off. -errno. */
int interrupt_begin(struct interrupt *interrupt);
/* A signal that came does now what it always does: the parent sees that it ended us. */
void interrupt_end(struct interrupt *interrupt);
