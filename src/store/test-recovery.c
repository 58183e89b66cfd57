/* What is given back of files that are damaged: at every byte, one after the other. */
#include "store/log-fixture.h"

#include "base/attributes.h"
#include "base/write-all.h"
#include "store/folder.h"
#include "store/little-endian.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { FILES = 3, BYTES_MAX = 64 << 10, GOES_ON_EVERY = 211, CHANGES = 35, CHANGES_LATER = 7 };

/* An image, the segment after it, and one of a second life, whose last group is of 3 changes. */
struct remains {
        struct log_fixture f;
        struct store_file files[FILES];
        char names[FILES][STORE_NAME_SIZE];
        uint8_t bytes[FILES][BYTES_MAX];
        size_t counts[FILES];
};

enum { IMAGE = 0, FIRST = 1, LAST = 2 };

static void live_once(struct log_fixture *f, unsigned changes)
{
        CHECK_EQ(fixture_open(f), 0);
        for (unsigned i = 0; i < changes; i++) {
                CHECK_EQ(fixture_change(f, STORE_FSYNC), 0);
                if (i + 3 < changes || i + 1 == changes)
                        fixture_settle(f);
        }
        fixture_close(f);
}

static struct remains *remains_new(void)
{
        struct remains *remains = calloc(1, sizeof(*remains));
        struct store_listing listing;

        CHECK(remains != NULL);
        fixture_init(&remains->f);
        remains->f.options.image_bytes_min = 4096;
        live_once(&remains->f, CHANGES);
        live_once(&remains->f, CHANGES_LATER);
        CHECK_EQ(store_listing_init(&listing, remains->f.folder_fd), 0);
        CHECK_EQ(listing.count, FILES);
        for (size_t i = 0; i < FILES; i++) {
                int fd;
                ssize_t got;

                remains->files[i] = listing.files[i];
                store_name(remains->names[i], listing.files[i].generation, listing.files[i].kind);
                fd = openat(remains->f.folder_fd, remains->names[i], O_RDONLY | O_CLOEXEC);
                CHECK(fd >= 0);
                got = read(fd, remains->bytes[i], BYTES_MAX);
                CHECK(got > 0 && got < BYTES_MAX);
                remains->counts[i] = (size_t)got;
                close(fd);
        }
        store_listing_done(&listing);
        CHECK_EQ(remains->files[IMAGE].kind, STORE_IMAGE);
        CHECK_EQ(remains->files[LAST].kind, STORE_SEGMENT);
        return remains;
}

static void remains_free(struct remains *remains)
{
        fixture_done(&remains->f);
        free(remains);
}

