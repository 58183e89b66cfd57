/* base/thread.h - a thread of its own for one thing, to be joined by whoever made it.
 *
 * All signals are blocked on it from its first instruction: they are for the thread
 * that runs the loop. */
#pragma once

#include <pthread.h>
#include <stddef.h>

typedef void *thread_fn(void *argument);

/* `name`: up to 15 bytes, as ps(1) shows it. `stack_bytes`: at least, since machines
 * differ in what they need (16 KiB on amd64, 128 KiB on arm64); 0: as usual, 8 MiB of
 * address space. -EAGAIN: no more threads; -EINVAL: larger than there can be; -ENOMEM. */
int thread_new(const char *name, size_t stack_bytes, thread_fn *run, void *argument,
               pthread_t *ret);
