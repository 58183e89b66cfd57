#include "access/verified.h"
#include "base/attributes.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <stdio.h>

static const uint64_t start_ms = 5000;

static void mark_of(const struct verified *verified, const char *token, struct verified_mark *ret)
{
        struct verified_text texts[] = {{"a hash", 6}, {token, strlen(token)}};

        verified_mark(verified, texts, ARRAY_SIZE(texts), ret);
}

static int find(const struct verified *verified, const char *token, uint64_t now_ms, size_t *owner)
{
        struct verified_mark mark;

        mark_of(verified, token, &mark);
        return verified_find(verified, &mark, now_ms, owner);
}

static void put(struct verified *verified, const char *token, size_t owner, uint64_t now_ms)
{
        struct verified_mark mark;

        mark_of(verified, token, &mark);
        verified_put(verified, &mark, owner, now_ms);
}

TEST(an_empty_memory_knows_nothing)
{
        AUTO(verified) struct verified *verified = NULL;
        static const struct verified_mark zero;
        size_t owner = 77;

        CHECK_EQ(verified_new(&verified), 0);
        CHECK_EQ(find(verified, "hunter22", start_ms, &owner), 0);
        CHECK_EQ(find(verified, "", start_ms, &owner), 0);
        CHECK_EQ(verified_find(verified, &zero, start_ms, &owner), 0);
        CHECK_EQ(owner, 77);
}

TEST(a_token_is_remembered_with_its_owner)
{
        AUTO(verified) struct verified *verified = NULL;
        size_t owner = 77;

        CHECK_EQ(verified_new(&verified), 0);
        put(verified, "hunter22", 3, start_ms);
        CHECK_EQ(find(verified, "hunter22", start_ms, &owner), 1);
        CHECK_EQ(owner, 3);
        CHECK_EQ(find(verified, "hunter23", start_ms, &owner), 0);
        CHECK_EQ(find(verified, "hunter2", start_ms, &owner), 0);
}

TEST(five_minutes_later_it_is_forgotten_and_being_asked_for_does_not_prolong_that)
{
        AUTO(verified) struct verified *verified = NULL;
        size_t owner;

        CHECK_EQ(verified_new(&verified), 0);
        put(verified, "hunter22", 3, start_ms);
        CHECK_EQ(find(verified, "hunter22", start_ms + 150000, &owner), 1);
        CHECK_EQ(find(verified, "hunter22", start_ms + 299999, &owner), 1);
        CHECK_EQ(find(verified, "hunter22", start_ms + 300000, &owner), 0);
}

TEST(the_oldest_makes_room)
{
        AUTO(verified) struct verified *verified = NULL;
        char token[32];
        size_t owner;

        CHECK_EQ(verified_new(&verified), 0);
        for (unsigned i = 0; i <= VERIFIED_MAX; i++) {
                snprintf(token, sizeof token, "token number %u", i);
                put(verified, token, i, start_ms + i);
        }
        CHECK_EQ(find(verified, "token number 0", start_ms + 100, &owner), 0);
        for (unsigned i = 1; i <= VERIFIED_MAX; i++) {
                snprintf(token, sizeof token, "token number %u", i);
                CHECK_EQ(find(verified, token, start_ms + 100, &owner), 1);
                CHECK_EQ(owner, i);
        }
}

TEST(a_token_that_is_found_good_again_takes_one_place_only)
{
        AUTO(verified) struct verified *verified = NULL;
        size_t owner;

        CHECK_EQ(verified_new(&verified), 0);
        put(verified, "the first", 1, start_ms);
        for (unsigned i = 0; i < VERIFIED_MAX * 2; i++)
                put(verified, "again and again", 2, start_ms + 1 + i);
        CHECK_EQ(find(verified, "the first", start_ms + 200, &owner), 1);
        CHECK_EQ(owner, 1);
}

TEST(two_processes_know_a_token_by_different_marks)
{
        AUTO(verified) struct verified *one = NULL;
        AUTO(verified) struct verified *other = NULL;
        struct verified_mark mark_of_one, mark_of_other;

        CHECK_EQ(verified_new(&one), 0);
        CHECK_EQ(verified_new(&other), 0);
        mark_of(one, "hunter22", &mark_of_one);
        mark_of(other, "hunter22", &mark_of_other);
        CHECK(memcmp(&mark_of_one, &mark_of_other, sizeof mark_of_one) != 0);
}

TEST(where_one_text_ends_and_the_next_begins_makes_a_difference)
{
        AUTO(verified) struct verified *verified = NULL;
        struct verified_text one[] = {{"ab", 2}, {"c", 1}}, other[] = {{"a", 1}, {"bc", 2}};
        struct verified_mark mark_of_one, mark_of_other;

        CHECK_EQ(verified_new(&verified), 0);
        verified_mark(verified, one, 2, &mark_of_one);
        verified_mark(verified, other, 2, &mark_of_other);
        CHECK(memcmp(&mark_of_one, &mark_of_other, sizeof mark_of_one) != 0);
}

TEST(without_memory_nothing_is_remembered)
{
        struct verified *verified = NULL;
        int r;

        allocation_fail_at(1);
        r = verified_new(&verified);
        CHECK(allocation_end());
        CHECK_EQ(r, -ENOMEM);
        CHECK_NULL(verified);
}
