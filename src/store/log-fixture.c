#include "store/log-fixture.h"

#include "store/folder.h"
#include "store/little-endian.h"
#include "store/recovery.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

enum { TYPE_CHANGE = 1, TYPE_VALUE = 2, CHANGE_BYTES = 2, VALUE_BYTES = 9, ROUNDS_MAX = 100000 };

static uint64_t changed(uint64_t value, uint8_t by)
{
        return value * 31 + by + 1;
}

static int on_replay(void *owner, const struct store_record *record, uint32_t schema, bool image)
{
        struct log_fixture *f = owner;
        unsigned key;

        CHECK_EQ(schema, f->options.schema);
        if (f->replay_error < 0)
                return f->replay_error;
        CHECK(record->count >= (image ? VALUE_BYTES : CHANGE_BYTES));
        key = record->bytes[0];
        CHECK(key < COUNTERS);
        if (image) {
                CHECK_EQ(record->type, TYPE_VALUE);
                f->now.value[key] = get_u64(record->bytes + 1);
                f->as_of[key] = record->sequence;
                f->replayed_image++;
        } else {
                CHECK_EQ(record->type, TYPE_CHANGE);
                f->replayed++;
                for (uint32_t i = CHANGE_BYTES; i < record->count; i++)
                        CHECK_EQ(record->bytes[i], (uint8_t)(record->sequence + i));
                if (record->sequence > f->as_of[key])
                        f->now.value[key] = changed(f->now.value[key], record->bytes[1]);
        }
        return 0;
}

static void on_report(void *owner, bool damage, const char *sentence)
{
        struct log_fixture *f = owner;

        f->sentences++;
        f->damages += damage;
        snprintf(f->sentence, sizeof(f->sentence), "%s", sentence);
}

static void on_durable(void *owner, uint64_t sequence)
{
        struct log_fixture *f = owner;

        CHECK(sequence > f->promised);
        f->promised = sequence;
        if (f->on_promise)
                f->on_promise(f);
}

static void on_room(void *owner)
{
        ((struct log_fixture *)owner)->rooms++;
}

static void on_renewed(void *owner)
{
        ((struct log_fixture *)owner)->renewals++;
}

static void on_trouble(void *owner, int error)
{
        struct log_fixture *f = owner;

        CHECK(error != f->trouble);
        f->trouble = error;
        f->troubles += error < 0;
}

static void on_image_begin(void *owner)
{
        struct log_fixture *f = owner;

        f->images_begun++;
        f->cursor = 0;
}

static int on_image_next(void *owner, struct store_log *log)
{
        struct log_fixture *f = owner;

        if (f->image_error < 0)
                return f->image_error;
        for (unsigned i = 0; i < f->per_slice && f->cursor < COUNTERS; i++) {
                uint8_t bytes[VALUE_BYTES + IMAGE_PADDING_MAX] = {(uint8_t)f->cursor};
                const struct store_part part = {bytes, VALUE_BYTES + f->image_padding};
                int r;

                put_u64(bytes + 1, f->now.value[f->cursor]);
                r = store_log_add_image(log, TYPE_VALUE, &part, 1);
                if (r == -EAGAIN)
                        return 1;
                if (r < 0)
                        return r;
                f->cursor++;
        }
        return f->cursor < COUNTERS ? 1 : 0;
}

static const struct store_log_owner callbacks = {
        .replay = on_replay,
        .report = on_report,
        .on_durable = on_durable,
        .on_renewed = on_renewed,
        .on_room = on_room,
        .on_trouble = on_trouble,
        .image_begin = on_image_begin,
        .image_next = on_image_next,
};

