#include "base/cleanup.h"
#include "base/durable.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

TEST(what_was_written_is_read_back_and_replaced)
{
        char path[] = "/tmp/test-durable-XXXXXX";
        AUTO_CLOSE int directory = -1;
        AUTO_FREE char *first = NULL, *second = NULL;
        size_t count;

        CHECK(mkdtemp(path) != NULL);
        directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CHECK(directory >= 0);
        CHECK_EQ(durable_read(directory, "state", 100, &first, &count), -ENOENT);
        CHECK_EQ(durable_write(directory, "state", 0600, "one", 3), 0);
        CHECK_EQ(durable_read(directory, "state", 3, &first, &count), 0);
        CHECK_TEXT(first, "one");
        CHECK_EQ(durable_write(directory, "state", 0600, "", 0), 0);
        CHECK_EQ(durable_read(directory, "state", 0, &second, &count), 0);
        CHECK_EQ(count, 0);
        CHECK_EQ(unlinkat(directory, "state", 0), 0);
        CHECK_EQ(rmdir(path), 0);
}
