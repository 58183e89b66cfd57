/* A process that changes some counters in a log, so that strace can kill it or fail its calls.
 *
 *     store-driver FOLDER live     changes, images, a new beginning; prints "durable N" each
 *                                  time; "refused" ends it when the disk does
 *     store-driver FOLDER check    prints how many changes are there, "whole" or "wrong", and
 *                                  how much damage was told */
#include "store/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COUNTERS = 4, CHANGES = 120, AFRESH_AT = 70, BYTES = 150 };

struct driver {
        struct store_log *log;
        uint64_t value[COUNTERS], as_of[COUNTERS];
        uint64_t durable;
        unsigned cursor, damages;
        int trouble;
};

static void apply(struct driver *driver, uint64_t sequence)
{
        uint64_t *value = &driver->value[sequence % COUNTERS];

        *value = *value * 31 + sequence;
}

static int on_replay(void *owner, const struct store_record *record, uint32_t schema, bool image)
{
        struct driver *driver = owner;
        uint64_t *as_of = driver->as_of;

        if (image && record->count == BYTES && record->bytes[0] < COUNTERS) {
                memcpy(&driver->value[record->bytes[0]], record->bytes + 8, 8);
                as_of[record->bytes[0]] = record->sequence;
        } else if (!image && record->sequence > as_of[record->sequence % COUNTERS]) {
                apply(driver, record->sequence);
        }
        return 0;
}

static void on_report(void *owner, bool damage, const char *sentence)
{
        ((struct driver *)owner)->damages += damage;
        fprintf(stderr, "%s\n", sentence);
}

static void on_durable(void *owner, uint64_t sequence)
{
        ((struct driver *)owner)->durable = sequence;
        printf("durable %llu\n", (unsigned long long)sequence);
        fflush(stdout);
}

static void on_room(void *owner)
{
}

static void on_trouble(void *owner, int error)
{
        ((struct driver *)owner)->trouble = error;
}

static void on_image_begin(void *owner)
{
        ((struct driver *)owner)->cursor = 0;
}

static int on_image_next(void *owner, struct store_log *log)
{
        struct driver *driver = owner;
        uint8_t bytes[BYTES] = {(uint8_t)driver->cursor};
        const struct store_part part = {bytes, sizeof(bytes)};
        int r;

        memcpy(bytes + 8, &driver->value[driver->cursor], 8);
        r = store_log_add_image(log, 2, &part, 1);
        if (r < 0)
                return r == -EAGAIN ? 1 : r;
        return ++driver->cursor < COUNTERS;
}

static void change(struct driver *driver)
{
        static const uint8_t bytes[BYTES];
        const struct store_part part = {bytes, sizeof(bytes)};
        uint64_t sequence;

        if (store_log_append(driver->log, STORE_FSYNC, 1, &part, 1, &sequence) == 0)
                apply(driver, sequence);
}

static int live(struct driver *driver, struct loop *loop)
{
        for (unsigned i = 0; i < CHANGES; i++) {
                struct store_log_status status;

                change(driver);
                if (i == AFRESH_AT)
                        store_log_renew(driver->log);
                do {
                        loop_run_once(loop, 20);
                        store_log_status(driver->log, &status);
                } while (driver->durable < status.appended && driver->trouble == 0);
                if (driver->trouble < 0) {
                        printf("refused: %s\n", strerror(-driver->trouble));
                        return 1;
                }
        }
        return 0;
}

static int check(struct driver *driver)
{
        struct driver expected = {0};
        struct store_log_status status;

        store_log_status(driver->log, &status);
        for (uint64_t i = 1; i <= status.appended; i++)
                apply(&expected, i);
        printf("%llu %s %u\n", (unsigned long long)status.appended,
               memcmp(expected.value, driver->value, sizeof(expected.value)) == 0 ? "whole"
                                                                                  : "wrong",
               driver->damages);
        return 0;
}

int main(int argc, char **argv)
{
        struct driver driver = {0};
        const struct store_log_owner owner = {
                .owner = &driver,
                .replay = on_replay,
                .report = on_report,
                .on_durable = on_durable,
                .on_room = on_room,
                .on_trouble = on_trouble,
                .image_begin = on_image_begin,
                .image_next = on_image_next,
        };
        struct store_log_options options = {
                .interval_ms = 1000,
                .buffer_bytes = 64 << 10,
                .image_bytes_min = 4096,
        };
        struct store_thread *thread;
        struct loop *loop;
        int r;

        if (argc != 3)
                return 2;
        options.directory_fd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (options.directory_fd < 0 || loop_new(&loop) < 0 ||
            store_thread_new(loop, 4, &thread) < 0)
                return 2;
        r = store_log_open(loop, thread, &options, &owner, &driver.log);
        if (r < 0)
                printf("refused: %s\n", strerror(-r));
        else
                r = strcmp(argv[2], "live") == 0 ? live(&driver, loop) : check(&driver);
        store_thread_free(thread);
        store_log_free(driver.log);
        close(options.directory_fd);
        loop_free(loop);
        return r == 0 ? 0 : 1;
}