void fixture_make_folder(char path[64])
{
        /* In memory, where there is such a place: it is fsync() that would take the time. */
        snprintf(path, 64, "%s/test-store-XXXXXX",
                 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        CHECK(mkdtemp(path) != NULL);
}

void fixture_remove_folder(const char *path)
{
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const struct dirent *entry;
        DIR *directory;

        CHECK(fd >= 0);
        directory = fdopendir(fd);
        CHECK(directory != NULL);
        while ((entry = readdir(directory)) != NULL)
                if (entry->d_name[0] != '.')
                        CHECK_EQ(unlinkat(fd, entry->d_name, 0), 0);
        closedir(directory);
        CHECK_EQ(rmdir(path), 0);
}

void fixture_init(struct log_fixture *f)
{
        memset(f, 0, sizeof(*f));
        fixture_make_folder(f->path);
        f->folder_fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CHECK(f->folder_fd >= 0);
        CHECK_EQ(loop_new_virtual(1000, &f->loop), 0);
        f->per_slice = 3;
        f->image_padding = PADDING;
        f->options = (struct store_log_options){
                .directory_fd = f->folder_fd,
                .schema = 7,
                .interval_ms = 1000,
                .gather_ms = 20,
                .buffer_bytes = 64 << 10,
                .image_bytes_min = 1 << 20,
        };
}

void fixture_done(struct log_fixture *f)
{
        if (f->log)
                fixture_close(f);
        loop_free(f->loop);
        close(f->folder_fd);
        fixture_remove_folder(f->path);
}

int fixture_open(struct log_fixture *f)
{
        struct store_log_owner owner = callbacks;
        struct store_log_status status;
        int r;

        owner.owner = f;
        memset(&f->now, 0, sizeof(f->now));
        memset(f->as_of, 0, sizeof(f->as_of));
        f->replayed = f->replayed_image = 0;
        f->trouble = 0;
        r = store_thread_new(f->loop, 4, &f->thread);
        if (r < 0)
                return r;
        r = store_log_open(f->loop, f->thread, &f->options, &owner, &f->log);
        if (r < 0) {
                f->thread = store_thread_free(f->thread);
                return r;
        }
        store_log_status(f->log, &status);
        f->promised = status.durable;
        f->history[status.appended] = f->now;
        return 0;
}

void fixture_close(struct log_fixture *f)
{
        f->thread = store_thread_free(f->thread);
        f->log = store_log_free(f->log);
}

int fixture_change(struct log_fixture *f, enum store_durability durability)
{
        uint8_t bytes[CHANGE_BYTES + PADDING];
        const struct store_part parts[] = {{bytes, 1}, {NULL, 0}, {bytes + 1, sizeof(bytes) - 1}};
        uint64_t sequence = f->log->appended + 1, got = 0;
        uint8_t key = (uint8_t)(sequence * 5 % COUNTERS), by = (uint8_t)(sequence * 77);
        int r;

        CHECK(sequence < HISTORY_MAX);
        bytes[0] = key;
        bytes[1] = by;
        for (size_t i = CHANGE_BYTES; i < sizeof(bytes); i++)
                bytes[i] = (uint8_t)(sequence + i);
        r = store_log_append(f->log, durability, TYPE_CHANGE, parts, 3, &got);
        if (r < 0)
                return r;
        CHECK_EQ(got, sequence);
        f->now.value[key] = changed(f->now.value[key], by);
        f->history[sequence] = f->now;
        return 0;
}

void fixture_settle(struct log_fixture *f)
{
        for (unsigned i = 0; i < ROUNDS_MAX; i++) {
                bool busy = f->log->under_way;

                loop_run_once(f->loop, busy ? 1000 : 0);
                if (!busy && !f->log->under_way && list_is_empty(&f->log->task.link))
                        return;
        }
        FAIL("it does not settle");
}

void fixture_pass(struct log_fixture *f, uint64_t ms)
{
        fixture_settle(f);
        loop_advance_ms(f->loop, ms);
        fixture_settle(f);
}

struct fixture_finding fixture_recover(const struct log_fixture *f, const char *path)
{
        struct log_fixture *g = calloc(1, sizeof(*g));
        struct store_log_owner owner = callbacks;
        struct store_recovery recovery = {0};
        struct fixture_finding finding = {0};
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        CHECK(g != NULL && fd >= 0);
        g->options.schema = f->options.schema;
        owner.owner = g;
        finding.result = store_recover(fd, &owner, &recovery);
        close(fd);
        CHECK(recovery.sequence < HISTORY_MAX);
        finding.sequence = recovery.sequence;
        finding.replayed_image = g->replayed_image;
        finding.sentences = g->sentences;
        finding.damages = g->damages;
        finding.is_known = memcmp(&g->now, &f->history[recovery.sequence], sizeof(g->now)) == 0;
        memcpy(finding.sentence, g->sentence, sizeof(finding.sentence));
        free(g);
        return finding;
}

void fixture_check(const struct log_fixture *f, const char *path, uint64_t promised,
                   const char *where)
{
        struct fixture_finding finding = fixture_recover(f, path);

        if (finding.result < 0)
                FAIL("%s: %s", where, strerror(-finding.result));
        if (finding.damages > 0)
                FAIL("%s: %s", where, finding.sentence);
        if (finding.sequence < promised)
                FAIL("%s: %d of %d are left (%s)", where, (int)finding.sequence, (int)promised,
                     finding.sentence);
        if (!finding.is_known)
                FAIL("%s: another state at %d", where, (int)finding.sequence);
}

size_t fixture_count_files(const struct log_fixture *f, const char *end_of_name)
{
        DIR *directory = opendir(f->path);
        const struct dirent *entry;
        size_t count = 0;

        CHECK(directory != NULL);
        while ((entry = readdir(directory)) != NULL) {
                const char *end = strstr(entry->d_name, end_of_name);

                count += end && strcmp(end, end_of_name) == 0;
        }
        closedir(directory);
        return count;
}

bool fixture_is_long(void)
{
        return getenv("PIFLEET_LONG") != NULL;
}
