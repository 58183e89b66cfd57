#include "cli/config-file.h"

#include "base/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIRECTORY_MODE = 0755, SECRET_MODE = 0600, GROUP_MODE = 0640 };

static int complain(struct error *error, int code, const char *path)
{
        return error_set(error, code, "%s: %s%s", path, strerror(-code),
                         code == -EACCES || code == -EPERM ? ". Run it as root (sudo)" : "");
}

/* Splits what `path` stands for into a directory and a name. */
static int open_directory(struct config_file *file, const char *path, bool change)
{
        AUTO_FREE char *real = realpath(path, NULL);
        AUTO_FREE char *copy = NULL;
        const char *directory;

        if (!real && (errno != ENOENT || !change))
                return -errno;
        file->name = strdup(real ? real : path);
        copy = strdup(real ? real : path);
        if (!file->name || !copy)
                return -ENOMEM;
        memmove(file->name, basename(file->name), strlen(basename(file->name)) + 1);
        directory = dirname(copy);
        if (change && mkdir(directory, DIRECTORY_MODE) < 0 && errno != EEXIST)
                return -errno;
        file->directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return file->directory_fd < 0 ? -errno : 0;
}

/* Who a new file belongs to: the agent's group reads it where there is one. */
static void choose_owner(struct config_file *file)
{
        const struct group *group = geteuid() == 0 ? getgrnam(CONFIG_FILE_GROUP) : NULL;

        file->uid = geteuid();
        file->gid = group ? group->gr_gid : getegid();
        file->mode = group ? GROUP_MODE : SECRET_MODE;
}

static int read_content(struct config_file *file, bool change)
{
        struct stat status;
        int r;

        if (fstatat(file->directory_fd, file->name, &status, 0) < 0) {
                if (errno != ENOENT || !change)
                        return -errno;
                choose_owner(file);
                file->text = strdup("");
                return file->text ? 0 : -ENOMEM;
        }
        if (!S_ISREG(status.st_mode))
                return S_ISDIR(status.st_mode) ? -EISDIR : -EINVAL;
        r = durable_read(file->directory_fd, file->name, CONFIG_FILE_MAX, &file->text,
                         &file->length);
        if (r < 0)
                return r;
        file->exists = true;
        file->mode = status.st_mode & 07777;
        file->uid = status.st_uid;
        file->gid = status.st_gid;
        return 0;
}

int config_file_open(const char *path, bool change, struct config_file **ret, struct error *error)
{
        AUTO(config_file) struct config_file *file = calloc(1, sizeof(*file));
        int r;

        if (!file)
                return error_set(error, -ENOMEM, "out of memory");
        file->directory_fd = -1;
        r = open_directory(file, path, change);
        if (r == 0 && change && flock(file->directory_fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK
                               ? error_set(error, -EBUSY,
                                           "%s: somebody else is changing it now; try again", path)
                               : complain(error, -errno, path);
        if (r == 0)
                r = read_content(file, change);
        if (r < 0)
                return complain(error, r, path);
        *ret = TAKE(file);
        return 0;
}

struct config_file *config_file_free(struct config_file *file)
{
        if (!file)
                return NULL;
        if (file->directory_fd >= 0)
                close(file->directory_fd);
        free(file->name);
        free(file->text);
        free(file);
        return NULL;
}

/* Nobody but us may read it before it has its owner. */
static int prepare(const struct config_file *file, const char *text, size_t length,
                   struct error *error)
{
        bool ours = file->uid == geteuid() && file->gid == getegid();
        int r = durable_prepare(file->directory_fd, file->name, ours ? file->mode : SECRET_MODE,
                                text, length);

        if (r < 0)
                return complain(error, r, file->name);
        if (!ours)
                r = durable_hand_over(file->directory_fd, file->name, file->uid, file->gid,
                                      file->mode);
        return r == 0 ? 0
                      : error_set(error, r,
                                  "%s stays as it was, since its owner and mode (%u:%u, %04o) "
                                  "could not be kept: %s. Try again as root",
                                  file->name, (unsigned)file->uid, (unsigned)file->gid,
                                  (unsigned)file->mode, strerror(-r));
}

int config_file_write(struct config_file *file, const char *text, size_t length,
                      struct error *error)
{
        int r = prepare(file, text, length, error);

        if (r == 0) {
                r = durable_place(file->directory_fd, file->name);
                if (r == DURABLE_UNSYNCED)
                        return complain(error, -errno, file->name);
                if (r == 0)
                        return 0;
                (void)complain(error, r, file->name);
        }
        durable_discard(file->directory_fd, file->name);
        return r;
}
