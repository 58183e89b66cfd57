#include "bench/mqtt/link.h"
#include "support/test.h"

#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SEEN_MAX = 8 };

/* Both ends of a connection in one thread: the kernel keeps what is written. */
struct fixture {
        struct links links;
        struct link link;
        int broker;
        unsigned count;
        enum wire_type seen[SEEN_MAX];
        int result; /* what on_packet returns */
};

static int on_packet(void *owner, struct link *link, const struct wire_packet *packet)
{
        struct fixture *f = owner;
        const uint8_t answer[] = {(uint8_t)f->count, '.'};

        CHECK(f->count < SEEN_MAX);
        f->seen[f->count++] = packet->type;
        CHECK_EQ(link_append(link, answer, sizeof(answer)), 0);
        return f->result;
}

static void fixture_init(struct fixture *f)
{
        int ends[2];

        *f = (struct fixture){.link.fd = -1};
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        CHECK_EQ(links_init(&f->links, on_packet, f), 0);
        f->link.fd = ends[0];
        f->broker = ends[1];
        CHECK_EQ(links_add(&f->links, &f->link), 0);
}

static void fixture_done(struct fixture *f)
{
        link_close(&f->link);
        links_done(&f->links);
        if (f->broker >= 0)
                close(f->broker);
}

static void say(struct fixture *f, const void *bytes, size_t count)
{
        CHECK_EQ(send(f->broker, bytes, count, 0), count);
}

static const uint8_t puback[] = {0x40, 2, 0, 1};

TEST(packets_arrive_whole_however_they_are_cut)
{
        struct fixture f;

        fixture_init(&f);
        for (size_t i = 0; i < 2 * sizeof(puback); i++) {
                say(&f, &puback[i % sizeof(puback)], 1);
                CHECK_EQ(links_turn(&f.links, 1000), 1);
                CHECK_EQ(f.count, (i + 1) / sizeof(puback));
        }
        CHECK_EQ(f.seen[1], WIRE_PUBACK);
        fixture_done(&f);
}

TEST(all_answers_to_a_read_leave_in_one_write)
{
        struct fixture f;
        uint8_t bytes[3 * sizeof(puback) - 1], heard[16];

        fixture_init(&f);
        for (size_t i = 0; i < sizeof(bytes); i++)
                bytes[i] = puback[i % sizeof(puback)];
        say(&f, bytes, sizeof(bytes));
        CHECK_EQ(links_turn(&f.links, 1000), 1);
        CHECK_EQ(f.count, 2);
        CHECK_EQ(recv(f.broker, heard, sizeof(heard), MSG_DONTWAIT), 4);
        CHECK(memcmp(heard, "\0.\1.", 4) == 0);
        CHECK_EQ(f.link.out_length, 0);
        fixture_done(&f);
}

TEST(what_the_socket_does_not_take_leaves_when_it_does)
{
        static uint8_t much[1024 * 1024], heard[64 * 1024];
        struct fixture f;
        size_t got = 0;

        fixture_init(&f);
        for (size_t i = 0; i < sizeof(much); i++)
                much[i] = (uint8_t)(i / 251);
        CHECK_EQ(link_append(&f.link, much, sizeof(much)), 0);
        CHECK_EQ(link_flush(&f.link, f.links.epoll_fd), 0);
        CHECK(f.link.waits_for_room);
        while (got < sizeof(much)) {
                ssize_t count = recv(f.broker, heard, sizeof(heard), MSG_DONTWAIT);

                if (count < 0) {
                        CHECK_EQ(links_turn(&f.links, 1000), 1);
                        continue;
                }
                CHECK(memcmp(heard, much + got, (size_t)count) == 0);
                got += (size_t)count;
        }
        CHECK(!f.link.waits_for_room);
        fixture_done(&f);
}

