/* Fuzzes the files of a log: an image and a segment, as they come or with sums that are right.
 * Whatever they hold, the start is not refused, and what is given back is in order.
 *
 * Input: flags, length of the image (little-endian, 16 bits), the image, the segment. */
#include "fuzz/fuzz.h"
#include "store/little-endian.h"
#include "store/recovery.h"
#include "store/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

enum { REPAIR_IMAGE = 1, REPAIR_SEGMENT = 2, WITHOUT_IMAGE = 4, SCHEMA = 5 };

struct heard {
        uint64_t last; /* sequence of a change */
        uint64_t changes;
        unsigned sentences;
};

static int on_replay(void *owner, const struct store_record *record, uint32_t schema, bool image)
{
        struct heard *heard = owner;
        volatile uint8_t last;

        MUST(record->type <= STORE_TYPE_MAX && record->count <= STORE_RECORD_MAX);
        if (record->count > 0)
                last = record->bytes[record->count - 1];
        (void)last;
        if (image)
                return 0;
        MUST(heard->changes == 0 || record->sequence == heard->last + 1);
        heard->last = record->sequence;
        heard->changes++;
        return 0;
}

static void on_report(void *owner, bool damage, const char *sentence)
{
        MUST(sentence[0] != '\0' && strlen(sentence) < 255);
        ((struct heard *)owner)->sentences++;
}

/* A header and sums that are right, so that what they protect is looked at. */
static void repair(uint8_t *bytes, size_t count, enum store_kind kind)
{
        struct store_header header = {.kind = kind, .generation = 1, .schema = SCHEMA};
        size_t at = STORE_HEADER;

        if (count < STORE_HEADER)
                return;
        header.first = 1 + bytes[28];
        header.fresh = bytes[14] & 1;
        store_header_encode(&header, bytes);
        while (count - at >= STORE_RECORD_HEADER) {
                struct store_record record;

                store_record_peek(bytes + at, &record);
                if (record.count > count - at - STORE_RECORD_HEADER)
                        return;
                at += store_record_seal(bytes + at, header.seed);
        }
}

static void write_file(int folder_fd, enum store_kind kind, const uint8_t *bytes, size_t count,
                       bool repaired)
{
        char name[STORE_NAME_SIZE];
        uint8_t *copy = malloc(count + 1);
        int fd;

        MUST(copy != NULL);
        memcpy(copy, bytes, count);
        if (repaired)
                repair(copy, count, kind);
        store_name(name, 1, kind);
        fd = openat(folder_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        MUST(fd >= 0 && write(fd, copy, count) == (ssize_t)count);
        close(fd);
        free(copy);
}

static void empty_folder(int folder_fd)
{
        static const enum store_kind kinds[] = {STORE_IMAGE, STORE_SEGMENT};
        char name[STORE_NAME_SIZE];

        for (size_t i = 0; i < 2; i++) {
                store_name(name, 1, kinds[i]);
                unlinkat(folder_fd, name, 0);
                store_name_damaged(name, 1, kinds[i]);
                unlinkat(folder_fd, name, 0);
        }
}

static struct heard recover(int folder_fd)
{
        struct heard heard = {0};
        const struct store_log_owner owner = {
                .owner = &heard,
                .replay = on_replay,
                .report = on_report,
        };
        struct store_recovery recovery;
        int r = store_recover(folder_fd, &owner, &recovery);

        MUST(r == 0 || r == -EPROTONOSUPPORT);
        if (r == 0) {
                MUST(recovery.generation == 2 || recovery.generation == 1);
                MUST(recovery.sequence >= heard.last && recovery.sequence <= STORE_SEQUENCE_MAX);
        }
        return heard;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
        char path[64];
        struct heard first, again;
        size_t image;
        int fd;

        if (count < 3)
                return 0;
        image = get_u16(bytes + 1);
        if (image > count - 3)
                image = count - 3;
        snprintf(path, sizeof(path), "%s/fuzz-store-XXXXXX",
                 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        MUST(mkdtemp(path) != NULL);
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        MUST(fd >= 0);
        if (!(bytes[0] & WITHOUT_IMAGE))
                write_file(fd, STORE_IMAGE, bytes + 3, image, bytes[0] & REPAIR_IMAGE);
        write_file(fd, STORE_SEGMENT, bytes + 3 + image, count - 3 - image,
                   bytes[0] & REPAIR_SEGMENT);
        first = recover(fd);
        /* What was kept beside is not read again; nothing comes out of nowhere. */
        again = recover(fd);
        MUST(again.changes <= first.changes);
        empty_folder(fd);
        close(fd);
        MUST(rmdir(path) == 0);
        return 0;
}
