#include "base/attributes.h"
#include "sandbox/folders.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST_UID = 1850000000, POOL = 4, SHARED_GID = 1850000100 };

struct fixture {
        char path[64];
        struct folders folders;
};

static bool as_root(void)
{
        return geteuid() == 0;
}

/* Root has a pool of user ids, a plain user is everybody himself. */
static int try_open(struct fixture *f, struct folders *ret)
{
        struct error error;

        *ret = (struct folders){.first_uid = as_root() ? FIRST_UID : 0,
                                .last_uid = as_root() ? FIRST_UID + POOL - 1 : 0,
                                .shared_gid = as_root() ? SHARED_GID : getgid()};
        return folders_open(ret, f->path, 0, &error);
}

static void fixture_init(struct fixture *f)
{
        strcpy(f->path, "/tmp/pifleet-folders-XXXXXX");
        CHECK(mkdtemp(f->path) != NULL);
        CHECK_EQ(try_open(f, &f->folders), 0);
}

static void fixture_done(struct fixture *f)
{
        char command[96];

        folders_close(&f->folders);
        snprintf(command, sizeof(command), "rm -rf %s", f->path);
        CHECK_EQ(system(command), 0);
}

static int own(struct fixture *f, const char *name, uid_t *ret_uid)
{
        char path[PATH_MAX];
        int fd, r = folders_own(&f->folders, name, path, &fd, ret_uid);

        if (r == 0)
                close(fd);
        return r;
}

static uid_t must_own(struct fixture *f, const char *name)
{
        uid_t uid = 0;

        CHECK_EQ(own(f, name, &uid), 0);
        return uid;
}

TEST(a_name_keeps_its_folder_and_its_user)
{
        char path[PATH_MAX];
        struct stat status;
        struct fixture f;
        uid_t uid, again;
        int fd;

        fixture_init(&f);
        CHECK_EQ(folders_own(&f.folders, "one.py", path, &fd, &uid), 0);
        CHECK_EQ(fstat(fd, &status), 0);
        CHECK_EQ(status.st_mode & 07777, 0700);
        CHECK_EQ(status.st_uid, uid);
        CHECK(uid == (as_root() ? FIRST_UID : geteuid()));
        CHECK_EQ(fchmod(fd, 0777), 0);
        close(fd);
        folders_close(&f.folders);
        CHECK_EQ(try_open(&f, &f.folders), 0);
        CHECK_EQ(folders_own(&f.folders, "one.py", path, &fd, &again), 0);
        CHECK_EQ(again, uid);
        CHECK_EQ(fstat(fd, &status), 0);
        CHECK_EQ(status.st_mode & 07777, 0700);
        close(fd);
        CHECK(must_own(&f, "two.py") == (as_root() ? uid + 1 : uid));
        fixture_done(&f);
}

TEST(a_folder_is_for_one_spawner_at_a_time)
{
        struct folders second;
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(try_open(&f, &second), -EBUSY);
        CHECK_EQ(chmod(f.path, 0777), 0);
        folders_close(&f.folders);
        CHECK_EQ(try_open(&f, &f.folders), -EPERM);
        fixture_done(&f);
}

TEST(what_is_given_back_is_given_out_as_late_as_can_be)
{
        struct fixture f;
        uid_t first, uid;

        fixture_init(&f);
        first = must_own(&f, "a");
        CHECK_EQ(folders_give_back(&f.folders, "never"), -ENOENT);
        (void)must_own(&f, "b");
        CHECK_EQ(folders_give_back(&f.folders, "a"), 0);
        if (as_root()) {
                CHECK_EQ(must_own(&f, "c"), first + 2);
                CHECK_EQ(must_own(&f, "d"), first + 3);
                CHECK_EQ(must_own(&f, "e"), first);
                CHECK_EQ(own(&f, "f", &uid), -EUSERS);
                /* Nothing is left of what was refused, and the others go on. */
                CHECK_EQ(folders_give_back(&f.folders, "f"), -ENOENT);
                CHECK_EQ(must_own(&f, "b"), first + 1);
        }
        fixture_done(&f);
}

