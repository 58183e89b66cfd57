#include "command/bus.h"

#include "support/test.h"

#include <errno.h>

static const struct command_event_type number_event = {.name = "test.number", .size = sizeof(int)};
static const struct command_event_type other_event = {.name = "test.other", .size = sizeof(int)};

struct listener {
        struct command_bus *bus;
        struct command_subscription *subscription;
        int seen[16];
        size_t count;
        uint64_t lost;
        int answer; /* published again for each event while above 0 */
        bool leaves;
        bool inside; /* on_event */
};

static void on_event(void *owner, const struct command_event *event, uint64_t lost)
{
        struct listener *l = owner;

        CHECK(!l->inside);
        l->inside = true;
        CHECK(l->count < 16);
        l->seen[l->count++] = *(const int *)event->payload;
        l->lost += lost;
        if (l->answer > 0) {
                l->answer--;
                command_bus_publish(l->bus, &number_event, &l->answer);
        }
        if (l->leaves)
                l->subscription = command_subscription_free(l->subscription);
        l->inside = false;
}

struct fixture {
        struct loop *loop;
        struct command_bus *bus;
};

static struct fixture fixture_new(void)
{
        struct fixture f;

        CHECK_EQ(loop_new_virtual(1000, &f.loop), 0);
        CHECK_EQ(command_bus_new(f.loop, &f.bus), 0);
        return f;
}

static void fixture_free(struct fixture *f)
{
        command_bus_free(f->bus);
        loop_free(f->loop);
}

static void listen_to(struct fixture *f, struct listener *l, const struct command_event_type *type,
                      size_t capacity)
{
        l->bus = f->bus;
        CHECK_EQ(command_bus_subscribe(f->bus, type, capacity, on_event, l, &l->subscription), 0);
}

static void publish(struct fixture *f, const struct command_event_type *type, int number)
{
        command_bus_publish(f->bus, type, &number);
}

TEST(an_event_is_delivered_at_the_end_of_the_round_and_not_before)
{
        struct fixture f = fixture_new();
        struct listener l = {0};

        listen_to(&f, &l, &number_event, 4);
        publish(&f, &number_event, 7);
        CHECK_EQ(l.count, 0);
        loop_run_once(f.loop, 0);
        CHECK_EQ(l.count, 1);
        CHECK_EQ(l.seen[0], 7);
        command_subscription_free(l.subscription);
        fixture_free(&f);
}

TEST(a_subscriber_hears_only_the_type_it_asked_for_or_all)
{
        struct fixture f = fixture_new();
        struct listener one = {0}, all = {0};

        listen_to(&f, &one, &other_event, 4);
        listen_to(&f, &all, NULL, 4);
        publish(&f, &number_event, 1);
        publish(&f, &other_event, 2);
        loop_run_once(f.loop, 0);
        CHECK_EQ(one.count, 1);
        CHECK_EQ(one.seen[0], 2);
        CHECK_EQ(all.count, 2);
        command_subscription_free(one.subscription);
        command_subscription_free(all.subscription);
        fixture_free(&f);
}

TEST(a_full_ring_drops_its_oldest_and_says_how_many)
{
        struct fixture f = fixture_new();
        struct listener l = {0};

        listen_to(&f, &l, &number_event, 3);
        for (int i = 0; i < 8; i++)
                publish(&f, &number_event, i);
        loop_run_once(f.loop, 0);
        CHECK_EQ(l.count, 3);
        CHECK_EQ(l.seen[0], 5);
        CHECK_EQ(l.seen[2], 7);
        CHECK_EQ(l.lost, 5);
        command_subscription_free(l.subscription);
        fixture_free(&f);
}

TEST(a_subscriber_that_publishes_is_not_entered_again_and_hears_it_later)
{
        struct fixture f = fixture_new();
        struct listener l = {.answer = 2};

        listen_to(&f, &l, &number_event, 4);
        publish(&f, &number_event, 9);
        for (unsigned round = 0; round < 4; round++)
                loop_run_once(f.loop, 0);
        CHECK_EQ(l.count, 3);
        CHECK_EQ(l.seen[0], 9);
        CHECK_EQ(l.seen[2], 0);
        command_subscription_free(l.subscription);
        fixture_free(&f);
}

TEST(a_subscriber_may_leave_while_it_is_being_told)
{
        struct fixture f = fixture_new();
        struct listener first = {.leaves = true}, second = {0};

        listen_to(&f, &first, &number_event, 4);
        listen_to(&f, &second, &number_event, 4);
        publish(&f, &number_event, 1);
        publish(&f, &number_event, 2);
        loop_run_once(f.loop, 0);
        CHECK_EQ(first.count, 1);
        CHECK_EQ(second.count, 2);
        command_subscription_free(second.subscription);
        fixture_free(&f);
}

TEST(no_more_subscribers_than_the_bus_has_room_for)
{
        struct fixture f = fixture_new();
        struct command_subscription *subscriptions[COMMAND_BUS_SUBSCRIBERS_MAX], *more;

        for (size_t i = 0; i < COMMAND_BUS_SUBSCRIBERS_MAX; i++)
                CHECK_EQ(command_bus_subscribe(f.bus, &number_event, 1, on_event, NULL,
                                               &subscriptions[i]),
                         0);
        CHECK_EQ(command_bus_subscribe(f.bus, &number_event, 1, on_event, NULL, &more), -ENOSPC);
        for (size_t i = 0; i < COMMAND_BUS_SUBSCRIBERS_MAX; i++)
                command_subscription_free(subscriptions[i]);
        CHECK_EQ(command_bus_subscribe(f.bus, &number_event, 0, on_event, NULL, &more), -EINVAL);
        fixture_free(&f);
}
