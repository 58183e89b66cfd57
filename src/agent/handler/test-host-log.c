#include "agent/handler/host-log.h"

#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>

struct fixture {
        struct host_log *log;
        struct host_log_partial out;
        struct buffer text;
};

static void open_log(struct fixture *f)
{
        *f = (struct fixture){0};
        CHECK_EQ(host_log_new(&f->log), 0);
        buffer_init(&f->text, 1 << 20);
}

static void close_log(struct fixture *f)
{
        buffer_done(&f->text);
        f->log = host_log_free(f->log);
}

static void print(struct fixture *f, const char *text)
{
        host_log_append(f->log, &f->out, text, strlen(text), 1500000000);
}

/* The newest lines as JSON. */
static const char *shown(struct fixture *f, size_t lines)
{
        struct json_writer writer;

        buffer_consume(&f->text, buffer_length(&f->text));
        json_writer_init(&writer, &f->text);
        json_write_array(&writer, NULL);
        host_log_write(f->log, lines, &writer);
        json_write_end(&writer);
        CHECK_EQ(json_writer_error(&writer), 0);
        buffer_append(&f->text, "", 1);
        return buffer_data(&f->text);
}

TEST(lines_come_in_pieces_and_are_whole)
{
        struct fixture f;

        open_log(&f);
        print(&f, "on");
        CHECK_TEXT(shown(&f, 9), "[]");
        print(&f, "e\r\ntw");
        print(&f, "o\n\nthree");
        CHECK_TEXT(shown(&f, 2), "[{\"time\":1.5,\"stream\":\"stdout\",\"text\":\"two\"},"
                                 "{\"time\":1.5,\"stream\":\"stdout\",\"text\":\"\"}]");
        host_log_finish(f.log, &f.out, 2000000000);
        host_log_finish(f.log, &f.out, 2000000000);
        CHECK_TEXT(shown(&f, 1), "[{\"time\":2,\"stream\":\"stdout\",\"text\":\"three\"}]");
        host_log_note(f.log, 0, "ended");
        CHECK_TEXT(shown(&f, 1), "[{\"time\":0,\"stream\":\"agent\",\"text\":\"ended\"}]");
        CHECK_EQ(host_log_lost(f.log), 0);
        close_log(&f);
}

TEST(a_line_that_is_too_long_is_cut_and_counted)
{
        char text[3 * HOST_LOG_LINE_MAX];
        struct fixture f;

        open_log(&f);
        memset(text, 'a', sizeof(text));
        host_log_append(f.log, &f.out, text, sizeof(text), 0);
        print(&f, "b\nc\n");
        CHECK_EQ(strlen(shown(&f, 9)),
                 strlen("[{\"time\":1.5,\"stream\":\"stdout\",\"text\":\"\"},"
                        "{\"time\":1.5,\"stream\":\"stdout\",\"text\":\"c\"}]") +
                         HOST_LOG_LINE_MAX);
        CHECK_EQ(host_log_lost(f.log), 1);
        close_log(&f);
}

TEST(new_lines_push_old_ones_out)
{
        struct fixture f;
        char line[64];

        open_log(&f);
        for (unsigned i = 0; i < 20000; i++) {
                snprintf(line, sizeof(line), "%u:%.*s\n", i, (int)(i % 40),
                         "0123456789012345678901234567890123456789");
                print(&f, line);
        }
        snprintf(line, sizeof(line), "\"text\":\"19999:%.*s\"}]", 39,
                 "0123456789012345678901234567890123456789");
        CHECK(strstr(shown(&f, 1), line) != NULL);
        CHECK(host_log_lost(f.log) > 10000);
        CHECK(strstr(shown(&f, HOST_LOG_LINES_MAX), "\"19000:") != NULL);
        close_log(&f);
}

TEST(what_is_no_text_is_presentable)
{
        struct fixture f;

        open_log(&f);
        host_log_append(f.log, &f.out, "\xff\0\x1b[31m\n", 8, 0);
        CHECK_TEXT(shown(&f, 1), "[{\"time\":0,\"stream\":\"stdout\",\"text\":"
                                 "\"\xef\xbf\xbd\\u0000\\u001b[31m\"}]");
        close_log(&f);
}
