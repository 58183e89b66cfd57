/* bench-store-log - what a log of changes costs: the loop, the processor, the disk.
 *
 *     bench-store-log [FOLDER]      (a new folder is made in FOLDER, the working one by itself)
 *
 * Built from what it measures. The state is retained messages of 100 bytes; changes are of
 * random ones. One line of JSON. What an fsync costs is the disk's: compare on the same. */
#include "base/attributes.h"
#include "base/clock.h"
#include "store/log.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BYTES = 100, ITEMS = 100000, CHANGES = 1000000, PER_ROUND = 256, SYNCED_ROUNDS = 300 };

struct state {
        struct store_log *log;
        uint32_t version[ITEMS];
        uint32_t cursor;
        uint64_t durable;
        double slice_seconds; /* the longest: of the processor */
        uint64_t replayed;
        bool waits_for_room;
};

static void must(int r, const char *what)
{
        if (r < 0)
                errx(1, "%s: %s", what, strerror(-r));
}

static double cpu_seconds(clockid_t clock)
{
        struct timespec time;

        clock_gettime(clock, &time);
        return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int on_replay(void *owner, const struct store_record *record, uint32_t schema, bool image)
{
        ((struct state *)owner)->replayed++;
        return 0;
}

static void on_report(void *owner, bool damage, const char *sentence)
{
        warnx("%s", sentence);
}

static void on_durable(void *owner, uint64_t sequence)
{
        ((struct state *)owner)->durable = sequence;
}

static void on_room(void *owner)
{
        ((struct state *)owner)->waits_for_room = false;
}

static void on_trouble(void *owner, int error)
{
        must(error, "the disk");
}

static void on_image_begin(void *owner)
{
        ((struct state *)owner)->cursor = 0;
}

static int on_image_next(void *owner, struct store_log *log)
{
        struct state *state = owner;
        double begin = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
        int r = 0;

        while (state->cursor < ITEMS && r == 0) {
                uint8_t bytes[BYTES] = {0};
                const struct store_part part = {bytes, sizeof(bytes)};

                memcpy(bytes, &state->cursor, 4);
                memcpy(bytes + 4, &state->version[state->cursor], 4);
                r = store_log_add_image(log, 2, &part, 1);
                state->cursor += r == 0;
        }
        begin = cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - begin;
        if (begin > state->slice_seconds)
                state->slice_seconds = begin;
        return r < 0 && r != -EAGAIN ? r : state->cursor < ITEMS;
}

static uint32_t random_below(uint32_t below)
{
        static uint64_t seed = 0x9e3779b97f4a7c15;

        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        return (uint32_t)((seed >> 32) * below >> 32);
}

static int change(struct state *state, enum store_durability durability)
{
        uint8_t bytes[BYTES] = {0};
        const struct store_part part = {bytes, sizeof(bytes)};
        uint32_t item = random_below(ITEMS), version = state->version[item] + 1;
        int r;

        memcpy(bytes, &item, 4);
        memcpy(bytes + 4, &version, 4);
        r = store_log_append(state->log, durability, 1, &part, 1, NULL);
        if (r == 0)
                state->version[item] = version;
        return r;
}

static double seconds_since(uint64_t begin_ns)
{
        return (double)(clock_monotonic_ns() - begin_ns) / 1e9;
}

/* As fast as it goes, 256 in a round. */
static void measure_interval(struct loop *loop, struct state *state)
{
        struct store_log_status before, after;
        uint64_t begin = clock_monotonic_ns();
        double thread = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
        double process = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
        double appending = 0;

        store_log_status(state->log, &before);
        for (size_t i = 0; i < CHANGES;) {
                uint64_t from = clock_monotonic_ns();

                for (unsigned j = 0; j < PER_ROUND && !state->waits_for_room; j++, i++) {
                        int r = change(state, STORE_INTERVAL);

                        state->waits_for_room = r == -EAGAIN;
                        must(state->waits_for_room ? 0 : r, "append");
                }
                appending += seconds_since(from);
                loop_run_once(loop, state->waits_for_room ? 1000 : 0);
        }
        store_log_sync(state->log);
        store_log_status(state->log, &after);
        while (state->durable < after.appended)
                loop_run_once(loop, 1000);
        store_log_status(state->log, &after);
        printf("\"append_ns\":%.0f,\"loop_cpu_ns\":%.0f,\"cpu_ns\":%.0f,\"changes_per_s\":%.0f,"
               "\"groups\":%llu,\"images\":%llu,\"write_amplification\":%.2f,\"slice_cpu_us\":%."
               "0f,",
               appending * 1e9 / CHANGES,
               (cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - thread) * 1e9 / CHANGES,
               (cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - process) * 1e9 / CHANGES,
               CHANGES / seconds_since(begin), (unsigned long long)(after.groups - before.groups),
               (unsigned long long)(after.images - before.images),
               (double)(after.written_bytes - before.written_bytes) / CHANGES / (BYTES + 16),
               state->slice_seconds * 1e6);
}

/* Each waits for the disk; `count` at once share one wait. */
static void measure_fsync(struct loop *loop, struct state *state, unsigned count)
{
        uint64_t begin = clock_monotonic_ns();

        for (unsigned i = 0; i < SYNCED_ROUNDS; i++) {
                struct store_log_status status;

                for (unsigned j = 0; j < count; j++)
                        must(change(state, STORE_FSYNC), "append");
                store_log_status(state->log, &status);
                while (state->durable < status.appended)
                        loop_run_once(loop, 1000);
        }
        printf("\"fsync_us_%u_at_once\":%.0f,", count, seconds_since(begin) * 1e6 / SYNCED_ROUNDS);
}

static void close_log(struct state *state, struct store_thread *thread)
{
        store_thread_free(thread);
        state->log = store_log_free(state->log);
}

int main(int argc, char **argv)
{
        static struct state state;
        const struct store_log_owner owner = {
                .owner = &state,
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
                .gather_ms = 20,
                .buffer_bytes = 8 << 20,
                .image_bytes_min = 1 << 20,
        };
        char folder[512], command[600];
        struct store_thread *thread;
        struct loop *loop;
        uint64_t begin;

        snprintf(folder, sizeof(folder), "%s/bench-store-XXXXXX", argc > 1 ? argv[1] : ".");
        if (!mkdtemp(folder))
                err(1, "%s", folder);
        options.directory_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        must(loop_new(&loop), "loop");
        must(store_thread_new(loop, 4, &thread), "thread");
        must(store_log_open(loop, thread, &options, &owner, &state.log), "open");
        printf("{");
        measure_interval(loop, &state);
        measure_fsync(loop, &state, 1);
        measure_fsync(loop, &state, 100);
        close_log(&state, thread);
        must(store_thread_new(loop, 4, &thread), "thread");
        begin = clock_monotonic_ns();
        must(store_log_open(loop, thread, &options, &owner, &state.log), "open again");
        printf("\"recovery_ns_per_record\":%.0f}\n",
               seconds_since(begin) * 1e9 / (double)state.replayed);
        close_log(&state, thread);
        loop_free(loop);
        snprintf(command, sizeof(command), "rm -r '%s'", folder);
        return system(command) == 0 ? 0 : 1;
}
