#include "sandbox/wall-landlock.h"

#include "base/attributes.h"
#include "base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum { RULES_MAX = 1024, SCAN_PATH_MAX = 512 };

/* Headers of Debian 12 end with version 2; these are of linux/landlock.h of 6.12. */
#define RIGHT_TRUNCATE (UINT64_C(1) << 14)  /* version 3 */
#define RIGHT_IOCTL_DEV (UINT64_C(1) << 15) /* version 5 */
#define NET_BIND_TCP (UINT64_C(1) << 0)     /* version 4 */
#define NET_CONNECT_TCP (UINT64_C(1) << 1)
#define SCOPE_ABSTRACT_SOCKET (UINT64_C(1) << 0) /* version 6 */
#define SCOPE_SIGNAL (UINT64_C(1) << 1)

#define RIGHTS_READ                                                                                \
        (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define RIGHTS_DEVICES                                                                             \
        (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | RIGHT_TRUNCATE |           \
         RIGHT_IOCTL_DEV)
#define RIGHTS_ALL ((UINT64_C(1) << 16) - 1)
#define RIGHTS_WRITABLE                                                                            \
        (RIGHTS_ALL &                                                                              \
         ~(LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK | RIGHT_IOCTL_DEV))
/* Of those, what a rule about a file, not a folder, may have. */
#define RIGHTS_OF_FILES                                                                            \
        (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |                               \
         LANDLOCK_ACCESS_FS_WRITE_FILE | RIGHT_TRUNCATE | RIGHT_IOCTL_DEV)

/* As the kernel of version 6 has it; an older one is given the part it knows. */
struct ruleset {
        uint64_t files, net, scoped;
};

struct building {
        int fd;
        uint64_t handled;
        unsigned rules;
        const char *const *hidden[2];
};

uint32_t landlock_abi(void)
{
        long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

        return abi > 0 ? (uint32_t)abi : 0;
}

static int make_ruleset(const struct landlock_plan *plan, struct building *ret)
{
        static const unsigned bits[] = {0, 13, 14, 15, 15, 16}; /* rights by version */
        struct ruleset rules = {0};
        size_t size = sizeof(rules.files);
        unsigned known = plan->abi < ARRAY_SIZE(bits) ? bits[plan->abi] : 16;

        rules.files = (UINT64_C(1) << known) - 1;
        if (plan->abi >= 4) {
                size = offsetof(struct ruleset, scoped);
                rules.net = plan->network ? 0 : NET_BIND_TCP | NET_CONNECT_TCP;
        }
        if (plan->abi >= 6) {
                size = sizeof(rules);
                rules.scoped = SCOPE_ABSTRACT_SOCKET | SCOPE_SIGNAL;
        }
        ret->handled = rules.files;
        ret->fd = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
        return ret->fd < 0 ? -errno : 0;
}

static int allow(struct building *b, const char *path, uint64_t rights)
{
        struct landlock_path_beneath_attr rule = {0};
        AUTO_CLOSE int fd = open(path, O_PATH | O_CLOEXEC);
        struct stat status;

        if (fd < 0) /* not there, or not ours to look at: nothing to allow */
                return errno == EMFILE || errno == ENFILE ? -errno : 0;
        if (fstat(fd, &status) < 0)
                return -errno;
        if (!S_ISDIR(status.st_mode))
                rights &= RIGHTS_OF_FILES;
        if (++b->rules > RULES_MAX)
                return -E2BIG;
        rule.parent_fd = fd;
        rule.allowed_access = rights & b->handled;
        if (rule.allowed_access == 0)
                return 0;
        if (syscall(SYS_landlock_add_rule, b->fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
                return -errno;
        return 0;
}

static bool is_below(const char *path, const char *folder)
{
        size_t length = strcmp(folder, "/") == 0 ? 0 : strlen(folder);

        return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* Is it hidden (1), or does it hold something hidden (2)? */
static int is_hidden(const struct building *b, const char *path)
{
        int found = 0;

        for (size_t i = 0; i < ARRAY_SIZE(b->hidden); i++)
                for (const char *const *hidden = b->hidden[i]; hidden && *hidden; hidden++) {
                        if (is_below(path, *hidden))
                                return 1;
                        if (is_below(*hidden, path))
                                found = 2;
                }
        return found;
}

/* The folder itself gets no rule then, which would hold for all in it. Hidden paths
 * are at most as deep as a path is long, and so is this. */
static int allow_reading(struct building *b, const char *path)
{
        int hidden = is_hidden(b, path);
        struct dirent *entry;
        DIR *folder;
        int r = 0;

        if (hidden == 1)
                return 0;
        if (hidden == 0)
                return allow(b, path, RIGHTS_READ);
        folder = opendir(path);
        if (!folder)
                return 0;
        while (r == 0 && (entry = readdir(folder))) {
                char name[SCAN_PATH_MAX];

                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                if (entry->d_type == DT_LNK)
                        continue; /* where it leads to has its own rule */
                if (snprintf(name, sizeof(name), "%s/%s", strcmp(path, "/") == 0 ? "" : path,
                             entry->d_name) < (int)sizeof(name))
                        r = allow_reading(b, name);
        }
        closedir(folder);
        return r;
}

static int allow_all_reading(struct building *b, const struct landlock_plan *plan)
{
        int r;

        b->hidden[0] = plan->hidden;
        b->hidden[1] = plan->closed;
        r = allow_reading(b, "/");
        b->hidden[1] = NULL;
        for (const char *const *path = plan->readable; *path && r == 0; path++)
                r = allow_reading(b, *path);
        return r;
}

int landlock_enter(const struct landlock_plan *plan)
{
        static const char *const scratch[] = {"/tmp", "/var/tmp", "/dev/shm"};
        struct building b = {.fd = -1};
        AUTO_CLOSE int fd = -1;
        int r;

        r = make_ruleset(plan, &b);
        fd = b.fd;
        if (r == 0)
                r = allow_all_reading(&b, plan);
        for (const char *const *device = plan->devices; *device && r == 0; device++)
                r = allow(&b, *device, RIGHTS_DEVICES);
        /* Its own name and the like; what is not its own is not its to write. */
        if (r == 0)
                r = allow(&b, "/proc", RIGHTS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE);
        for (size_t i = 0; i < ARRAY_SIZE(scratch) && r == 0; i++)
                r = allow(&b, scratch[i], RIGHTS_WRITABLE);
        for (size_t i = 0; i < ARRAY_SIZE(plan->writable) && r == 0; i++)
                for (const char *const *path = plan->writable[i]; path && *path && r == 0; path++)
                        r = allow(&b, *path, RIGHTS_WRITABLE);
        if (r < 0)
                return r;
        if (syscall(SYS_landlock_restrict_self, b.fd, 0) < 0)
                return -errno;
        return 0;
}
