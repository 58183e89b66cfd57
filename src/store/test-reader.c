/* A file as a reader sees it, in memory: memfd_create(). */
#include "store/reader.h"

#include "base/write-all.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 20 };

struct file {
        uint8_t bytes[FILE_MAX];
        size_t count;
        struct store_header header;
};

static struct file *file_new(enum store_kind kind)
{
        struct file *file = calloc(1, sizeof(*file));

        CHECK(file != NULL);
        file->header = (struct store_header){.kind = kind, .generation = 1, .first = 1, .salt = 99};
        store_header_encode(&file->header, file->bytes);
        file->count = STORE_HEADER;
        return file;
}

/* Where it begins. */
static size_t add(struct file *file, uint8_t type, uint64_t sequence, uint32_t count)
{
        size_t at = file->count;

        CHECK(count <= FILE_MAX - STORE_RECORD_HEADER - at);
        store_record_begin(file->bytes + at, type, sequence, count);
        memset(file->bytes + at + STORE_RECORD_HEADER, (int)sequence, count);
        file->count += store_record_seal(file->bytes + at, file->header.seed);
        return at;
}

static int reader_of(const struct file *file, struct store_reader *ret)
{
        int fd = memfd_create("test", MFD_CLOEXEC);

        CHECK(fd >= 0);
        CHECK_EQ(write_all(fd, file->bytes, file->count), 0);
        CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
        return store_reader_init(ret, fd);
}

TEST(records_of_all_sizes_are_read_in_order)
{
        static const uint32_t sizes[] = {0, 1, 65519, 65520, 65521, 300000, 7, 131072, 0};
        struct file *file = file_new(STORE_SEGMENT);
        struct store_reader reader;
        struct store_record record;

        for (size_t i = 0; i < 9; i++)
                add(file, 3, i + 1, sizes[i]);
        CHECK_EQ(reader_of(file, &reader), 0);
        CHECK_EQ(store_reader_offset(&reader), STORE_HEADER);
        for (size_t i = 0; i < 9; i++) {
                CHECK_EQ(store_reader_next(&reader, &record), STORE_READER_RECORD);
                CHECK_EQ(record.sequence, i + 1);
                CHECK_EQ(record.count, sizes[i]);
                for (uint32_t j = 0; j < record.count; j++)
                        CHECK_EQ(record.bytes[j], i + 1);
        }
        CHECK_EQ(store_reader_next(&reader, &record), STORE_READER_END);
        CHECK_EQ(store_reader_offset(&reader), file->count);
        CHECK_EQ(reader.error, 0);
        store_reader_done(&reader);
        free(file);
}

TEST(a_search_finds_the_next_whole_record_behind_damage)
{
        struct file *file = file_new(STORE_SEGMENT);
        struct store_reader reader;
        struct store_record record;
        size_t hit, after;

        add(file, 3, 1, 50);
        hit = add(file, 3, 2, 5000);
        after = add(file, 3, 3, 50);
        /* Its length is hit: nothing says where the next begins. */
        file->bytes[hit + 4] ^= 0x55;
        CHECK_EQ(reader_of(file, &reader), 0);
        CHECK_EQ(store_reader_next(&reader, &record), STORE_READER_RECORD);
        CHECK_EQ(store_reader_next(&reader, &record), -EBADMSG);
        CHECK_EQ(store_reader_offset(&reader), hit);
        CHECK_EQ(store_reader_search(&reader, 2, &record), STORE_READER_RECORD);
        CHECK_EQ(record.sequence, 3);
        CHECK_EQ(store_reader_offset(&reader), after + STORE_RECORD_HEADER + 50);
        CHECK_EQ(store_reader_next(&reader, &record), STORE_READER_END);
        store_reader_done(&reader);
        /* One that is older than what is looked for is none. */
        CHECK_EQ(reader_of(file, &reader), 0);
        CHECK_EQ(store_reader_search(&reader, 4, &record), STORE_READER_END);
        store_reader_done(&reader);
        free(file);
}

/* What a client can have written into a payload: as many long records as there is room for. */
TEST(the_work_of_a_search_is_bounded)
{
        struct file *file = file_new(STORE_SEGMENT);
        struct store_reader reader;
        struct store_record record;

        for (size_t at = STORE_HEADER; at + STORE_RECORD_HEADER <= FILE_MAX;
             at += STORE_RECORD_HEADER)
                store_record_begin(file->bytes + at, 1, 2,
                                   (uint32_t)(FILE_MAX - at - STORE_RECORD_HEADER));
        file->count = FILE_MAX;
        CHECK_EQ(reader_of(file, &reader), 0);
        CHECK_EQ(store_reader_next(&reader, &record), -EBADMSG);
        CHECK_EQ(store_reader_search(&reader, 1, &record), STORE_READER_END);
        CHECK(store_reader_offset(&reader) < STORE_HEADER + 20 * STORE_RECORD_HEADER);
        store_reader_done(&reader);
        free(file);
}

TEST(a_record_longer_than_its_file_costs_no_memory)
{
        struct file *file = file_new(STORE_SEGMENT);
        struct store_reader reader;
        struct store_record record;

        store_record_begin(file->bytes + file->count, 1, 1, UINT32_MAX);
        file->count += STORE_RECORD_HEADER;
        CHECK_EQ(reader_of(file, &reader), 0);
        CHECK_EQ(store_reader_next(&reader, &record), -EBADMSG);
        store_record_begin(file->bytes + STORE_HEADER, 1, 1, STORE_RECORD_MAX);
        store_reader_done(&reader);
        CHECK_EQ(reader_of(file, &reader), 0);
        CHECK_EQ(store_reader_next(&reader, &record), -EBADMSG);
        CHECK(reader.window.capacity < 1 << 20);
        store_reader_done(&reader);
        free(file);
}

TEST(what_is_no_file_of_ours_is_refused)
{
        struct file *file = file_new(STORE_SEGMENT);
        struct store_reader reader;

        file->count = STORE_HEADER - 1;
        CHECK_EQ(reader_of(file, &reader), -EBADMSG);
        CHECK_EQ(reader.size, STORE_HEADER - 1);
        store_reader_done(&reader);
        CHECK_EQ(store_reader_init(&reader, open("/", O_RDONLY | O_CLOEXEC)), -EBADMSG);
        store_reader_done(&reader);
        CHECK_EQ(store_reader_init(&reader, -ENOENT), -ENOENT);
        store_reader_done(&reader);
        free(file);
}

TEST(a_file_that_becomes_shorter_is_damaged)
{
        struct file *file = file_new(STORE_SEGMENT);
        struct store_reader reader;
        struct store_record record;

        add(file, 1, 1, 500000);
        CHECK_EQ(reader_of(file, &reader), 0);
        CHECK_EQ(ftruncate(reader.fd, 1000), 0);
        CHECK_EQ(store_reader_next(&reader, &record), -EBADMSG);
        CHECK_EQ(reader.error, -EIO);
        store_reader_done(&reader);
        free(file);
}

TEST(without_memory_a_record_is_not_damaged)
{
        struct file *file = file_new(STORE_SEGMENT);
        size_t n = 0;
        bool failed;

        add(file, 1, 1, 500000);
        do {
                struct store_reader reader;
                struct store_record record;
                int r;

                allocation_fail_at(++n);
                r = reader_of(file, &reader);
                if (r == 0)
                        r = store_reader_next(&reader, &record);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : STORE_READER_RECORD);
                store_reader_done(&reader);
        } while (failed);
        CHECK(n > 2);
        free(file);
}