static void write_folder(const struct remains *remains, char path[64])
{
        fixture_make_folder(path);
        for (size_t i = 0; i < FILES; i++) {
                char full[128];
                int fd;

                if (remains->counts[i] == 0)
                        continue;
                snprintf(full, sizeof(full), "%s/%s", path, remains->names[i]);
                fd = open(full, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
                CHECK(fd >= 0);
                CHECK_EQ(write_all(fd, remains->bytes[i], remains->counts[i]), 0);
                close(fd);
        }
}

/* The log goes on from what was found, and after that nothing is wrong with it. */
static void check_goes_on(const struct remains *remains, const char *path,
                          const struct fixture_finding *finding)
{
        struct log_fixture *g = calloc(1, sizeof(*g));

        CHECK(g != NULL);
        fixture_init(g);
        close(g->folder_fd);
        g->folder_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        g->options = remains->f.options;
        g->options.directory_fd = g->folder_fd;
        CHECK_EQ(fixture_open(g), 0);
        CHECK(g->log->appended <= finding->sequence || finding->damages > 0);
        CHECK_EQ(fixture_change(g, STORE_FSYNC), 0);
        fixture_settle(g);
        CHECK_EQ(g->promised, g->log->appended);
        fixture_close(g);
        fixture_check(g, path, g->promised, "after damage");
        fixture_done(g);
        free(g);
}

static struct fixture_finding find(const struct remains *remains, size_t number)
{
        struct fixture_finding finding, again;
        char path[64];

        write_folder(remains, path);
        finding = fixture_recover(&remains->f, path);
        CHECK_EQ(finding.result, 0);
        again = fixture_recover(&remains->f, path);
        CHECK_EQ(again.result, 0);
        /* A kill came before anything better was written. */
        CHECK_EQ(again.sequence, finding.sequence);
        CHECK_EQ(again.is_known, finding.is_known);
        CHECK_EQ(again.replayed_image, finding.replayed_image);
        if (number % GOES_ON_EVERY == 0)
                check_goes_on(remains, path, &finding);
        fixture_remove_folder(path);
        return finding;
}

TEST(what_is_whole_is_given_back_as_a_whole)
{
        struct remains *remains = remains_new();
        struct fixture_finding finding = find(remains, 0);

        CHECK_EQ(finding.sequence, CHANGES + CHANGES_LATER);
        CHECK_EQ(finding.sentences, 0);
        CHECK_EQ(finding.replayed_image, COUNTERS);
        CHECK(finding.is_known);
        remains_free(remains);
}

TEST(the_last_segment_cut_off_at_any_byte_gives_back_what_is_before)
{
        struct remains *remains = remains_new();
        size_t whole = remains->counts[LAST];
        uint64_t before = CHANGES + CHANGES_LATER;

        for (size_t count = whole; count-- > 0;) {
                struct fixture_finding finding;

                remains->counts[LAST] = count;
                finding = find(remains, count);
                CHECK_EQ(finding.damages, 0);
                CHECK(finding.is_known);
                CHECK(finding.sequence <= before && finding.sequence + 1 >= before);
                /* A change is in one piece or not at all. */
                CHECK(finding.sentences == 0 || finding.sequence < CHANGES + CHANGES_LATER);
                before = finding.sequence;
        }
        CHECK_EQ(before, CHANGES);
        remains_free(remains);
}

TEST(another_file_cut_off_at_any_byte_is_said_to_be_damaged)
{
        for (size_t file = IMAGE; file <= FIRST; file++) {
                struct remains *remains = remains_new();
                size_t whole = remains->counts[file];

                for (size_t count = whole; count-- > 1;) {
                        struct fixture_finding finding;

                        remains->counts[file] = count;
                        finding = find(remains, count);
                        CHECK(finding.damages > 0);
                        CHECK(file == IMAGE || finding.is_known);
                        CHECK(file == FIRST || finding.sequence == CHANGES + CHANGES_LATER);
                }
                remains_free(remains);
        }
}

/* Where the last group begins: what is broken from there on may as well be torn. */
static size_t last_mark(const struct remains *remains)
{
        size_t at = STORE_HEADER, mark = 0;

        while (at < remains->counts[LAST]) {
                struct store_record record;

                store_record_peek(remains->bytes[LAST] + at, &record);
                if (record.type == STORE_TYPE_MARK)
                        mark = at;
                at += STORE_RECORD_HEADER + record.count;
        }
        CHECK_EQ(at, remains->counts[LAST]);
        CHECK(mark > 0);
        return mark;
}

static void check_flip(const struct remains *remains, size_t file, size_t at, size_t torn_from)
{
        struct fixture_finding finding = find(remains, at);

        if (file == LAST && at >= torn_from) {
                CHECK_EQ(finding.damages, 0);
                CHECK_EQ(finding.sentences, 1);
                CHECK(finding.is_known);
                CHECK(finding.sequence >= CHANGES + CHANGES_LATER - 3);
                CHECK(finding.sequence < CHANGES + CHANGES_LATER);
                return;
        }
        if (finding.damages == 0)
                FAIL("file %zu, byte %zu: %s", file, at, finding.sentence);
        /* The order of changes matters: none after one that is missing. */
        CHECK(file == IMAGE || finding.is_known);
        CHECK(file == IMAGE || finding.sequence < CHANGES + CHANGES_LATER);
        /* What is in an image does not: only what is hit is missing. */
        if (file == IMAGE && at >= STORE_HEADER)
                CHECK(finding.replayed_image + 1 >= COUNTERS);
        CHECK(file != IMAGE || finding.sequence == CHANGES + CHANGES_LATER);
}

TEST(a_flipped_bit_in_any_byte_is_found_and_said)
{
        struct remains *remains = remains_new();
        size_t torn_from = last_mark(remains);

        for (size_t file = 0; file < FILES; file++)
                for (size_t at = 0; at < remains->counts[file]; at++)
                        for (unsigned bit = at % 8; bit < 8; bit += fixture_is_long() ? 1 : 8) {
                                remains->bytes[file][at] ^= (uint8_t)(1U << bit);
                                check_flip(remains, file, at, torn_from);
                                remains->bytes[file][at] ^= (uint8_t)(1U << bit);
                        }
        remains_free(remains);
}

TEST(what_came_after_damage_is_kept_beside_until_it_is_of_no_use)
{
        struct remains *remains = remains_new();
        struct log_fixture *f = &remains->f;

        remains->bytes[FIRST][STORE_HEADER + 3] ^= 1;
        fixture_remove_folder(f->path);
        write_folder(remains, f->path);
        close(f->folder_fd);
        f->folder_fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        f->options.directory_fd = f->folder_fd;
        f->damages = 0;
        CHECK_EQ(fixture_open(f), 0);
        CHECK(f->damages > 0);
        CHECK_EQ(fixture_count_files(f, ".damaged"), 2);
        fixture_settle(f);
        CHECK_EQ(f->log->renewals, 1);
        CHECK_EQ(fixture_count_files(f, ".damaged"), 2);
        f->damages = 0;
        fixture_close(f);
        CHECK_EQ(fixture_open(f), 0);
        CHECK_EQ(f->damages, 0);
        remains_free(remains);
}

TEST(files_of_a_later_version_are_refused_and_left_as_they_are)
{
        for (size_t file = 0; file < FILES; file++) {
                struct remains *remains = remains_new();
                struct fixture_finding finding;
                char path[64];
                struct store_header header;

                CHECK_EQ(store_header_decode(remains->bytes[file], &header), 0);
                put_u32(remains->bytes[file] + 8, STORE_VERSION + 1);
                store_header_seal(remains->bytes[file]);
                write_folder(remains, path);
                finding = fixture_recover(&remains->f, path);
                CHECK_EQ(finding.result, -EPROTONOSUPPORT);
                CHECK_EQ(finding.damages, 1);
                store_header_encode(&header, remains->bytes[file]);
                fixture_remove_folder(path);
                CHECK_EQ(find(remains, 1).sentences, 0);
                remains_free(remains);
        }
}
