#include "base/log.h"
#include "support/test.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

static uint64_t now_ns;
static uint64_t read_now_ns(void)
{
        return now_ns;
}

struct fixture {
        char directory[32], path[64];
        struct log *log;
        char text[1 << 18];
};

static void fixture_open(struct fixture *f, enum log_level threshold)
{
        memcpy(f->directory, "/tmp/test-log-XXXXXX", sizeof("/tmp/test-log-XXXXXX"));
        CHECK(mkdtemp(f->directory) != NULL);
        snprintf(f->path, sizeof(f->path), "%s/log", f->directory);
        now_ns = 1000;
        CHECK_EQ(log_new(f->path, threshold, &f->log), 0);
        log_set_clock(f->log, read_now_ns);
}

static const char *fixture_text(struct fixture *f)
{
        AUTO_CLOSE int fd = open(f->path, O_RDONLY | O_CLOEXEC);
        ssize_t n = read(fd, f->text, sizeof(f->text) - 1);

        CHECK(n >= 0);
        f->text[n] = '\0';
        return f->text;
}

static void fixture_close(struct fixture *f)
{
        f->log = log_free(f->log);
        unlink(f->path);
        CHECK_EQ(rmdir(f->directory), 0);
}

static struct fixture f;

TEST(a_line_has_a_time_a_level_an_area_and_one_newline)
{
        int year, milliseconds;
        char rest[64];

        fixture_open(&f, LOG_LEVEL_INFO);
        log_info(f.log, "net", "listening port=%d", 3000);
        log_debug(f.log, "net", "not wanted");
        CHECK_EQ(sscanf(fixture_text(&f), "%4d-%*2d-%*2dT%*2d:%*2d:%*2d.%3dZ %63[^\n]", &year,
                        &milliseconds, rest),
                 3);
        CHECK(year >= 2024);
        CHECK_TEXT(rest, "info net: listening port=3000");
        CHECK(strchr(f.text, '\n') == f.text + strlen(f.text) - 1);
        fixture_close(&f);
}

TEST(what_could_forge_or_hide_a_line_leaves_as_question_marks)
{
        fixture_open(&f, LOG_LEVEL_INFO);
        log_info(f.log, "net",
                 "[a\nb\x1B[2J\x7F|\xC2\x85|\xE2\x80\xA8|\xE2\x80\xAE|\xFF|\xC3\xA4]");
        CHECK(strstr(fixture_text(&f), "[a?b?[2J?|\?\?|\?\?\?|\?\?\?|?|\xC3\xA4]\n") != NULL);
        fixture_close(&f);
}
