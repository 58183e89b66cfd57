#include "bench/mqtt/ledger.h"
#include "support/test.h"

#include <errno.h>

static struct ledger *ledger_of(struct ledger_plan plan)
{
        struct ledger *ledger = NULL;

        CHECK_EQ(ledger_new(&plan, &ledger), 0);
        return ledger;
}

static struct ledger *pair_of(unsigned window, unsigned per_write, bool acknowledged)
{
        return ledger_of((struct ledger_plan){.publishers = 1,
                                              .receivers = 1,
                                              .lanes = 1,
                                              .copies = 1,
                                              .window = window,
                                              .per_write = per_write,
                                              .acknowledged = acknowledged});
}

static void publish(struct ledger *ledger, unsigned count)
{
        uint16_t id;

        for (unsigned i = 0; i < count; i++)
                ledger_publish(ledger, 0, 0, &id);
}

TEST(a_window_has_room_when_a_whole_write_fits)
{
        struct ledger *ledger = pair_of(6, 3, false);

        CHECK(ledger_has_room(ledger, 0));
        publish(ledger, 3);
        CHECK(ledger_has_room(ledger, 0));
        publish(ledger, 3);
        CHECK(!ledger_has_room(ledger, 0));
        CHECK_EQ(ledger_deliver(ledger, 0, 0, 0, 0), 0);
        CHECK_EQ(ledger_deliver(ledger, 0, 0, 0, 1), 0);
        CHECK(!ledger_has_room(ledger, 0));
        CHECK_EQ(ledger_deliver(ledger, 0, 0, 0, 2), 0);
        CHECK(ledger_has_room(ledger, 0));
        CHECK_EQ(ledger_under_way(ledger), 3);
        ledger_free(ledger);
}

TEST(with_qos_1_and_2_a_message_is_done_when_it_is_acknowledged_too)
{
        struct ledger *ledger = pair_of(1, 1, true);

        publish(ledger, 1);
        CHECK_EQ(ledger_deliver(ledger, 0, 0, 0, 0), 0);
        CHECK(!ledger_has_room(ledger, 0));
        CHECK_EQ(ledger_under_way(ledger), 1);
        CHECK_EQ(ledger_acknowledge(ledger, 0, 1), 0);
        CHECK(ledger_has_room(ledger, 0));
        CHECK_EQ(ledger_under_way(ledger), 0);
        ledger_free(ledger);
}

TEST(acknowledgements_come_in_order_and_for_what_was_published)
{
        struct ledger *ledger = pair_of(2, 1, true);

        CHECK_EQ(ledger_acknowledge(ledger, 0, 1), -EBADMSG);
        publish(ledger, 2);
        CHECK_EQ(ledger_acknowledge(ledger, 0, 2), -EBADMSG);
        CHECK_EQ(ledger_acknowledge(ledger, 0, 1), 0);
        CHECK_EQ(ledger_acknowledge(ledger, 0, 1), -EBADMSG);
        CHECK_EQ(ledger_acknowledge(ledger, 0, 2), 0);
        ledger_free(ledger);
}

TEST(identifiers_are_never_0)
{
        struct ledger *ledger = pair_of(1, 1, true);
        uint16_t id;

        for (unsigned i = 0; i < 70000; i++) {
                CHECK_EQ(ledger_publish(ledger, 0, 0, &id), i);
                CHECK(id != 0);
                CHECK_EQ(ledger_acknowledge(ledger, 0, id), 0);
        }
        CHECK_EQ(id, 70000 - 65535);
        ledger_free(ledger);
}

TEST(a_gap_is_a_loss_and_gives_its_room_back)
{
        struct ledger *ledger = pair_of(4, 4, false);

        publish(ledger, 4);
        CHECK_EQ(ledger_deliver(ledger, 0, 0, 0, 0), 0);
        CHECK_EQ(ledger_deliver(ledger, 0, 0, 0, 3), 0);
        CHECK_EQ(ledger_lost(ledger), 2);
        CHECK_EQ(ledger_delivered(ledger), 2);
        CHECK_EQ(ledger_under_way(ledger), 0);
        CHECK(ledger_has_room(ledger, 0));
        ledger_free(ledger);
}

