#include "base/attributes.h"
#include "base/log.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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

static size_t count_lines(const char *text, const char *with)
{
        size_t count = 0;

        while ((text = strstr(text, with))) {
                count++;
                text += strlen(with);
        }
        return count;
}

TEST(a_long_line_is_cut_and_ends_in_dots_and_one_newline)
{
        static char text[5000];
        char area[3000];

        memset(text, 'x', sizeof(text) - 1);
        memset(area, 'y', sizeof(area) - 1);
        area[sizeof(area) - 1] = '\0';
        fixture_open(&f, LOG_LEVEL_INFO);
        log_info(f.log, "net", "%s", text);
        CHECK(strlen(fixture_text(&f)) <= 2048);
        CHECK_TEXT(f.text + strlen(f.text) - 5, "x...\n");
        log_info(f.log, area, "%s", text);
        CHECK_EQ(count_lines(fixture_text(&f), "...\n"), 2);
        fixture_close(&f);
}

TEST(a_burst_passes_and_then_a_hundred_a_second_and_the_next_line_counts_the_rest)
{
        fixture_open(&f, LOG_LEVEL_DEBUG);
        for (int i = 0; i < 800; i++)
                log_warning(f.log, "net", "burst");
        CHECK_EQ(count_lines(fixture_text(&f), "net: burst\n"), 500);
        CHECK_EQ(log_lines_lost(f.log), 300);
        CHECK_EQ(count_lines(f.text, "lines left out"), 0);

        now_ns += 1000000000;
        for (int i = 0; i < 800; i++)
                log_debug(f.log, "net", "later");
        CHECK_EQ(count_lines(fixture_text(&f), "net: later\n"), 100);
        CHECK_EQ(count_lines(f.text, "log: lines left out too_many=300 not_writable=0\n"), 1);

        log_error(f.log, "net", "an error passes");
        CHECK_EQ(count_lines(fixture_text(&f), "an error passes\n"), 1);
        CHECK_EQ(count_lines(f.text, "too_many=700 "), 1);
        CHECK_EQ(log_lines_lost(f.log), 1000);

        /* Silence for a year is no more than one burst. */
        now_ns += 365 * UINT64_C(86400000000000);
        for (int i = 0; i < 800; i++)
                log_info(f.log, "net", "new year");
        CHECK_EQ(count_lines(fixture_text(&f), "new year\n"), 500);
        fixture_close(&f);
}

/* A limit on file sizes stands in for the full disk: it cuts a write short, too. */
TEST(a_full_disk_is_survived_counted_and_told_when_there_is_room_again)
{
        struct rlimit limit, before;
        struct stat status;

        fixture_open(&f, LOG_LEVEL_INFO);
        log_info(f.log, "net", "first");
        CHECK_EQ(stat(f.path, &status), 0);
        CHECK_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
        limit = before;
        limit.rlim_cur = (rlim_t)status.st_size + 10;
        signal(SIGXFSZ, SIG_IGN);
        CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
        log_info(f.log, "net", "lost");
        log_error(f.log, "net", "lost");
        CHECK_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
        signal(SIGXFSZ, SIG_DFL);
        CHECK_EQ(log_lines_lost(f.log), 2);

        log_info(f.log, "net", "room again");
        log_info(f.log, "net", "and more");
        CHECK_EQ(count_lines(fixture_text(&f), "lost\n"), 0);
        CHECK_EQ(count_lines(f.text, "log: lines left out too_many=0 not_writable=2\n"), 1);
        CHECK_EQ(count_lines(f.text, "lines left out"), 1);
        CHECK_EQ(count_lines(f.text, "net: room again\n"), 1);
        /* The torn piece has a line of its own: first, it, three whole ones. */
        CHECK_EQ(count_lines(f.text, "\n"), 5);
        CHECK_EQ(count_lines(f.text, "Z "), 4);
        fixture_close(&f);
}

TEST(a_device_without_room_does_not_disturb)
{
        struct log *log = NULL;

        CHECK_EQ(log_new("/dev/full", LOG_LEVEL_INFO, &log), 0);
        for (int i = 0; i < 10; i++)
                log_error(log, "net", "x");
        CHECK_EQ(log_lines_lost(log), 10);
        log_free(log);
}

