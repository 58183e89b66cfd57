#include "cli/file-watch.h"

#include "base/attributes.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum { SETTLE_MS = 50 };

struct file_watch {
        int fd;
        size_t count;
        struct {
                const char *name; /* in its folder */
                int folder;       /* inotify's number of it */
        } files[];
};

static int watch_folder(int fd, const char *path, const char *slash)
{
        char folder[PATH_MAX] = ".";
        size_t length = slash ? (size_t)(slash - path) : 0;

        if (length >= sizeof(folder))
                return -ENAMETOOLONG;
        if (slash)
                memcpy(folder, length > 0 ? path : "/", length > 0 ? length : 1);
        if (slash)
                folder[length > 0 ? length : 1] = '\0';
        fd = inotify_add_watch(fd, folder, IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR);
        return fd < 0 ? -errno : fd;
}

int file_watch_new(char *const paths[], size_t count, struct file_watch **ret, struct error *error)
{
        AUTO(file_watch) struct file_watch *watch = NULL;

        if (count > FILE_WATCH_MAX)
                return error_set(error, -E2BIG, "at most %d files can be watched", FILE_WATCH_MAX);
        watch = calloc(1, sizeof(*watch) + count * sizeof(watch->files[0]));
        if (!watch)
                return error_set(error, -ENOMEM, "out of memory");
        watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (watch->fd < 0)
                return error_set(error, -errno, "files cannot be watched: %s", strerror(errno));
        for (size_t i = 0; i < count; i++) {
                const char *slash = strrchr(paths[i], '/');
                int folder = watch_folder(watch->fd, paths[i], slash);

                if (folder < 0)
                        return error_set(error, folder, "the folder of %s cannot be watched: %s",
                                         paths[i], strerror(-folder));
                watch->files[i].name = slash ? slash + 1 : paths[i];
                watch->files[i].folder = folder;
        }
        watch->count = count;
        *ret = TAKE(watch);
        return 0;
}

struct file_watch *file_watch_free(struct file_watch *watch)
{
        if (!watch)
                return NULL;
        if (watch->fd >= 0)
                close(watch->fd);
        free(watch);
        return NULL;
}

static bool mark(struct file_watch *watch, const struct inotify_event *event, bool saved[])
{
        bool any = false;

        for (size_t i = 0; i < watch->count; i++)
                if (watch->files[i].folder == event->wd && event->len > 0 &&
                    strcmp(watch->files[i].name, event->name) == 0)
                        any = saved[i] = true;
        return any;
}

/* Everything that is to be read now. 1: a file of ours was saved; 0: none. */
static int take_events(struct file_watch *watch, bool saved[])
{
        _Alignas(struct inotify_event) char bytes[4096];
        bool any = false;

        for (;;) {
                ssize_t count = read(watch->fd, bytes, sizeof(bytes));
                const struct inotify_event *event;

                if (count < 0 && errno == EINTR)
                        continue;
                if (count < 0)
                        return errno == EAGAIN ? any : -errno;
                for (ssize_t at = 0; at < count; at += (ssize_t)(sizeof(*event) + event->len)) {
                        event = (const struct inotify_event *)(bytes + at);
                        if (event->mask & IN_Q_OVERFLOW)
                                /* What was lost may have been ours. */
                                for (size_t i = 0; i < watch->count; i++)
                                        any = saved[i] = true;
                        else if (mark(watch, event, saved))
                                any = true;
                }
        }
}

int file_watch_wait(struct file_watch *watch, bool saved[])
{
        struct pollfd readable = {.fd = watch->fd, .events = POLLIN};
        bool any = false;

        memset(saved, 0, watch->count * sizeof(*saved));
        for (;;) {
                int r = poll(&readable, 1, any ? SETTLE_MS : -1);

                if (r < 0 && errno != EINTR)
                        return -errno;
                if (r == 0)
                        return 0;
                if (r > 0) {
                        r = take_events(watch, saved);
                        if (r < 0)
                                return r;
                        any = any || r > 0;
                }
        }
}