TEST(what_comes_twice_or_late_or_was_never_published_is_an_error)
{
        struct ledger *ledger = pair_of(4, 4, false);

        CHECK_EQ(ledger_deliver(ledger, 0, 0, 0, 0), -EBADMSG);
        publish(ledger, 4);
        CHECK_EQ(ledger_deliver(ledger, 0, 0, 0, 1), 0);
        CHECK_EQ(ledger_deliver(ledger, 0, 0, 0, 1), -EBADMSG);
        CHECK_EQ(ledger_deliver(ledger, 0, 0, 0, 0), -EBADMSG);
        CHECK_EQ(ledger_deliver(ledger, 0, 0, 0, 4), -EBADMSG);
        CHECK_EQ(ledger_deliver(ledger, 1, 0, 0, 2), -EBADMSG);
        CHECK_EQ(ledger_deliver(ledger, 0, 1, 0, 2), -EBADMSG);
        CHECK_EQ(ledger_deliver(ledger, 0, 0, 1, 2), -EBADMSG);
        ledger_free(ledger);
}

TEST(every_receiver_has_its_own_copy)
{
        struct ledger *ledger = ledger_of((struct ledger_plan){.publishers = 1,
                                                               .receivers = 2,
                                                               .lanes = 1,
                                                               .copies = 2,
                                                               .window = 1,
                                                               .per_write = 1});

        publish(ledger, 1);
        CHECK_EQ(ledger_under_way(ledger), 2);
        CHECK_EQ(ledger_deliver(ledger, 1, 0, 0, 0), 0);
        CHECK(!ledger_has_room(ledger, 0));
        CHECK_EQ(ledger_deliver(ledger, 1, 0, 0, 0), -EBADMSG);
        CHECK_EQ(ledger_deliver(ledger, 0, 0, 0, 0), 0);
        CHECK(ledger_has_room(ledger, 0));
        ledger_free(ledger);
}

TEST(lanes_are_numbered_by_themselves)
{
        struct ledger *ledger = ledger_of((struct ledger_plan){.publishers = 2,
                                                               .receivers = 2,
                                                               .lanes = 2,
                                                               .copies = 1,
                                                               .window = 4,
                                                               .per_write = 1});
        uint16_t id;

        CHECK_EQ(ledger_publish(ledger, 1, 0, &id), 0);
        CHECK_EQ(ledger_publish(ledger, 1, 1, &id), 0);
        CHECK_EQ(ledger_publish(ledger, 1, 1, &id), 1);
        CHECK_EQ(id, 3);
        CHECK_EQ(ledger_publish(ledger, 0, 1, &id), 0);
        CHECK_EQ(id, 1);
        CHECK_EQ(ledger_deliver(ledger, 1, 1, 1, 1), 0);
        CHECK_EQ(ledger_lost(ledger), 1);
        CHECK_EQ(ledger_deliver(ledger, 0, 1, 0, 0), 0);
        CHECK_EQ(ledger_deliver(ledger, 1, 0, 1, 0), 0);
        CHECK_EQ(ledger_under_way(ledger), 0);
        ledger_free(ledger);
}

TEST(numbers_that_do_not_go_together_are_refused)
{
        struct ledger_plan plan = {.publishers = 1, .receivers = 1, .lanes = 1, .copies = 1};
        struct ledger *ledger = NULL;
        const unsigned wrong[][2] = {{0, 1}, {1, 0}, {5, 2}, {1, 2}, {32769, 1}};

        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                plan.window = wrong[i][0];
                plan.per_write = wrong[i][1];
                CHECK_EQ(ledger_new(&plan, &ledger), -EINVAL);
        }
        CHECK_NULL(ledger);
        CHECK_NULL(ledger_free(NULL));
}
