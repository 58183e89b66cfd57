#include "sandbox/wall-mounts.h"

#include "base/attributes.h"
#include "base/cleanup.h"
#include "sandbox/specification.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* What a view covers by file systems of its own, before anything is put there. */
static const struct cover {
        const char *path;
        const char *options;
        bool closes; /* becomes read-only when all is in place */
} covers[] = {
        {"/dev", "mode=755,size=64k,nr_inodes=512", true},
        {"/home", "mode=755,size=256k,nr_inodes=512", true},
        {"/root", "mode=755,size=256k,nr_inodes=512", true},
        {"/run", "mode=755,size=256k,nr_inodes=512", true},
        {"/tmp", "mode=1777,size=64m,nr_inodes=16k", false},
        {"/var/tmp", "mode=1777,size=64m,nr_inodes=16k", false},
};

static const char *const plain_devices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random",
                                            "/dev/urandom"};

static const struct {
        const char *target, *path;
} links[] = {
        {"/proc/self/fd", "/dev/fd"},
        {"/proc/self/fd/0", "/dev/stdin"},
        {"/proc/self/fd/1", "/dev/stdout"},
        {"/proc/self/fd/2", "/dev/stderr"},
};

enum {
        TREES_MAX = MOUNT_PLACES_MAX + MOUNT_DEVICES_MAX + ARRAY_SIZE(plain_devices) + 32 + 2,
        HIDDEN_MAX = 2 * 64,
};

/* A piece of the old view that is kept aside until the covers are there. */
struct tree {
        int fd;
        const char *path;
        bool folder;
};

struct view {
        const struct mount_plan *plan;
        struct tree trees[TREES_MAX]; /* those of `places` last */
        size_t trees_count, readable_count;
        const char *closing[HIDDEN_MAX];
        size_t closing_count;
        char resolver[PATH_MAX];
        const char *where;
};

static bool is_covered(const char *path)
{
        for (size_t i = 0; i < ARRAY_SIZE(covers); i++)
                if (sandbox_path_is_below(path, covers[i].path))
                        return true;
        return false;
}

/* A descriptor from before our namespace is of a mount of another one, which cannot
 * be cloned. The same folder is opened in here, without following links. */
static int open_again(int fd, int *ret)
{
        struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                               .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
        char link[32], path[PATH_MAX];
        struct stat wanted, found;
        AUTO_CLOSE int again = -1;
        ssize_t length;

        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        length = readlink(link, path, sizeof(path) - 1);
        if (length < 0)
                return -errno;
        path[length] = '\0';
        again = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
        if (again < 0 || fstat(again, &found) < 0 || fstat(fd, &wanted) < 0)
                return -errno;
        if (found.st_dev != wanted.st_dev || found.st_ino != wanted.st_ino)
                return -ESTALE;
        *ret = TAKE_FD(again);
        return 0;
}

/* 1: kept aside; 0: there is no such thing. `fd` -1: what is at `path`. */
static int keep_tree(struct view *view, int fd, const char *path, uint64_t attributes)
{
        struct mount_attr attr = {.attr_set = attributes};
        AUTO_CLOSE int again = -1;
        AUTO_CLOSE int tree = -1;
        struct stat status;
        int r;

        view->where = path;
        if (view->trees_count == TREES_MAX)
                return -E2BIG;
        r = fd < 0 ? 0 : open_again(fd, &again);
        if (r < 0)
                return r;
        tree = open_tree(fd < 0 ? AT_FDCWD : again, fd < 0 ? path : "",
                         OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE |
                                 (fd < 0 ? 0U : (unsigned)AT_EMPTY_PATH));
        if (tree < 0)
                return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
        if (fstat(tree, &status) < 0 ||
            mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0)
                return -errno;
        view->trees[view->trees_count++] =
                (struct tree){TAKE_FD(tree), path, S_ISDIR(status.st_mode)};
        return 1;
}

