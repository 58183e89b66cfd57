#include "sandbox/wall-cgroup.h"

#include "base/attributes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
        TEXT_MAX = 128,
        LISTING_MAX = 64 * 1024,
        NAME_MAX_BYTES = 32,
        CPU_PERIOD_US = 100000,
        INIT_TASKS = 1, /* our own process in there */
};

struct cgroup {
        const struct cgroup_files *files;
        int fd;
        uint32_t walls;
};

static int write_number(const struct cgroup *c, int folder, const char *name, uint64_t value)
{
        char text[TEXT_MAX];

        snprintf(text, sizeof(text), "%" PRIu64, value);
        return c->files->write_file(folder, name, text);
}

static void name_of(unsigned number, char name[NAME_MAX_BYTES])
{
        snprintf(name, NAME_MAX_BYTES, "program-%u", number);
}

/* Controllers are asked for one by one: a machine may lack one of them. */
static uint32_t enable_controllers(const struct cgroup *c)
{
        static const struct {
                const char *word;
                enum sandbox_wall wall;
        } controllers[] = {
                {"+memory", SANDBOX_WALL_CGROUP_MEMORY},
                {"+pids", SANDBOX_WALL_CGROUP_PIDS},
                {"+cpu", SANDBOX_WALL_CGROUP_CPU},
        };
        uint32_t walls = 0;

        for (size_t i = 0; i < ARRAY_SIZE(controllers); i++)
                if (c->files->write_file(c->fd, "cgroup.subtree_control", controllers[i].word) == 0)
                        walls |= UINT32_C(1) << controllers[i].wall;
        return walls;
}

static int settle(struct cgroup *c)
{
        AUTO_CLOSE int spawner = -1;
        char text[TEXT_MAX];
        int r = c->files->make_folder(c->fd, "spawner");

        if (r < 0 && r != -EEXIST)
                return r;
        spawner = c->files->open_folder(c->fd, "spawner");
        if (spawner < 0)
                return spawner;
        /* Only a group that is not the topmost has this file. */
        r = c->files->read_file(spawner, "cgroup.kill", text, sizeof(text));
        if (r == -ENOENT)
                return -ENOSYS;
        r = c->files->write_file(spawner, "cgroup.procs", "0");
        if (r < 0)
                return r;
        c->walls = enable_controllers(c) | UINT32_C(1) << SANDBOX_WALL_CGROUP_KILL;
        for (unsigned i = 0; i < SANDBOX_PROGRAMS_MAX; i++)
                (void)cgroup_remove(c, i);
        return 0;
}

int cgroup_new(const struct cgroup_files *files, const char *path, struct cgroup **ret,
               uint32_t *ret_walls)
{
        AUTO(cgroup) struct cgroup *c = calloc(1, sizeof(*c));
        int r;

        if (!c)
                return -ENOMEM;
        c->files = files;
        c->fd = files->open_folder(-1, path);
        if (c->fd < 0)
                return c->fd;
        r = settle(c);
        if (r < 0)
                return r;
        *ret_walls = c->walls;
        *ret = TAKE(c);
        return 0;
}

struct cgroup *cgroup_free(struct cgroup *c)
{
        if (c && c->fd >= 0)
                close(c->fd);
        free(c);
        return NULL;
}

static bool has(const struct cgroup *c, enum sandbox_wall wall)
{
        return c->walls & UINT32_C(1) << wall;
}

static int set_limits(struct cgroup *c, int fd, const struct sandbox_limits *limits)
{
        char text[TEXT_MAX];
        int r = 0;

        if (has(c, SANDBOX_WALL_CGROUP_MEMORY) && limits->memory_bytes > 0) {
                r = write_number(c, fd, "memory.max", limits->memory_bytes);
                if (r == 0)
                        r = c->files->write_file(fd, "memory.oom.group", "1");
                /* A kernel without swap has no such file. */
                if (r == 0) {
                        r = write_number(c, fd, "memory.swap.max", 0);
                        r = r == -ENOENT ? 0 : r;
                }
        }
        if (r == 0 && has(c, SANDBOX_WALL_CGROUP_PIDS))
                r = write_number(c, fd, "pids.max", (uint64_t)limits->tasks + INIT_TASKS);
        if (r == 0 && has(c, SANDBOX_WALL_CGROUP_CPU) && limits->cpu_percent > 0) {
                snprintf(text, sizeof(text), "%" PRIu64 " %d",
                         (uint64_t)limits->cpu_percent * CPU_PERIOD_US / 100, CPU_PERIOD_US);
                r = c->files->write_file(fd, "cpu.max", text);
        }
        return r;
}

int cgroup_add(struct cgroup *c, unsigned number, const struct sandbox_limits *limits, int *ret_fd)
{
        char name[NAME_MAX_BYTES];
        AUTO_CLOSE int fd = -1;
        int r;

        name_of(number, name);
        r = c->files->make_folder(c->fd, name);
        /* Of a program that ended: it could not be removed while its last process was dying.
         * That one was killed with all others of the group, and harms nobody in this one. */
        if (r < 0 && r != -EEXIST)
                return r;
        fd = c->files->open_folder(c->fd, name);
        r = fd < 0 ? fd : set_limits(c, fd, limits);
        if (r < 0) {
                (void)c->files->remove_folder(c->fd, name);
                return r;
        }
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int cgroup_kill(struct cgroup *c, int fd)
{
        return c->files->write_file(fd, "cgroup.kill", "1");
}

int cgroup_remove(struct cgroup *c, unsigned number)
{
        char name[NAME_MAX_BYTES];

        name_of(number, name);
        return c->files->remove_folder(c->fd, name);
}

/* The number behind `key` at the start of a line, or of the whole for NULL. */
static bool find_number(const char *text, const char *key, uint64_t *ret)
{
        const size_t length = key ? strlen(key) : 0;

        while (key && (strncmp(text, key, length) != 0 || text[length] != ' ')) {
                text = strchr(text, '\n');
                if (!text)
                        return false;
                text++;
        }
        return sscanf(text + length, "%" SCNu64, ret) == 1;
}

static void measure(struct cgroup *c, int fd, const char *file, const char *key, uint64_t *ret)
{
        char text[1024];

        if (c->files->read_file(fd, file, text, sizeof(text)) == 0)
                (void)find_number(text, key, ret);
}

void cgroup_measure(struct cgroup *c, int fd, struct sandbox_usage *usage)
{
        measure(c, fd, "memory.current", NULL, &usage->memory_bytes);
        measure(c, fd, "memory.peak", NULL, &usage->memory_peak_bytes);
        measure(c, fd, "cpu.stat", "usage_usec", &usage->cpu_us);
}

bool cgroup_ran_out_of_memory(struct cgroup *c, int fd)
{
        uint64_t kills = 0;

        measure(c, fd, "memory.events", "oom_kill", &kills);
        return kills > 0;
}

int cgroup_processes(struct cgroup *c, int fd, pid_t ret[], size_t max)
{
        AUTO_FREE char *text = malloc(LISTING_MAX);
        size_t count = 0;
        char *end;
        int r;

        if (!text)
                return -ENOMEM;
        r = c->files->read_file(fd, "cgroup.procs", text, LISTING_MAX);
        if (r < 0)
                return r;
        for (char *line = text; *line && count < max; line = end) {
                long pid = strtol(line, &end, 10);

                if (end == line)
                        break;
                if (pid > 0)
                        ret[count++] = (pid_t)pid;
        }
        return (int)count;
}