TEST(a_broker_that_hangs_up_or_lies_or_is_silent_is_told_of)
{
        static const uint8_t lie[] = {0x30, 0xff, 0xff, 0xff, 0xff};
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(links_turn(&f.links, 0), 0);
        f.result = -EBADMSG;
        say(&f, puback, sizeof(puback));
        CHECK_EQ(links_turn(&f.links, 1000), -EBADMSG);
        say(&f, lie, sizeof(lie));
        CHECK_EQ(links_turn(&f.links, 1000), -EPROTO);
        CHECK_EQ(recv(f.broker, (uint8_t[8]){0}, 8, MSG_DONTWAIT), -1);
        close(f.broker);
        f.broker = -1;
        CHECK_EQ(links_turn(&f.links, 1000), -ECONNRESET);
        fixture_done(&f);
}

TEST(output_has_a_bound)
{
        static uint8_t part[1024 * 1024];
        struct fixture f;
        int r = 0;

        fixture_init(&f);
        while (r == 0)
                r = link_append(&f.link, part, sizeof(part));
        CHECK_EQ(r, -ENOBUFS);
        CHECK(f.link.out_length >= LINK_OUT_MAX / 4 && f.link.out_length <= LINK_OUT_MAX);
        fixture_done(&f);
}

/* A broker that answers the first two packets of one client with these bytes. */
struct answers {
        int listener;
        struct sockaddr_in address;
        const uint8_t *bytes[2];
        size_t counts[2];
};

static void *answer(void *argument)
{
        struct answers *answers = argument;
        int fd = accept(answers->listener, NULL, NULL);
        uint8_t heard[256];

        for (unsigned i = 0; fd >= 0 && i < 2 && answers->counts[i] > 0; i++)
                if (recv(fd, heard, sizeof(heard), 0) <= 0 ||
                    send(fd, answers->bytes[i], answers->counts[i], MSG_NOSIGNAL) < 0)
                        break;
        close(fd);
        return NULL;
}

static void set_up(struct answers *answers, int opened, int subscribed)
{
        const struct wire_text filter = wire_text_of("#");
        socklen_t size = sizeof(answers->address);
        struct link_plan plan = {.lasting = false};
        struct link link;
        pthread_t thread;

        answers->address = (struct sockaddr_in){.sin_family = AF_INET,
                                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        answers->listener = socket(AF_INET, SOCK_STREAM, 0);
        CHECK_EQ(bind(answers->listener, (struct sockaddr *)&answers->address, size), 0);
        CHECK_EQ(listen(answers->listener, 1), 0);
        CHECK_EQ(getsockname(answers->listener, (struct sockaddr *)&answers->address, &size), 0);
        CHECK_EQ(pthread_create(&thread, NULL, answer, answers), 0);
        plan.broker = answers->address;
        CHECK_EQ(link_open(&link, &plan, 3, "me"), opened);
        if (opened == 0)
                CHECK_EQ(link_subscribe(&link, 1, &filter, 1, 1), subscribed);
        link_close(&link);
        CHECK_EQ(pthread_join(thread, NULL), 0);
        close(answers->listener);
}

TEST(a_set_up_ends_well_only_with_the_answers_that_are_due)
{
        static const uint8_t accepted[] = {0x20, 2, 0, 0}, refused[] = {0x20, 2, 0, 5};
        static const uint8_t granted[] = {0x90, 3, 0, 1, 1}, denied[] = {0x90, 3, 0, 1, 0x80};
        static const uint8_t lower[] = {0x90, 3, 0, 1, 0}, empty[] = {0x90, 2, 0, 1};
        struct answers answers = {.bytes = {accepted, granted}, .counts = {4, 5}};

        set_up(&answers, 0, 0);
        answers.bytes[1] = denied;
        set_up(&answers, 0, -EACCES);
        answers.bytes[1] = lower;
        set_up(&answers, 0, -EACCES);
        answers.bytes[1] = empty;
        answers.counts[1] = sizeof(empty);
        set_up(&answers, 0, -EPROTO);
        answers.bytes[1] = accepted;
        set_up(&answers, 0, -EPROTO);

        answers.counts[1] = 0;
        answers.bytes[0] = refused;
        set_up(&answers, -ECONNREFUSED, 0);
        answers.bytes[0] = puback;
        set_up(&answers, -EPROTO, 0);
        answers.bytes[0] = accepted;
        answers.counts[0] = 3;
        set_up(&answers, -ECONNRESET, 0);
}