TEST(reopening_follows_a_rotation_and_a_failure_keeps_the_old_file)
{
        char rotated[80];

        fixture_open(&f, LOG_LEVEL_INFO);
        log_info(f.log, "net", "before");
        snprintf(rotated, sizeof(rotated), "%s.1", f.path);
        CHECK_EQ(rename(f.path, rotated), 0);
        log_info(f.log, "net", "still there");
        CHECK_EQ(mkdir(f.path, 0700), 0);
        CHECK_EQ(log_reopen(f.log), -EISDIR);
        log_info(f.log, "net", "and still");
        CHECK_EQ(rmdir(f.path), 0);
        CHECK_EQ(log_reopen(f.log), 0);
        log_info(f.log, "net", "after");
        CHECK_EQ(count_lines(fixture_text(&f), "\n"), 1);
        CHECK_EQ(count_lines(f.text, "after"), 1);
        CHECK_EQ(rename(rotated, f.path), 0);
        CHECK_EQ(count_lines(fixture_text(&f), "\n"), 3);
        fixture_close(&f);
}

/* In a child whose standard error is the pipe; `journal`: said to be the journal. */
static size_t log_to_pipe(int lines, bool journal, bool wrong_inode, char *text, size_t size)
{
        int ends[2], status;
        size_t length = 0;
        ssize_t got;
        pid_t pid;

        CHECK_EQ(pipe(ends), 0);
        pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
                struct log *log = NULL;
                char stream[64];
                struct stat pipe_status;

                if (dup2(ends[1], STDERR_FILENO) < 0 || fstat(STDERR_FILENO, &pipe_status) < 0)
                        _exit(1);
                snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)pipe_status.st_dev,
                         (uintmax_t)pipe_status.st_ino + wrong_inode);
                if (journal)
                        setenv("JOURNAL_STREAM", stream, 1);
                else
                        unsetenv("JOURNAL_STREAM");
                if (log_new(NULL, LOG_LEVEL_DEBUG, &log) < 0)
                        _exit(2);
                for (int i = 0; i < lines; i++)
                        log_error(log, "net", "%d %01000d", i, 0);
                log_warning(log, "net", "bye lost=%" PRIu64, log_lines_lost(log));
                _exit(0);
        }
        /* Nobody reads until the child is done: it must not wait for that. */
        CHECK_EQ(waitpid(pid, &status, 0), pid);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        CHECK_EQ(close(ends[1]), 0);
        while ((got = read(ends[0], text + length, size - 1 - length)) > 0)
                length += (size_t)got;
        text[length] = '\0';
        CHECK_EQ(close(ends[0]), 0);
        return length;
}

TEST(the_journal_gets_priorities_and_no_times)
{
        log_to_pipe(1, true, false, f.text, sizeof(f.text));
        CHECK_EQ(strncmp(f.text, "<3>net: 0 0", 11), 0);
        CHECK(strstr(f.text, "\n<4>net: bye lost=0\n") != NULL);
}

TEST(a_stream_that_only_inherited_the_variable_gets_times)
{
        log_to_pipe(0, true, true, f.text, sizeof(f.text));
        CHECK(strstr(f.text, "Z warning net: bye lost=0\n") != NULL);
        log_to_pipe(0, false, false, f.text, sizeof(f.text));
        CHECK(strstr(f.text, "Z warning net: bye lost=0\n") != NULL);
}

TEST(a_reader_that_sleeps_holds_nobody_up)
{
        log_to_pipe(300, false, false, f.text, sizeof(f.text));
        CHECK(count_lines(f.text, " error net: ") >= 10);
        CHECK(count_lines(f.text, " error net: ") < 300);
        CHECK_EQ(f.text[strlen(f.text) - 1], '\n');
}

TEST(a_log_without_memory_or_file_is_an_error)
{
        struct log *log = NULL;
        size_t n = 0;
        bool failed;

        do {
                allocation_fail_at(++n);
                CHECK_EQ(log_new("/dev/null", LOG_LEVEL_INFO, &log), n <= 2 ? -ENOMEM : 0);
                failed = allocation_end();
        } while (failed);
        CHECK_EQ(n, 3);
        log = log_free(log);
        CHECK_EQ(log_new("/nowhere/log", LOG_LEVEL_INFO, &log), -ENOENT);
        CHECK_EQ(log_new("/tmp", LOG_LEVEL_INFO, &log), -EISDIR);
        CHECK_NULL(log);
}
