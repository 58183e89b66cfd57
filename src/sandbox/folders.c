#include "sandbox/folders.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

enum { LOCK_NAP_US = 5000, OPEN_FOLDER = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

static bool has_pool(const struct folders *f)
{
        return f->last_uid > 0;
}

static bool is_in_pool(const struct folders *f, uid_t uid)
{
        return uid >= f->first_uid && uid <= f->last_uid;
}

/* Nothing is written where nothing is to change: a disk that became read-only goes on serving. */
static int set_mode(int fd, mode_t is, mode_t mode)
{
        if ((is & 07777) == mode || fchmod(fd, mode) == 0)
                return 0;
        return -errno;
}

static int open_made(int parent, const char *name, mode_t mode, int *ret)
{
        int fd;

        if (mkdirat(parent, name, mode) < 0 && errno != EEXIST)
                return -errno;
        fd = openat(parent, name, OPEN_FOLDER);
        if (fd < 0)
                return -errno;
        *ret = fd;
        return 0;
}

/* Our predecessor needs a moment to kill what it had started. */
static int lock(int fd, unsigned wait_ms)
{
        const uint64_t until_ns = clock_monotonic_ns() + wait_ms * UINT64_C(1000000);

        while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
                if (errno != EWOULDBLOCK && errno != EINTR)
                        return -errno;
                if (clock_monotonic_ns() > until_ns)
                        return -EBUSY;
                usleep(LOCK_NAP_US);
        }
        return 0;
}

static int open_all(struct folders *f, unsigned wait_ms)
{
        /* Programs pass through to what is theirs, and cannot list it. */
        int r = open_made(AT_FDCWD, f->path, 0711, &f->lock_fd);
        struct stat status;

        if (r < 0)
                return r;
        if (fstat(f->lock_fd, &status) < 0)
                return -errno;
        if (status.st_uid != geteuid() || status.st_mode & 022)
                return -EPERM;
        r = set_mode(f->lock_fd, status.st_mode, 0711);
        if (r == 0)
                r = lock(f->lock_fd, wait_ms);
        if (r == 0)
                r = open_made(f->lock_fd, "data", 0711, &f->data_fd);
        if (r == 0)
                r = open_made(f->lock_fd, "shared", 0711, &f->shared_fd);
        return r;
}

int folders_open(struct folders *f, const char *path, unsigned wait_ms, struct error *error)
{
        int r;

        f->lock_fd = f->data_fd = f->shared_fd = -1;
        /* The folder above may be reached by links, as /var/run is; not later on. */
        if (mkdir(path, 0711) < 0 && errno != EEXIST)
                return error_set(error, -errno, "cannot make %s: %s", path, strerror(errno));
        if (!realpath(path, f->path))
                return error_set(error, -errno, "%s: %s", path, strerror(errno));
        r = open_all(f, wait_ms);
        if (r == 0)
                return 0;
        folders_close(f);
        if (r == -EPERM)
                return error_set(error, r, "%s must be ours alone (chown, chmod go-w)", path);
        if (r == -EBUSY)
                return error_set(error, r, "another pifleet-spawner has %s", path);
        return error_set(error, r, "%s: %s", path, strerror(-r));
}

void folders_close(struct folders *f)
{
        if (f->shared_fd >= 0)
                close(TAKE_FD(f->shared_fd));
        if (f->data_fd >= 0)
                close(TAKE_FD(f->data_fd));
        if (f->lock_fd >= 0)
                close(TAKE_FD(f->lock_fd));
}

/* The next behind the highest that owns a folder, once around. */
static int choose_free_uid(const struct folders *f, const bool taken[], size_t size, uid_t *ret)
{
        size_t highest = size;

        while (highest > 0 && !taken[highest - 1])
                highest--;
        for (size_t i = 0; i < size; i++) {
                size_t at = (highest + i) % size;

                if (!taken[at]) {
                        *ret = f->first_uid + (uid_t)at;
                        return 0;
                }
        }
        return -EUSERS;
}

