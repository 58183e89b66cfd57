#include "sandbox/folder-meter.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MANY = 1000000 };

struct fixture {
        char path[64];
        int fd;
        struct folder_meter meter;
};

static void fixture_init(struct fixture *f)
{
        *f = (struct fixture){0};
        strcpy(f->path, "/tmp/pifleet-meter-XXXXXX");
        CHECK(mkdtemp(f->path) != NULL);
        f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CHECK(f->fd >= 0);
}

static void fixture_done(struct fixture *f)
{
        char command[96];

        folder_meter_end(&f->meter);
        close(f->fd);
        snprintf(command, sizeof(command), "rm -rf %s", f->path);
        CHECK_EQ(system(command), 0);
}

static void write_file(struct fixture *f, const char *name, size_t bytes)
{
        int fd = openat(f->fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        CHECK(fd >= 0);
        CHECK_EQ(posix_fallocate(fd, 0, (off_t)bytes), 0);
        close(fd);
}

static uint64_t measure(struct fixture *f)
{
        CHECK_EQ(folder_meter_begin(&f->meter, f->fd), 0);
        CHECK_EQ(folder_meter_step(&f->meter, MANY), 1);
        return f->meter.bytes;
}

TEST(what_lies_in_a_folder_is_added_up)
{
        struct fixture f;
        uint64_t empty;

        fixture_init(&f);
        CHECK_EQ(measure(&f), 0);
        CHECK_EQ(mkdirat(f.fd, "below", 0700), 0);
        empty = measure(&f);
        write_file(&f, "a", 1 << 20);
        write_file(&f, "below/b", 2 << 20);
        CHECK(measure(&f) >= empty + (3 << 20) && f.meter.bytes < empty + (3 << 20) + 65536);
        fixture_done(&f);
}

TEST(a_file_of_many_names_counts_once_and_a_link_leads_nowhere)
{
        struct fixture f;
        uint64_t once;

        fixture_init(&f);
        write_file(&f, "a", 1 << 20);
        once = measure(&f);
        CHECK_EQ(linkat(f.fd, "a", f.fd, "b", 0), 0);
        CHECK_EQ(symlinkat("/usr", f.fd, "c"), 0);
        CHECK(measure(&f) <= once + 8192 && f.meter.bytes + 8192 >= once);
        fixture_done(&f);
}

TEST(a_hole_takes_no_room)
{
        struct fixture f;
        int fd;

        fixture_init(&f);
        write_file(&f, "a", 4096);
        fd = openat(f.fd, "a", O_WRONLY | O_CLOEXEC);
        CHECK_EQ(ftruncate(fd, 1 << 30), 0);
        close(fd);
        CHECK(measure(&f) < 1 << 20);
        fixture_done(&f);
}

TEST(a_step_is_as_long_as_it_was_told)
{
        unsigned steps = 0;
        struct fixture f;
        char name[16];
        int r;

        fixture_init(&f);
        for (unsigned i = 0; i < 100; i++) {
                snprintf(name, sizeof(name), "%u", i);
                write_file(&f, name, 1);
        }
        CHECK_EQ(folder_meter_begin(&f.meter, f.fd), 0);
        while ((r = folder_meter_step(&f.meter, 10)) == 0)
                steps++;
        CHECK_EQ(r, 1);
        CHECK(steps >= 10 && steps <= 12);
        CHECK_EQ(f.meter.entries, 100);
        /* Given up in the middle, too. */
        CHECK_EQ(folder_meter_begin(&f.meter, f.fd), 0);
        CHECK_EQ(folder_meter_step(&f.meter, 10), 0);
        fixture_done(&f);
}

TEST(what_is_too_deep_is_too_much)
{
        int fds[FOLDER_METER_DEPTH_MAX + 1];
        struct fixture f;

        fixture_init(&f);
        fds[0] = dup(f.fd);
        for (unsigned i = 1; i <= FOLDER_METER_DEPTH_MAX; i++) {
                CHECK_EQ(mkdirat(fds[i - 1], "d", 0700), 0);
                fds[i] = openat(fds[i - 1], "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                CHECK(fds[i] >= 0);
        }
        CHECK_EQ(folder_meter_begin(&f.meter, f.fd), 0);
        CHECK_EQ(folder_meter_step(&f.meter, MANY), -EOVERFLOW);
        CHECK_EQ(unlinkat(fds[FOLDER_METER_DEPTH_MAX - 1], "d", AT_REMOVEDIR), 0);
        (void)measure(&f);
        for (unsigned i = 0; i <= FOLDER_METER_DEPTH_MAX; i++)
                close(fds[i]);
        fixture_done(&f);
}

TEST(what_is_no_folder_cannot_be_measured)
{
        struct folder_meter meter = {0};

        CHECK_EQ(folder_meter_begin(&meter, -1), -EBADF);
        CHECK_EQ(folder_meter_step(&meter, 1), 1);
        folder_meter_end(&meter);
}
