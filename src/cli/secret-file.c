#include "cli/secret-file.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int read_some(int fd, char *bytes, size_t max, size_t *ret)
{
        size_t count = 0;

        while (count < max) {
                ssize_t r = read(fd, bytes + count, max - count);

                if (r < 0 && errno == EINTR)
                        continue;
                if (r < 0)
                        return -errno;
                if (r == 0)
                        break;
                count += (size_t)r;
        }
        *ret = count;
        return 0;
}

int secret_file_read(const char *path, const char *what, char *secret, size_t max,
                     struct error *error)
{
        AUTO_CLOSE int opened = -1;
        int fd = STDIN_FILENO;
        size_t count = 0;
        int r = 0;

        if (strcmp(path, "-") != 0) {
                fd = opened = open(path, O_RDONLY | O_CLOEXEC);
                r = fd < 0 ? -errno : 0;
        }
        if (r == 0)
                r = read_some(fd, secret, max + 1, &count);
        if (r < 0)
                return error_set(error, r, "the %s file %s cannot be read: %s", what, path,
                                 strerror(-r));
        if (count > max)
                return error_set(error, -EINVAL, "%s is too large to be a %s file", path, what);
        secret[count] = '\0';
        secret[strcspn(secret, "\r\n")] = '\0'; /* the first line */
        if (*secret == '\0')
                return error_set(error, -EINVAL, "the %s file %s has nothing in its first line",
                                 what, path);
        return 0;
}