TEST(names_come_and_go_without_end)
{
        struct fixture f;
        char name[32];

        fixture_init(&f);
        (void)must_own(&f, "stays");
        for (unsigned i = 0; i < 3000; i++) {
                snprintf(name, sizeof(name), "module_%u.py", i);
                CHECK(!as_root() || must_own(&f, name) != must_own(&f, "stays"));
                (void)must_own(&f, name);
                CHECK_EQ(folders_give_back(&f.folders, name), 0);
        }
        fixture_done(&f);
}

TEST(a_folder_in_which_something_lies_is_kept)
{
        struct fixture f;
        uid_t uid;
        int fd;

        fixture_init(&f);
        uid = must_own(&f, "a");
        fd = openat(f.folders.data_fd, "a/note", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        CHECK(fd >= 0);
        close(fd);
        CHECK_EQ(folders_give_back(&f.folders, "a"), -ENOTEMPTY);
        CHECK_EQ(must_own(&f, "a"), uid);
        fixture_done(&f);
}

TEST(links_and_strangers_are_not_followed)
{
        struct fixture f;
        uid_t uid;

        fixture_init(&f);
        CHECK_EQ(symlinkat("/tmp", f.folders.data_fd, "link"), 0);
        CHECK_EQ(own(&f, "link", &uid), -ENOTDIR);
        CHECK_EQ(folders_give_back(&f.folders, "link"), -ENOTDIR);
        if (as_root()) {
                CHECK_EQ(mkdirat(f.folders.data_fd, "theirs", 0700), 0);
                CHECK_EQ(fchownat(f.folders.data_fd, "theirs", 1234, 1234, 0), 0);
                CHECK_EQ(own(&f, "theirs", &uid), -EPERM);
        }
        fixture_done(&f);
}

TEST(a_shared_folder_is_its_parents_owners_and_the_groups)
{
        struct policy policy;
        struct stat status;
        struct fixture f;
        char path[128], pattern[128], up[128];
        int fd;

        fixture_init(&f);
        policy_init(&policy);
        snprintf(pattern, sizeof(pattern), "%s-*", f.path);
        snprintf(path, sizeof(path), "%s-shared", f.path);
        CHECK_EQ(policy_add(&policy.shared, pattern), 0);
        CHECK_EQ(folders_shared(&f.folders, &policy, "/etc", &fd), -EACCES);
        CHECK_EQ(folders_shared(&f.folders, &policy, path, &fd), 0);
        CHECK_EQ(fstat(fd, &status), 0);
        if (as_root()) {
                CHECK_EQ(status.st_gid, SHARED_GID);
                CHECK_EQ(status.st_mode & 07777, 02775);
                CHECK_EQ(stat(path, &status), 0);
                CHECK_EQ(rmdir(path), 0);
                /* On the way there is what a user has planted. */
                snprintf(up, sizeof(up), "%s-link", f.path);
                CHECK_EQ(symlink("/etc", up), 0);
                CHECK_EQ(folders_shared(&f.folders, &policy, up, &fd), -ENOTDIR);
                CHECK_EQ(unlink(up), 0);
        } else {
                /* A folder below our own stands in for it. */
                CHECK_EQ(access(path, F_OK), -1);
        }
        close(fd);
        fixture_done(&f);
}

TEST(without_memory_a_name_gets_no_user_and_the_next_try_does)
{
        struct fixture f;
        size_t n = 0;
        bool failed;
        uid_t uid;
        int r;

        fixture_init(&f);
        do {
                allocation_fail_at(++n);
                r = own(&f, "a", &uid);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
        } while (failed);
        CHECK(!as_root() || n > 1);
        CHECK_EQ(must_own(&f, "a"), uid);
        fixture_done(&f);
}
