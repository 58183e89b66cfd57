#include "base/folder.h"

#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

TEST(a_folder_is_made_with_those_above_it)
{
        char top[] = "/tmp/pifleet-folder-XXXXXX", path[64];
        struct stat status;

        CHECK(mkdtemp(top) != NULL);
        CHECK_EQ(chdir(top), 0);
        snprintf(path, sizeof(path), "%s/a/b", top);
        CHECK_EQ(folder_make(path, 0700), 0);
        CHECK_EQ(stat(path, &status), 0);
        CHECK_EQ(status.st_mode & 07777, 0700);
        CHECK_EQ(folder_make(path, 0755), 0);
        CHECK_EQ(stat("a", &status), 0);
        CHECK_EQ(status.st_mode & 07777, 0755);
        CHECK_EQ(folder_make("c", 0700), 0);
        CHECK_EQ(folder_make("", 0700), -ENOENT);

        CHECK_EQ(close(open("file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
        CHECK_EQ(folder_make("file/d", 0700), -ENOTDIR);

        allocation_fail_at(1);
        CHECK_EQ(folder_make("d", 0700), -ENOMEM);
        CHECK(allocation_end());

        CHECK_EQ(rmdir("a/b"), 0);
        CHECK_EQ(rmdir("a"), 0);
        CHECK_EQ(rmdir("c"), 0);
        CHECK_EQ(unlink("file"), 0);
        CHECK_EQ(rmdir(top), 0);
}
