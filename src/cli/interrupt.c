#include "cli/interrupt.h"

#include "base/attributes.h"

#include <errno.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

int interrupt_begin(struct interrupt *interrupt)
{
        static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
        sigset_t signals;

        sigemptyset(&signals);
        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
                sigaddset(&signals, numbers[i]);
        interrupt->fd = signalfd(-1, &signals, SFD_CLOEXEC);
        if (interrupt->fd < 0)
                return -errno;
        if (sigprocmask(SIG_BLOCK, &signals, &interrupt->before) < 0) {
                int r = -errno;

                close(interrupt->fd);
                return r;
        }
        return 0;
}

void interrupt_end(struct interrupt *interrupt)
{
        close(interrupt->fd);
        sigprocmask(SIG_SETMASK, &interrupt->before, NULL);
}
