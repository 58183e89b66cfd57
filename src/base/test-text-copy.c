#include "base/text-copy.h"

#include "support/allocation.h"
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

TEST(bytes_without_an_end_get_one)
{
        const char bytes[] = {'a', 'b', 'c'};
        char *copy = text_copy(bytes, 2), *empty = text_copy(NULL, 0);

        CHECK_TEXT(copy, "ab");
        CHECK_TEXT(empty, "");
        free(copy);
        free(empty);
}

TEST(text_is_cut_where_its_place_ends)
{
        char place[4];

        text_copy_into(place, sizeof(place), "ab");
        CHECK_TEXT(place, "ab");
        text_copy_into(place, sizeof(place), "abc");
        CHECK_TEXT(place, "abc");
        text_copy_into(place, sizeof(place), "abcd");
        CHECK_TEXT(place, "abc");
        text_copy_into(place, sizeof(place), NULL);
        CHECK_TEXT(place, "");
        text_copy_into(place, 1, "a");
        CHECK_TEXT(place, "");
}

TEST(nothing_beyond_the_place_is_read)
{
        char *bytes = malloc(2), place[3];

        /* Without a NUL: a look at a third byte is AddressSanitizer's to find. */
        memcpy(bytes, "ab", 2);
        text_copy_into(place, sizeof(place), bytes);
        CHECK_TEXT(place, "ab");
        free(bytes);
}

TEST(without_memory_there_is_no_copy)
{
        char *copy;

        allocation_fail_at(1);
        copy = text_copy("ab", 2);
        CHECK(allocation_end());
        CHECK_NULL(copy);
}
