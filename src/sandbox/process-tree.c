#include "sandbox/process-tree.h"

#include "base/attributes.h"
#include "base/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { STAT_MAX = 1024, ROLLUP_MAX = 4096, STOP_ROUNDS = 64, NAP_US = 1000, DEPTH_MAX = 256 };

struct process {
        pid_t pid, parent;
        char state;
        uint32_t threads;
        uint64_t own_ticks, children_ticks, started_ticks;
};

struct process_table {
        size_t count;
        struct process processes[PROCESS_TABLE_MAX]; /* by number */
};

static ssize_t read_text(const char *path, char *ret, size_t size)
{
        AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t got;

        if (fd < 0)
                return -errno;
        got = read(fd, ret, size - 1);
        if (got < 0)
                return -errno;
        ret[got] = '\0';
        return got;
}

/* proc(5): a name may hold anything, so what counts is the last parenthesis. */
static int read_process(pid_t pid, struct process *ret)
{
        uint64_t user, system, children_user, children_system, started;
        char path[32], text[STAT_MAX];
        uint32_t threads;
        char *behind;
        int parent;
        char state;

        snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
        if (read_text(path, text, sizeof(text)) <= 0)
                return -ESRCH;
        behind = strrchr(text, ')');
        if (!behind || sscanf(behind + 1,
                              " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64
                              " %" SCNu64 " %" SCNu64 " %*d %*d %" SCNu32 " %*d %" SCNu64,
                              &state, &parent, &user, &system, &children_user, &children_system,
                              &threads, &started) != 8)
                return -EBADMSG;
        *ret = (struct process){.pid = pid,
                                .parent = parent,
                                .state = state,
                                .threads = threads,
                                .own_ticks = user + system,
                                .children_ticks = children_user + children_system,
                                .started_ticks = started};
        return 0;
}

static int compare_numbers(const void *a, const void *b)
{
        const struct process *left = a, *right = b;

        return (left->pid > right->pid) - (left->pid < right->pid);
}

int process_table_read(struct process_table **ret)
{
        AUTO(process_table) struct process_table *table = malloc(sizeof(*table));
        DIR *folder = table ? opendir("/proc") : NULL;
        struct dirent *entry;

        if (!folder)
                return table ? -errno : -ENOMEM;
        table->count = 0;
        while (table->count < PROCESS_TABLE_MAX && (entry = readdir(folder))) {
                char *end;
                long pid = strtol(entry->d_name, &end, 10);

                if (*end == '\0' && pid > 0 &&
                    read_process((pid_t)pid, &table->processes[table->count]) == 0)
                        table->count++;
        }
        closedir(folder);
        qsort(table->processes, table->count, sizeof(table->processes[0]), compare_numbers);
        *ret = TAKE(table);
        return 0;
}

struct process_table *process_table_free(struct process_table *table)
{
        free(table);
        return NULL;
}

static const struct process *find_process(const struct process_table *table, pid_t pid)
{
        const struct process wanted = {.pid = pid};

        return bsearch(&wanted, table->processes, table->count, sizeof(wanted), compare_numbers);
}

/* Numbers that were reused while the table was read could make a circle. */
static bool comes_of(const struct process_table *table, const struct process *process, pid_t root)
{
        for (unsigned depth = 0; process && depth < DEPTH_MAX; depth++) {
                if (process->parent == root)
                        return true;
                process = find_process(table, process->parent);
        }
        return false;
}

static bool is_dead(const struct process *process)
{
        return process->state == 'Z' || process->state == 'X';
}

size_t process_table_descendants(const struct process_table *table, pid_t root, pid_t ret[],
                                 size_t max)
{
        size_t count = 0;

        for (size_t i = 0; i < table->count && count < max; i++) {
                const struct process *process = &table->processes[i];

                if (!is_dead(process) && comes_of(table, process, root))
                        ret[count++] = process->pid;
        }
        return count;
}

static uint64_t microseconds(uint64_t ticks)
{
        return ticks * 1000000 / (uint64_t)sysconf(_SC_CLK_TCK);
}

uint64_t process_children_cpu_us(pid_t pid)
{
        struct process process;

        return read_process(pid, &process) < 0 ? 0 : microseconds(process.children_ticks);
}

static bool read_pages(pid_t pid, uint64_t *ret_resident, uint64_t *ret_shared)
{
        char path[32], text[STAT_MAX];

        snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
        return read_text(path, text, sizeof(text)) > 0 &&
               sscanf(text, "%*u %" SCNu64 " %" SCNu64, ret_resident, ret_shared) == 2;
}