static int keep_readable(struct view *view, const char *path)
{
        if (!is_covered(path))
                return 0;
        return keep_tree(view, -1, path, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

static int keep_device(struct view *view, const char *path)
{
        struct stat status;

        if (lstat(path, &status) < 0 || !S_ISCHR(status.st_mode))
                return 0;
        return keep_tree(view, -1, path, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
}

static int keep_all(struct view *view)
{
        const struct mount_plan *plan = view->plan;
        int r = keep_readable(view, "/run/udev");

        for (const char *const *path = plan->readable; *path && r >= 0; path++)
                r = keep_readable(view, *path);
        if (r >= 0 && plan->network && realpath("/etc/resolv.conf", view->resolver))
                r = keep_readable(view, view->resolver);
        for (size_t i = 0; i < ARRAY_SIZE(plain_devices) && r >= 0; i++)
                r = keep_device(view, plain_devices[i]);
        for (const char *const *path = plan->devices; *path && r >= 0; path++)
                r = keep_device(view, *path);
        view->readable_count = view->trees_count;
        for (size_t i = 0; i < plan->places_count && r >= 0; i++) {
                const struct mount_place *place = &plan->places[i];

                r = keep_tree(view, place->fd, place->path, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
                if (r == 0)
                        r = -ENOENT;
        }
        return r < 0 ? r : 0;
}

static int mount_tmpfs(const char *path, const char *options)
{
        if (mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, options) < 0)
                return -errno;
        return 0;
}

static int mount_covers(struct view *view)
{
        for (size_t i = 0; i < ARRAY_SIZE(covers); i++) {
                struct stat status;
                int r;

                view->where = covers[i].path;
                if (lstat(covers[i].path, &status) < 0 || !S_ISDIR(status.st_mode))
                        continue;
                r = mount_tmpfs(covers[i].path, covers[i].options);
                if (r < 0)
                        return r;
                if (covers[i].closes)
                        view->closing[view->closing_count++] = covers[i].path;
        }
        return 0;
}

/* Makes what is missing of a path, which is possible in the covers only. */
static int make_mount_point(const char *path, bool folder)
{
        char part[SANDBOX_PATH_MAX > PATH_MAX ? SANDBOX_PATH_MAX : PATH_MAX];
        struct stat status;
        int fd;

        if (lstat(path, &status) == 0)
                return 0;
        if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part))
                return -ENAMETOOLONG;
        for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                if (mkdir(part, 0755) < 0 && errno != EEXIST)
                        return -errno;
                *slash = '/';
        }
        if (folder)
                return mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
        if (fd < 0)
                return -errno;
        close(fd);
        return 0;
}

static int put_trees(struct view *view, size_t from, size_t to)
{
        for (size_t i = from; i < to; i++) {
                struct tree *tree = &view->trees[i];
                int r;

                view->where = tree->path;
                r = make_mount_point(tree->path, tree->folder);
                if (r < 0)
                        return r;
                if (move_mount(tree->fd, "", AT_FDCWD, tree->path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
                        return -errno;
        }
        return 0;
}

static int finish_dev(struct view *view)
{
        view->where = "/dev";
        for (size_t i = 0; i < ARRAY_SIZE(links); i++)
                if (symlink(links[i].target, links[i].path) < 0)
                        return -errno;
        if (mkdir("/dev/shm", 01777) < 0)
                return -errno;
        return mount_tmpfs("/dev/shm", "mode=1777,size=64m,nr_inodes=16k");
}

static int mount_proc(struct view *view)
{
        view->where = "/proc";
        if (view->plan->new_proc &&
            mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
                return -errno;
        return 0;
}

/* An empty folder stays open for own places until the end. */
static int hide(struct view *view, const char *path)
{
        struct stat status;

        view->where = path;
        if (stat(path, &status) < 0)
                return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
        if (!S_ISDIR(status.st_mode))
                return mount("/dev/null", path, NULL, MS_BIND, NULL) < 0 ? -errno : 0;
        if (view->closing_count == HIDDEN_MAX)
                return -E2BIG;
        view->closing[view->closing_count++] = path;
        return mount_tmpfs(path, "mode=555,size=256k,nr_inodes=512");
}

static int hide_all(struct view *view)
{
        int r = 0;

        for (size_t i = 0; i < ARRAY_SIZE(view->plan->hidden) && r == 0; i++)
                for (const char *const *path = view->plan->hidden[i]; *path && r == 0; path++)
                        r = hide(view, *path);
        return r;
}

static int close_covers(struct view *view)
{
        const struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};

        for (size_t i = 0; i < view->closing_count; i++) {
                view->where = view->closing[i];
                if (mount_setattr(AT_FDCWD, view->closing[i], 0, (struct mount_attr *)&read_only,
                                  sizeof(read_only)) < 0)
                        return -errno;
        }
        return 0;
}

static int build(struct view *view)
{
        struct mount_attr closed = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
                                                MOUNT_ATTR_NODEV};
        int r;

        view->where = "/";
        /* Unmounting a stick out there unmounts it in here; nothing goes back. */
        if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
                return -errno;
        r = keep_all(view);
        if (r < 0)
                return r;
        view->where = "/";
        if (mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &closed, sizeof(closed)) < 0)
                return -errno;
        r = mount_covers(view);
        if (r == 0)
                r = put_trees(view, 0, view->readable_count);
        if (r == 0)
                r = finish_dev(view);
        if (r == 0)
                r = mount_proc(view);
        if (r == 0)
                r = hide_all(view);
        if (r == 0)
                r = put_trees(view, view->readable_count, view->trees_count);
        return r == 0 ? close_covers(view) : r;
}

int mount_view_enter(const struct mount_plan *plan, const char **ret_where)
{
        struct view view = {.plan = plan};
        int r = build(&view);

        for (size_t i = 0; i < view.trees_count; i++)
                close(view.trees[i].fd);
        *ret_where = view.where == view.resolver ? "/etc/resolv.conf" : view.where;
        return r;
}
