#include "supervisor/run-file.h"

#include "base/cleanup.h"
#include "base/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define NAME "guard"
#define MAGIC "pfguard"

int run_file_write(int directory_fd, const struct guard_hold holds[], size_t count)
{
        const struct run_file_header header = {MAGIC, RUN_FILE_VERSION, (uint32_t)count};
        size_t size = sizeof(header) + count * sizeof(*holds);
        AUTO_FREE char *bytes = malloc(size);

        if (!bytes)
                return -ENOMEM;
        memcpy(bytes, &header, sizeof(header));
        if (count > 0)
                memcpy(bytes + sizeof(header), holds, count * sizeof(*holds));
        return durable_write(directory_fd, NAME, 0600, bytes, size);
}

static int check_holds(const struct guard_hold holds[], size_t count)
{
        for (size_t i = 0; i < count; i++) {
                if (guard_hold_check(&holds[i]) < 0)
                        return -EBADMSG;
                for (size_t j = 0; j < i; j++)
                        if (holds[j].id == holds[i].id)
                                return -EBADMSG;
        }
        return 0;
}

int run_file_decode(const void *bytes, size_t count, struct guard_hold holds[], size_t *ret_count)
{
        struct run_file_header header;
        int r;

        if (count < sizeof(header))
                return -EBADMSG;
        memcpy(&header, bytes, sizeof(header));
        if (memcmp(header.magic, MAGIC, sizeof(header.magic)) != 0 ||
            header.version != RUN_FILE_VERSION || header.count > GUARD_HOLDS_MAX ||
            count - sizeof(header) != header.count * sizeof(*holds))
                return -EBADMSG;
        memcpy(holds, (const char *)bytes + sizeof(header), header.count * sizeof(*holds));
        r = check_holds(holds, header.count);
        if (r == 0)
                *ret_count = header.count;
        return r;
}

int run_file_read(int directory_fd, struct guard_hold holds[], size_t *ret_count)
{
        AUTO_FREE char *bytes = NULL;
        size_t count;
        int r;

        r = durable_read(directory_fd, NAME, RUN_FILE_BYTES_MAX, &bytes, &count);
        if (r == -EFBIG || r == -EISDIR || r == -EINVAL)
                return -EBADMSG;
        return r < 0 ? r : run_file_decode(bytes, count, holds, ret_count);
}

int run_file_remove(int directory_fd)
{
        return unlinkat(directory_fd, NAME, 0) < 0 && errno != ENOENT ? -errno : 0;
}