static int find_free_uid(const struct folders *f, uid_t *ret)
{
        const size_t size = (size_t)f->last_uid - f->first_uid + 1;
        AUTO_FREE bool *taken = calloc(size, sizeof(*taken));
        int fd = taken ? openat(f->data_fd, ".", OPEN_FOLDER) : -1;
        DIR *folder = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *entry;

        if (!folder) {
                if (fd >= 0)
                        close(fd);
                return taken ? -errno : -ENOMEM;
        }
        while ((entry = readdir(folder))) {
                struct stat status;

                if (fstatat(f->data_fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
                    is_in_pool(f, status.st_uid))
                        taken[status.st_uid - f->first_uid] = true;
        }
        closedir(folder);
        return choose_free_uid(f, taken, size, ret);
}

static int settle_owner(const struct folders *f, int fd, uid_t *ret)
{
        struct stat status;
        uid_t uid;
        int r;

        if (fstat(fd, &status) < 0)
                return -errno;
        uid = status.st_uid;
        if (!has_pool(f) && uid != geteuid())
                return -EPERM;
        if (has_pool(f) && !is_in_pool(f, uid)) {
                if (uid != geteuid())
                        return -EPERM;
                r = find_free_uid(f, &uid);
                if (r < 0)
                        return r;
                if (fchown(fd, uid, (gid_t)uid) < 0)
                        return -errno;
        }
        *ret = uid;
        return set_mode(fd, status.st_mode, 0700);
}

int folders_own(const struct folders *f, const char *name, char ret_path[PATH_MAX], int *ret_fd,
                uid_t *ret_uid)
{
        AUTO_CLOSE int fd = -1;
        uid_t uid = 0;
        int r;

        if (snprintf(ret_path, PATH_MAX, "%s/data/%s", f->path, name) >= PATH_MAX)
                return -ENAMETOOLONG;
        r = open_made(f->data_fd, name, 0700, &fd);
        if (r == 0)
                r = settle_owner(f, fd, &uid);
        if (r == -EUSERS)
                (void)unlinkat(f->data_fd, name, AT_REMOVEDIR);
        if (r < 0)
                return r;
        *ret_uid = uid;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int folders_give_back(const struct folders *f, const char *name)
{
        return unlinkat(f->data_fd, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

/* What is made belongs to the owner of what it is made in. */
static int make_like_parent(int parent, const char *name)
{
        struct stat status;
        AUTO_CLOSE int fd = -1;

        if (mkdirat(parent, name, 0755) < 0)
                return errno == EEXIST ? 0 : -errno;
        fd = openat(parent, name, OPEN_FOLDER);
        if (fd < 0 || fstat(parent, &status) < 0)
                return -errno;
        if (geteuid() == 0 && fchown(fd, status.st_uid, status.st_gid) < 0)
                return -errno;
        return 0;
}

static int walk(int from, const char *path, int *ret)
{
        AUTO_CLOSE int fd = openat(from, ".", OPEN_FOLDER);

        if (fd < 0)
                return -errno;
        while (*path) {
                char name[NAME_MAX + 1];
                size_t length = strcspn(path, "/");
                int next, r;

                if (length >= sizeof(name))
                        return -ENAMETOOLONG;
                memcpy(name, path, length);
                name[length] = '\0';
                path += length + (path[length] == '/');
                next = openat(fd, name, OPEN_FOLDER);
                if (next < 0 && errno == ENOENT) {
                        r = make_like_parent(fd, name);
                        if (r < 0)
                                return r;
                        next = openat(fd, name, OPEN_FOLDER);
                }
                if (next < 0)
                        return -errno;
                close(fd);
                fd = next;
        }
        *ret = TAKE_FD(fd);
        return 0;
}

static int open_on_machine(const struct folders *f, const char *path, int *ret)
{
        AUTO_CLOSE int root = open("/", OPEN_FOLDER);
        AUTO_CLOSE int fd = -1;
        struct stat status;
        int r = root < 0 ? -errno : walk(root, path + 1, &fd);

        if (r < 0)
                return r;
        if (fstat(fd, &status) < 0)
                return -errno;
        if (status.st_gid != f->shared_gid && fchown(fd, (uid_t)-1, f->shared_gid) < 0)
                return -errno;
        r = set_mode(fd, status.st_mode, (status.st_mode & 0777) | 02070);
        if (r < 0)
                return r;
        *ret = TAKE_FD(fd);
        return 0;
}

int folders_shared(const struct folders *f, const struct policy *policy, const char *path,
                   int *ret_fd)
{
        if (!policy_allows_shared(policy, path))
                return -EACCES;
        return has_pool(f) ? open_on_machine(f, path, ret_fd)
                           : walk(f->shared_fd, path + 1, ret_fd);
}
