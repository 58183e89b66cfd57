/* base/cleanup.h - release what a scope owns on every way out of it.
 *
 *     AUTO_CLOSE int fd = -1;
 *     AUTO(log) struct log *log = NULL;
 *     ...
 *     *ret = TAKE(log);                the scope no longer owns it
 *
 * A noun joins in with DEFINE_CLEANUP(noun) below its `noun_free()`, which must
 * accept NULL. */
#pragma once

#include <stdlib.h>
#include <unistd.h>

#define AUTO(noun) __attribute__((cleanup(noun##_cleanup)))
#define AUTO_FREE __attribute__((cleanup(cleanup_free)))
#define AUTO_CLOSE __attribute__((cleanup(cleanup_close)))

#define DEFINE_CLEANUP(noun)                                                                       \
        static inline void noun##_cleanup(struct noun **pointer)                                   \
        {                                                                                          \
                noun##_free(*pointer);                                                             \
        }

/* Hands a pointer over: yields it and leaves NULL behind. */
#define TAKE(pointer)                                                                              \
        ({                                                                                         \
                __auto_type taken_ = (pointer);                                                    \
                (pointer) = NULL;                                                                  \
                taken_;                                                                            \
        })

/* Hands a descriptor over: yields it and leaves -1 behind. */
#define TAKE_FD(fd)                                                                                \
        ({                                                                                         \
                int taken_ = (fd);                                                                 \
                (fd) = -1;                                                                         \
                taken_;                                                                            \
        })

static inline void cleanup_free(void *pointer)
{
        free(*(void **)pointer);
}

static inline void cleanup_close(int *fd)
{
        if (*fd >= 0)
                close(*fd);
}
