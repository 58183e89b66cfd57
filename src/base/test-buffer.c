#include "base/buffer.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>

TEST(content_grows_up_to_its_maximum_and_no_byte_further)
{
        struct buffer b;

        buffer_init(&b, 1000);
        for (int i = 0; i < 1000; i++)
                CHECK_EQ(buffer_append(&b, "x", 1), 0);
        CHECK_EQ(buffer_append(&b, "x", 1), -EMSGSIZE);
        CHECK_EQ(buffer_reserve(&b, SIZE_MAX), -EMSGSIZE);
        CHECK_EQ(buffer_length(&b), 1000);
        buffer_done(&b);
}

TEST(a_buffer_is_small_and_so_is_what_it_may_hold)
{
        struct buffer b;

        CHECK(sizeof(b) <= 24);
        buffer_init(&b, SIZE_MAX);
        CHECK_EQ(b.max, BUFFER_MAX);
        CHECK_EQ(buffer_append(&b, "x", 1), 0);
        CHECK_EQ(buffer_reserve(&b, BUFFER_MAX), -EMSGSIZE);
        CHECK_EQ(buffer_reserve(&b, SIZE_MAX), -EMSGSIZE);
        CHECK_EQ(buffer_length(&b), 1);
        buffer_done(&b);
}

TEST(an_empty_buffer_has_data_that_may_be_read_for_zero_bytes)
{
        struct buffer b;

        buffer_init(&b, 10);
        CHECK(buffer_data(&b) != NULL);
        CHECK_EQ(buffer_append(&b, NULL, 0), 0);
        CHECK_EQ(buffer_length(&b), 0);
        buffer_done(&b);
}

TEST(consumed_bytes_make_room_again_within_the_maximum)
{
        struct buffer b;

        buffer_init(&b, 300);
        for (int i = 0; i < 5000; i++) {
                char bytes[3] = {(char)i, (char)(i >> 8), 'z'};

                CHECK_EQ(buffer_append(&b, bytes, 3), 0);
                if (i >= 99) {
                        int old = i - 99;

                        CHECK_EQ(buffer_length(&b), 300);
                        CHECK_EQ(buffer_data(&b)[0], (char)old);
                        CHECK_EQ(buffer_data(&b)[1], (char)(old >> 8));
                        buffer_consume(&b, 3);
                }
        }
        CHECK(b.capacity <= 300);
        buffer_done(&b);
}

TEST(formatted_text_is_appended_whole_or_not_at_all)
{
        struct buffer b;

        buffer_init(&b, 8);
        CHECK_EQ(buffer_printf(&b, "%d-%s", 12, "ab"), 0);
        CHECK_EQ(buffer_printf(&b, "%s", "four"), -EMSGSIZE);
        CHECK_EQ(buffer_length(&b), 5);
        CHECK_EQ(memcmp(buffer_data(&b), "12-ab", 5), 0);
        CHECK_EQ(buffer_printf(&b, "%s", "xyz"), 0);
        CHECK_EQ(memcmp(buffer_data(&b), "12-abxyz", 8), 0);
        buffer_done(&b);
}

TEST(shrinking_keeps_the_content_and_an_empty_one_gives_all_back)
{
        struct buffer b;

        buffer_init(&b, 1 << 20);
        for (int i = 0; i < 10000; i++)
                CHECK_EQ(buffer_append_text(&b, "0123456789"), 0);
        buffer_consume(&b, 99990);
        buffer_shrink(&b, 64);
        CHECK_EQ(b.capacity, 64);
        CHECK_EQ(memcmp(buffer_data(&b), "0123456789", 10), 0);
        buffer_truncate(&b, 3);
        CHECK_EQ(buffer_length(&b), 3);
        buffer_truncate(&b, 0);
        buffer_shrink(&b, 0);
        CHECK_EQ(b.capacity, 0);
        CHECK_EQ(buffer_append_text(&b, "again"), 0);
        buffer_done(&b);
}

TEST(reserved_room_is_written_and_committed_in_place)
{
        struct buffer b;

        buffer_init(&b, 100);
        CHECK_EQ(buffer_append_text(&b, "ab"), 0);
        CHECK_EQ(buffer_reserve(&b, 50), 0);
        CHECK(buffer_room(&b) >= 50);
        memset(buffer_data(&b) + buffer_length(&b), 'c', 50);
        buffer_commit(&b, 50);
        CHECK_EQ(buffer_length(&b), 52);
        CHECK_EQ(buffer_data(&b)[51], 'c');
        buffer_done(&b);
}

TEST(without_memory_the_content_stays_as_it_was)
{
        size_t n = 0;
        bool failed;

        do {
                struct buffer b;
                int first, second, third;

                buffer_init(&b, 100000);
                allocation_fail_at(++n);
                first = buffer_append_text(&b, "0123456789");
                second = buffer_reserve(&b, 5000);
                third = buffer_printf(&b, "%020000d", 7);
                buffer_shrink(&b, 0);
                failed = allocation_end();
                CHECK_EQ(first, n == 1 ? -ENOMEM : 0);
                CHECK_EQ(second, n == 2 ? -ENOMEM : 0);
                CHECK_EQ(third, n == 3 ? -ENOMEM : 0);
                CHECK_EQ(buffer_length(&b), (n == 1 ? 0 : 10) + (n == 3 ? 0 : 20000));
                if (n != 1)
                        CHECK_EQ(memcmp(buffer_data(&b), "0123456789", 10), 0);
                buffer_done(&b);
        } while (failed);
        CHECK_EQ(n, 5);
}
