#include "sandbox/storage-watch.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static bool is_watched(const struct running *r)
{
        return r->used && r->started && !r->gone && !r->ending && r->limits.storage_bytes > 0;
}

/* Begins with the next program that has a limit; false: there is none in this round. */
static bool begin_next(struct storage_watch *watch, const struct running programs[], size_t count,
                       const struct folders *folders)
{
        for (; watch->at < count; watch->at++) {
                const struct running *r = &programs[watch->at];
                int fd, error;

                if (!is_watched(r))
                        continue;
                fd = openat(folders->data_fd, r->name,
                            O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (fd < 0)
                        continue;
                error = folder_meter_begin(&watch->meter, fd);
                close(fd);
                if (error < 0)
                        continue;
                watch->id = r->id;
                return true;
        }
        return false;
}

static void finish(struct storage_watch *watch, struct running *r, int result, uint64_t now_ms)
{
        if (is_watched(r) && r->id == watch->id) {
                r->storage_bytes = watch->meter.bytes;
                if (result < 0 || watch->meter.bytes > r->limits.storage_bytes)
                        running_end(r, SANDBOX_END_STORAGE, now_ms);
        }
        folder_meter_end(&watch->meter);
        watch->id = 0;
        watch->at++;
}

void storage_watch_run(struct storage_watch *watch, struct running programs[], size_t count,
                       const struct folders *folders, uint64_t now_ms)
{
        int r;

        if (now_ms < watch->due_ms)
                return;
        watch->due_ms = now_ms + STORAGE_STEP_MS;
        if (watch->id == 0 && !begin_next(watch, programs, count, folders)) {
                watch->at = 0;
                watch->due_ms = now_ms + STORAGE_ROUND_MS;
                return;
        }
        r = folder_meter_step(&watch->meter, STORAGE_STEP_ENTRIES);
        if (r != 0)
                finish(watch, &programs[watch->at], r, now_ms);
}

void storage_watch_end(struct storage_watch *watch)
{
        folder_meter_end(&watch->meter);
}
