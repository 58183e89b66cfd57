#include "base/thread.h"

#include <signal.h>
#include <unistd.h>

static size_t at_least(size_t stack_bytes)
{
        long minimum = sysconf(_SC_THREAD_STACK_MIN);

        return minimum > 0 && stack_bytes < (size_t)minimum ? (size_t)minimum : stack_bytes;
}

int thread_new(const char *name, size_t stack_bytes, thread_fn *run, void *argument, pthread_t *ret)
{
        pthread_attr_t attributes;
        sigset_t all, before;
        pthread_t thread;
        int r;

        r = pthread_attr_init(&attributes);
        if (r != 0)
                return -r;
        if (stack_bytes > 0)
                r = pthread_attr_setstacksize(&attributes, at_least(stack_bytes));
        sigfillset(&all);
        if (r == 0)
                r = pthread_sigmask(SIG_SETMASK, &all, &before);
        if (r == 0) {
                r = pthread_create(&thread, &attributes, run, argument);
                (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
        }
        pthread_attr_destroy(&attributes);
        if (r != 0)
                return -r;
        /* A thread without its name does as well. */
        (void)pthread_setname_np(thread, name);
        *ret = thread;
        return 0;
}
