#include "supervisor/run-file.h"

#include "support/test.h"

#include <errno.h>
#include <linux/gpio.h>

static struct {
        struct run_file_header header;
        struct guard_hold holds[GUARD_HOLDS_MAX + 1];
} file;

static struct guard_hold found[GUARD_HOLDS_MAX];

static size_t fill(uint32_t count)
{
        memset(&file, 0, sizeof(file));
        file.header = (struct run_file_header){"pfguard", RUN_FILE_VERSION, count};
        for (uint32_t i = 0; i < count && i <= GUARD_HOLDS_MAX; i++)
                file.holds[i] = (struct guard_hold){.id = i,
                                                    .kind = GUARD_KIND_LINES,
                                                    .lines_count = 1,
                                                    .consumer = "pifleet:test",
                                                    .chip = "/dev/gpiochip0",
                                                    .actions = {GUARD_OFF},
                                                    .flags = {GPIO_V2_LINE_FLAG_OUTPUT}};
        return sizeof(file.header) + count * sizeof(file.holds[0]);
}

static int decode(size_t count)
{
        size_t holds = 999;
        int r = run_file_decode(&file, count, found, &holds);

        CHECK(r == 0 || holds == 999);
        CHECK(r < 0 || holds == file.header.count);
        return r;
}

TEST(what_is_sound_is_read_whole)
{
        CHECK_EQ(decode(fill(0)), 0);
        CHECK_EQ(decode(fill(1)), 0);
        CHECK_EQ(decode(fill(GUARD_HOLDS_MAX)), 0);
        CHECK_EQ(found[GUARD_HOLDS_MAX - 1].id, GUARD_HOLDS_MAX - 1);
}

TEST(every_other_length_is_refused)
{
        size_t right = fill(2);

        for (size_t count = 0; count < right; count++)
                CHECK_EQ(decode(count), -EBADMSG);
        CHECK_EQ(decode(right + 1), -EBADMSG);
        CHECK_EQ(decode(right), 0);
}

TEST(another_file_another_version_and_too_many_holds_are_refused)
{
        size_t count = fill(1);

        file.header.magic[0] = 'P';
        CHECK_EQ(decode(count), -EBADMSG);
        count = fill(1);
        file.header.magic[7] = 'x';
        CHECK_EQ(decode(count), -EBADMSG);
        count = fill(1);
        file.header.version++;
        CHECK_EQ(decode(count), -EBADMSG);
        CHECK_EQ(decode(fill(GUARD_HOLDS_MAX + 1)), -EBADMSG);
        count = fill(1);
        file.header.count = UINT32_MAX;
        CHECK_EQ(decode(count), -EBADMSG);
}

TEST(a_hold_that_is_not_sound_and_an_id_twice_are_refused)
{
        size_t count = fill(2);

        file.holds[1].lines_count = GUARD_LINES_MAX + 1;
        CHECK_EQ(decode(count), -EBADMSG);
        count = fill(2);
        file.holds[1].id = file.holds[0].id;
        CHECK_EQ(decode(count), -EBADMSG);
}
