/* Threads that come late, for tests that must not depend on who is faster: to be preloaded.
 *
 * PIFLEET_LATE says who: "loop", the first thread of each process; "pool", all its others; "any",
 * each thread draws for itself. One that is late sleeps up to a millisecond before one in four of
 * the calls below: it waits there for somebody, or hands something over.
 * PIFLEET_LATE_SEED makes other draws; a run cannot be repeated all the same, since the kernel
 * draws too. */
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Everything here is built with hidden symbols; these are there to be found first. */
#pragma GCC visibility push(default)

enum { LATE_US_MAX = 1000, ONE_OF = 4 };
enum { LOOP, POOL, ANY };

static int who;
static uint64_t seed = 1;
static __thread uint64_t draws; /* 0: none yet */
static __thread bool is_prompt; /* of "any": one thread in three is */

__attribute__((constructor)) static void find_who(void)
{
        static const char *const names[] = {[LOOP] = "loop", [POOL] = "pool", [ANY] = "any"};
        const char *name = getenv("PIFLEET_LATE"), *number = getenv("PIFLEET_LATE_SEED");

        for (who = LOOP; who <= ANY; who++)
                if (name && strcmp(name, names[who]) == 0)
                        break;
        /* A test where everybody is in time would prove nothing. */
        if (who > ANY) {
                fprintf(stderr, "late-threads: PIFLEET_LATE is loop, pool or any\n");
                abort();
        }
        if (number)
                seed = strtoull(number, NULL, 10);
}

/* xorshift64 (Marsaglia 2003), for each thread its own. */
static uint64_t draw(void)
{
        if (draws == 0) {
                draws = (seed * 0x9e3779b97f4a7c15 ^ (uint64_t)gettid() * 0xd1b54a32d192ed03) | 1;
                is_prompt = draw() % 3 == 0;
        }
        draws ^= draws << 13;
        draws ^= draws >> 7;
        draws ^= draws << 17;
        return draws;
}

static bool is_late(void)
{
        return who == ANY ? !is_prompt : (gettid() == getpid()) == (who == LOOP);
}

static void come_late(void)
{
        int error = errno;
        struct timespec time = {0};
        bool is_drawn = draw() % ONE_OF == 0;

        if (is_drawn && is_late()) {
                time.tv_nsec = (long)(draw() % LATE_US_MAX) * 1000;
                syscall(SYS_nanosleep, &time, NULL);
        }
        errno = error;
}

/* The call of this name, late. dlsym() finds the same each time: threads may both store it. */
#define LATE(type, name, parameters, arguments)                                                    \
        type name parameters                                                                       \
        {                                                                                          \
                static __typeof__(&name) next;                                                     \
                                                                                                   \
                if (!__atomic_load_n(&next, __ATOMIC_RELAXED))                                     \
                        __atomic_store_n(&next, (__typeof__(&name))dlsym(RTLD_NEXT, #name),        \
                                         __ATOMIC_RELAXED);                                        \
                come_late();                                                                       \
                return __atomic_load_n(&next, __ATOMIC_RELAXED) arguments;                         \
        }

LATE(int, epoll_wait, (int fd, struct epoll_event *events, int count, int timeout),
     (fd, events, count, timeout))
LATE(int, epoll_pwait,
     (int fd, struct epoll_event *events, int count, int timeout, const sigset_t *signals),
     (fd, events, count, timeout, signals))
LATE(int, poll, (struct pollfd * fds, nfds_t count, int timeout), (fds, count, timeout))
LATE(ssize_t, read, (int fd, void *bytes, size_t count), (fd, bytes, count))
LATE(ssize_t, write, (int fd, const void *bytes, size_t count), (fd, bytes, count))
LATE(ssize_t, writev, (int fd, const struct iovec *parts, int count), (fd, parts, count))
LATE(ssize_t, recv, (int fd, void *bytes, size_t count, int flags), (fd, bytes, count, flags))
LATE(ssize_t, send, (int fd, const void *bytes, size_t count, int flags), (fd, bytes, count, flags))
LATE(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags))
LATE(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
LATE(int, accept4, (int fd, struct sockaddr *address, socklen_t *length, int flags),
     (fd, address, length, flags))
LATE(int, fsync, (int fd), (fd))
LATE(int, fdatasync, (int fd), (fd))
LATE(pid_t, waitpid, (pid_t pid, int *status, int flags), (pid, status, flags))
LATE(int, pthread_mutex_lock, (pthread_mutex_t * mutex), (mutex))
