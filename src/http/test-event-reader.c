/* Readers of events: how they begin, what they miss, and when their time is over. */
#include "http/event-reader.h"
#include "http/server-fixture.h"

#include <stdio.h>
#include <unistd.h>

static const struct http_event_terms terms = {
        .pending = 64 << 10, .life_ms = 3600000, .stall_ms = 60000};

static void on_gone(void *owner)
{
        struct fixture *f = owner;

        f->held = NULL;
        f->gone++;
}

/* A client, which reads from here on. */
static int begin(struct fixture *f, struct http_event_reader *reader)
{
        int fd = fixture_begin(f, NULL);

        say(f, fd, "GET /hold HTTP/1.0\r\n\r\n");
        CHECK(f->held != NULL);
        http_event_reader_begin(reader, f->held, f->loop, &terms, on_gone, f);
        return fd;
}

static void end(struct fixture *f, int fd)
{
        http_exchange_finish(f->held);
        fixture_end(f, fd);
        CHECK_EQ(f->gone, 0);
}

/* Until it misses what comes; how many it will have got. */
static unsigned fill(struct fixture *f, struct http_event_reader *reader)
{
        static char event[8 << 10];
        unsigned sent = 0;

        memset(event, 'x', sizeof(event));
        event[sizeof(event) - 1] = '\n';
        while (reader->missed == 0) {
                http_event_reader_send(reader, event, sizeof(event));
                turn(f);
                CHECK(++sent < 1000);
        }
        return sent - 1;
}

TEST(a_reader_is_told_what_comes_and_when_to_come_again)
{
        struct http_event_reader reader = {0};
        struct fixture f;
        int fd = begin(&f, &reader);

        CHECK_TEXT(hear(&f, fd), "HTTP/1.1 200 OK\r\nConnection: close\r\n"
                                 "Content-Type: text/event-stream\r\nCache-Control: no-store\r\n"
                                 "X-Content-Type-Options: nosniff\r\nX-Accel-Buffering: no\r\n\r\n"
                                 "retry: 3000\n\n");
        http_event_reader_send(&reader, "data: a\n\n", 9);
        http_event_reader_send(&reader, "data: b\n\n", 9);
        CHECK_TEXT(hear(&f, fd), "data: a\n\ndata: b\n\n");
        CHECK(!http_event_reader_keep_alive(&reader));
        CHECK_TEXT(hear(&f, fd), ":\n\n");
        end(&f, fd);
}

TEST(what_it_has_missed_before_is_told_first)
{
        struct http_event_reader reader = {.missed = 7, .missed_more = true};
        struct fixture f;
        int fd = begin(&f, &reader);

        CHECK(strstr(hear(&f, fd), "retry: 3000\n\nevent: missed\ndata: "
                                   "{\"type\":\"missed\",\"timestamp\":") != NULL);
        CHECK_EQ(reader.missed, 0);
        reader.missed = 7;
        http_event_reader_send(&reader, "data: a\n\n", 9);
        CHECK(strstr(hear(&f, fd), ",\"count\":7}\n\ndata: a\n\n") != NULL);
        reader.missed_more = true;
        http_event_reader_send(&reader, "data: a\n\n", 9);
        CHECK(strstr(hear(&f, fd), ",\"count\":null}\n\ndata: a\n\n") != NULL);
        http_event_reader_send(&reader, "data: b\n\n", 9);
        CHECK_TEXT(hear(&f, fd), "data: b\n\n");
        end(&f, fd);
}

TEST(a_slow_reader_misses_what_there_is_no_room_for)
{
        struct http_event_reader reader = {0};
        struct fixture f;
        int fd = begin(&f, &reader);
        const char *heard;
        unsigned sent, got = 0;

        sent = fill(&f, &reader);
        /* A comment would only make it worse. */
        CHECK(!http_event_reader_keep_alive(&reader));
        heard = hear(&f, fd);
        for (const char *at = heard; (at = strstr(at, "x\n")); at++)
                got++;
        CHECK_EQ(got, sent);
        CHECK_TEXT(heard + strlen(heard) - 2, "x\n");
        CHECK_EQ(reader.missed, 1);
        http_event_reader_send(&reader, "data: a\n\n", 9);
        CHECK(strstr(hear(&f, fd), ",\"count\":1}\n\ndata: a\n\n") != NULL);
        end(&f, fd);
}

TEST(who_reads_nothing_for_too_long_is_to_go)
{
        struct http_event_reader reader = {0};
        struct fixture f;
        int fd = begin(&f, &reader);

        fill(&f, &reader);
        loop_advance_ms(f.loop, terms.stall_ms - 1);
        CHECK(!http_event_reader_keep_alive(&reader));
        loop_advance_ms(f.loop, 1);
        CHECK(http_event_reader_keep_alive(&reader));
        /* Whoever reads again has time again. */
        (void)hear(&f, fd);
        http_event_reader_send(&reader, "data: a\n\n", 9);
        CHECK(!http_event_reader_keep_alive(&reader));
        end(&f, fd);
}

TEST(who_has_caught_up_is_told_what_it_missed_and_stays)
{
        struct http_event_reader reader = {0};
        struct fixture f;
        int fd = begin(&f, &reader);

        fill(&f, &reader);
        (void)hear(&f, fd);
        loop_advance_ms(f.loop, HTTP_EVENTS_KEEP_ALIVE_MS);
        CHECK(!http_event_reader_keep_alive(&reader));
        CHECK(strstr(hear(&f, fd), ",\"count\":1}\n\n") != NULL);
        loop_advance_ms(f.loop, terms.stall_ms);
        CHECK(!http_event_reader_keep_alive(&reader));
        CHECK_TEXT(hear(&f, fd), ":\n\n");
        /* It is slow once more, and has all of its time again. */
        fill(&f, &reader);
        CHECK(!http_event_reader_keep_alive(&reader));
        end(&f, fd);
}

TEST(nobody_reads_for_ever)
{
        struct http_event_reader reader = {0};
        struct fixture f;
        int fd = begin(&f, &reader);

        loop_advance_ms(f.loop, terms.life_ms - 1);
        CHECK(!http_event_reader_keep_alive(&reader));
        loop_advance_ms(f.loop, 1);
        CHECK(http_event_reader_keep_alive(&reader));
        end(&f, fd);
}

TEST(a_reader_that_goes_is_told_of)
{
        struct http_event_reader reader = {0};
        struct fixture f;
        int fd = begin(&f, &reader);

        close(fd);
        turn(&f);
        CHECK_EQ(f.gone, 1);
        fixture_close(&f);
}
