#include "cli/input-file.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int read_all(int fd, struct buffer *content)
{
        for (;;) {
                ssize_t count;
                int r = buffer_reserve(content, INPUT_FILE_STEP);

                if (r < 0)
                        return r == -EMSGSIZE ? -EFBIG : r;
                count = read(fd, buffer_data(content) + buffer_length(content), INPUT_FILE_STEP);
                if (count < 0 && errno != EINTR)
                        return -errno;
                if (count == 0)
                        return 0;
                if (count > 0)
                        buffer_commit(content, (size_t)count);
        }
}

int input_file_read(const char *path, size_t max, struct buffer *content)
{
        AUTO_CLOSE int opened = -1;
        int fd = STDIN_FILENO;
        int r;

        if (strcmp(path, "-") != 0) {
                fd = opened = open(path, O_RDONLY | O_CLOEXEC);
                if (fd < 0)
                        return -errno;
        }
        r = read_all(fd, content);
        return r == 0 && buffer_length(content) > max ? -EFBIG : r;
}