void process_tree_measure(const pid_t pids[], size_t count, struct sandbox_usage *usage)
{
        const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

        for (size_t i = 0; i < count; i++) {
                uint64_t resident, shared;
                struct process process;

                if (read_process(pids[i], &process) < 0 || !read_pages(pids[i], &resident, &shared))
                        continue;
                usage->memory_bytes += resident * page;
                usage->cpu_us += microseconds(process.own_ticks + process.children_ticks);
                usage->tasks += process.threads;
        }
}

uint64_t process_private(pid_t pid)
{
        char path[40], text[ROLLUP_MAX];
        uint64_t sum = 0;

        snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
        if (read_text(path, text, sizeof(text)) <= 0)
                return 0;
        for (const char *line = text; line; line = strchr(line, '\n')) {
                uint64_t kibibytes;

                line += *line == '\n';
                if (sscanf(line, "Private_%*[A-Za-z]: %" SCNu64, &kibibytes) == 1)
                        sum += kibibytes * 1024;
        }
        return sum;
}

uint64_t process_tree_private(const pid_t pids[], size_t count)
{
        const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
        uint64_t sum = 0;

        for (size_t i = 0; i < count; i++) {
                uint64_t own = process_private(pids[i]), resident, shared;

                if (own == 0 && read_pages(pids[i], &resident, &shared) && resident > shared)
                        own = (resident - shared) * page;
                sum += own;
        }
        return sum;
}

/* Only if the number still means whom we saw. */
static void send_signal(const struct process *whom, int number)
{
        AUTO_CLOSE int pidfd = (int)syscall(SYS_pidfd_open, whom->pid, 0);
        struct process now;

        if (pidfd < 0 || read_process(whom->pid, &now) < 0 ||
            now.started_ticks != whom->started_ticks)
                return;
        (void)syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0);
}

static bool is_spared(const struct process_table *table, const struct process *process,
                      const pid_t spared[], size_t spared_count)
{
        for (size_t i = 0; i < spared_count; i++)
                if (process->pid == spared[i] || comes_of(table, process, spared[i]))
                        return true;
        return false;
}

/* Keeps only those that are to die. */
static int find_victims(const pid_t spared[], size_t spared_count, struct process_table **ret)
{
        AUTO(process_table) struct process_table *table = NULL;
        AUTO(process_table) struct process_table *victims = malloc(sizeof(*victims));
        int r = victims ? process_table_read(&table) : -ENOMEM;

        if (r < 0)
                return r;
        victims->count = 0;
        for (size_t i = 0; i < table->count; i++) {
                const struct process *process = &table->processes[i];

                if (!is_dead(process) && comes_of(table, process, getpid()) &&
                    !is_spared(table, process, spared, spared_count))
                        victims->processes[victims->count++] = *process;
        }
        *ret = TAKE(victims);
        return 0;
}

/* True: somebody was not stopped yet. */
static bool stop_all(const struct process_table *victims)
{
        bool stopped = false;

        for (size_t i = 0; i < victims->count; i++)
                if (victims->processes[i].state != 'T') {
                        send_signal(&victims->processes[i], SIGSTOP);
                        stopped = true;
                }
        return stopped;
}

static void kill_and_reap(const struct process_table *victims, process_ended_fn *ended, void *owner)
{
        for (size_t i = 0; i < victims->count; i++)
                send_signal(&victims->processes[i], SIGKILL);
        usleep(NAP_US);
        for (size_t i = 0; i < victims->count; i++) {
                pid_t pid = victims->processes[i].pid;
                int status;

                if (waitpid(pid, &status, WNOHANG) == pid && ended)
                        ended(owner, pid, status);
        }
}

int process_tree_kill(const pid_t spared[], size_t spared_count, unsigned timeout_ms,
                      process_ended_fn *ended, void *owner)
{
        const uint64_t until_ns = clock_monotonic_ns() + timeout_ms * UINT64_C(1000000);

        for (unsigned round = 0;; round++) {
                AUTO(process_table) struct process_table *victims = NULL;
                int r = find_victims(spared, spared_count, &victims);

                if (r == 0 && victims->count == 0)
                        return 0;
                if (clock_monotonic_ns() > until_ns)
                        return r < 0 ? r : -ETIME;
                /* Memory or descriptors may be back in a moment: nobody else kills them. */
                if (r < 0)
                        usleep(NAP_US);
                else if (round >= STOP_ROUNDS || !stop_all(victims))
                        kill_and_reap(victims, ended, owner);
        }
}
