#include "sandbox/process-tree.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MANY = 64, TIMEOUT_MS = 10000, BYTES = 16 << 20 };

/* ThreadSanitizer has a thread of its own in each process. */
#ifdef __SANITIZE_THREAD__
enum { TASKS = 2 };
#else
enum { TASKS = 1 };
#endif

struct member {
        unsigned place; /* 0: our child */
        pid_t pid;
};

static void become_subreaper(void)
{
        CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
}

/* Says which place in its chain it has, and sleeps until it is killed. */
_Noreturn static void sleep_in_chain(int told, unsigned place)
{
        const struct member self = {.place = place, .pid = getpid()};

        if (write(told, &self, sizeof(self)) < 0)
                _exit(1);
        close(told);
        for (;;)
                pause();
}

/* A child that sleeps, after `depth` more below it, each of which turned its back on its parent.
 * Returns when all are there; their numbers in `ret`, the child's first. */
static void start_chain(unsigned depth, pid_t ret[])
{
        unsigned place = 0;
        int told[2];
        pid_t child;

        CHECK_EQ(pipe(told), 0);
        child = fork();
        CHECK(child >= 0);
        if (child == 0) {
                close(told[0]);
                while (place < depth && fork() == 0) {
                        setsid();
                        place++;
                }
                sleep_in_chain(told[1], place);
        }
        close(told[1]);
        /* A parent may come to speak after its child. */
        for (unsigned i = 0; i <= depth; i++) {
                struct member member;

                CHECK_EQ(read(told[0], &member, sizeof(member)), sizeof(member));
                CHECK(member.place <= depth);
                ret[member.place] = member.pid;
        }
        CHECK_EQ(ret[0], child);
        close(told[0]);
}

static size_t list(pid_t root, pid_t ret[], size_t max)
{
        AUTO(process_table) struct process_table *table = NULL;

        CHECK_EQ(process_table_read(&table), 0);
        return process_table_descendants(table, root, ret, max);
}

struct ended {
        unsigned count;
        bool by_us;
};

static void on_ended(void *owner, pid_t pid, int status)
{
        struct ended *ended = owner;

        CHECK(pid > 0);
        ended->count++;
        ended->by_us &= WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/* Some may have come to us only when they had ended: those are waited for here. */
static void kill_all(const pid_t spared[], size_t spared_count, unsigned expected)
{
        struct ended ended = {.by_us = true};
        int status;
        pid_t pid;

        CHECK_EQ(process_tree_kill(spared, spared_count, TIMEOUT_MS, on_ended, &ended), 0);
        while (ended.count < expected && (pid = waitpid(-1, &status, 0)) > 0)
                on_ended(&ended, pid, status);
        CHECK_EQ(ended.count, expected);
        CHECK(ended.by_us);
}

TEST(all_that_came_of_a_process_is_found_whoever_is_its_parent_now)
{
        pid_t chain[5], found[MANY];
        size_t count;

        become_subreaper();
        start_chain(4, chain);
        count = list(getpid(), found, MANY);
        CHECK_EQ(count, 5);
        for (size_t i = 0; i < 5; i++) {
                bool known = false;

                for (size_t j = 0; j < count; j++)
                        known |= found[j] == chain[i];
                CHECK(known);
        }
        /* At most as many as there is room for; nothing of one who has no children. */
        CHECK_EQ(list(getpid(), found, 2), 2);
        CHECK_EQ(list(chain[4], found, MANY), 0);
        kill_all(NULL, 0, 5);
        CHECK_EQ(list(getpid(), found, MANY), 0);
}

TEST(children_that_are_spared_live_on_and_what_came_of_them_too)
{
        pid_t spared[3], killed[2], found[MANY];

        become_subreaper();
        /* In the order of their making: the spared one's are its own children. */
        start_chain(1, spared);
        start_chain(1, killed);
        kill_all(spared, 1, 2);
        CHECK_EQ(list(getpid(), found, MANY), 2);
        CHECK_EQ(kill(spared[0], 0), 0);
        kill_all(NULL, 0, 2);
}

TEST(the_dead_are_not_counted_and_left_to_their_parent)
{
        pid_t child = fork(), found[MANY];
        siginfo_t info;

        CHECK(child >= 0);
        if (child == 0)
                _exit(7);
        CHECK_EQ(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
        CHECK_EQ(list(getpid(), found, MANY), 0);
        CHECK_EQ(process_tree_kill(NULL, 0, TIMEOUT_MS, NULL, NULL), 0);
        CHECK_EQ(waitpid(child, NULL, WNOHANG), child);
}

TEST(those_that_stopped_themselves_are_killed_all_the_same)
{
        pid_t chain[3];

        become_subreaper();
        start_chain(2, chain);
        for (size_t i = 0; i < 3; i++)
                CHECK_EQ(kill(chain[i], SIGSTOP), 0);
        kill_all(NULL, 0, 3);
}

TEST(what_processes_use_is_added_up)
{
        struct sandbox_usage usage = {0};
        int told[2];
        char word;
        pid_t child;

        CHECK_EQ(pipe(told), 0);
        child = fork();
        CHECK(child >= 0);
        if (child == 0) {
                char *bytes = mmap(NULL, BYTES, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

                if (bytes == MAP_FAILED)
                        _exit(1);
                memset(bytes, 1, BYTES);
                if (write(told[1], "x", 1) < 0)
                        _exit(1);
                for (;;)
                        pause();
        }
        CHECK_EQ(read(told[0], &word, 1), 1);
        process_tree_measure(&child, 1, &usage);
        CHECK(usage.memory_bytes >= BYTES);
        CHECK_EQ(usage.tasks, TASKS);
        CHECK(process_tree_private(&child, 1) >= BYTES);
        kill_all(NULL, 0, 1);
        /* It has ended meanwhile: it counts nothing. */
        usage = (struct sandbox_usage){0};
        process_tree_measure(&child, 1, &usage);
        CHECK_EQ(usage.memory_bytes, 0);
        CHECK_EQ(usage.tasks, 0);
        CHECK_EQ(process_tree_private(&child, 1), 0);
        CHECK_EQ(process_private(child), 0);
        close(told[0]);
        close(told[1]);
}

TEST(without_memory_for_a_moment_all_are_killed_and_for_good_it_is_told)
{
        pid_t chain[2], found[MANY];
        size_t n = 0;
        bool failed;

        become_subreaper();
        do {
                start_chain(1, chain);
                allocation_fail_at(++n);
                CHECK_EQ(process_tree_kill(NULL, 0, TIMEOUT_MS, NULL, NULL), 0);
                failed = allocation_end();
                while (waitpid(-1, NULL, 0) > 0)
                        continue;
                CHECK_EQ(list(getpid(), found, MANY), 0);
        } while (failed);
        start_chain(1, chain);
        allocation_fail_from(1);
        CHECK_EQ(process_tree_kill(NULL, 0, 20, NULL, NULL), -ENOMEM);
        CHECK(allocation_end());
        CHECK_EQ(list(getpid(), found, MANY), 2);
        kill_all(NULL, 0, 2);
}
