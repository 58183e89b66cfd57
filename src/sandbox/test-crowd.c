/* Many programs; not for an emulated machine, which takes 200 ms for each. */
#include "sandbox/test-sandbox.h"

#include <dirent.h>

static unsigned count_children(pid_t root)
{
        char command[128], line[32] = "";
        unsigned count = 0;
        FILE *listing;

        snprintf(command, sizeof(command), "ps -o pid= --ppid %d", (int)root);
        listing = popen(command, "re");
        CHECK(listing != NULL);
        while (fgets(line, sizeof(line), listing))
                count++;
        pclose(listing);
        return count;
}

static unsigned count_descriptors(pid_t pid)
{
        char path[64];
        struct dirent *entry;
        unsigned count = 0;
        DIR *folder;

        snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
        folder = opendir(path);
        /* Nobody but root may look into the spawner. */
        if (!folder && geteuid() != 0)
                return 0;
        CHECK(folder != NULL);
        while ((entry = readdir(folder)))
                count += entry->d_name[0] != '.';
        closedir(folder);
        return count;
}

/* Starts and kills, some at once; then all is as it was before. */
TEST(a_thousand_starts_leave_nothing_behind)
{
        enum { ROUNDS = 125, AT_ONCE = 8 };
        struct fixture *f = fixture_new(geteuid() == 0 ? MODE_ROOT : MODE_USER, NULL);
        struct request request;
        unsigned descriptors, ours;
        pid_t spawner;

        CHECK_EQ(try(f, WORDS("where")), 0);
        spawner = find_spawner();
        descriptors = count_descriptors(spawner);
        ours = count_descriptors(getpid());
        ask(f, &request, "short", WORDS("where"));
        for (unsigned round = 0; round < ROUNDS; round++) {
                unsigned ended = 0;

                for (unsigned i = 0; i < AT_ONCE; i++)
                        CHECK_EQ(sandbox_start(f->sandbox, 1000 + i, &request.program), 0);
                for (unsigned i = 0; i < AT_ONCE / 2; i++)
                        CHECK_EQ(sandbox_kill(f->sandbox, 1000 + i), 0);
                while (ended < AT_ONCE) {
                        next_event(f);
                        CHECK(f->last.kind == SANDBOX_STARTED || f->last.kind == SANDBOX_ENDED ||
                              (f->last.kind == SANDBOX_FAILED &&
                               f->last.step == SANDBOX_STEP_KILLED));
                        ended += f->last.kind != SANDBOX_STARTED;
                }
        }
        CHECK_EQ(count_descriptors(spawner), descriptors);
        CHECK_EQ(count_descriptors(getpid()), ours);
        CHECK_EQ(count_children(spawner), 0);
        fixture_free(f);
}

/* More than there is room for: each is answered, none is lost. */
TEST(beyond_the_bound_a_start_is_told_to_try_again)
{
        struct fixture *f = fixture_new(geteuid() == 0 ? MODE_ROOT : MODE_USER, NULL);
        unsigned started = 0, refused = 0;
        struct request request;

        ask(f, &request, "many", WORDS("wait"));
        for (unsigned i = 0; i < SANDBOX_PROGRAMS_MAX + 4; i++) {
                int r;

                while ((r = sandbox_start(f->sandbox, i + 1, &request.program)) == -EAGAIN)
                        usleep(1000);
                CHECK_EQ(r, 0);
                next_event(f);
                started += f->last.kind == SANDBOX_STARTED;
                refused += f->last.kind == SANDBOX_FAILED && f->last.error == -EAGAIN &&
                           f->last.step == SANDBOX_STEP_PROGRAMS;
        }
        CHECK_EQ(started, SANDBOX_PROGRAMS_MAX);
        CHECK_EQ(refused, 4);
        fixture_free(f);
}

/* It has no time-out of its own, so it is the asker's silence that must not matter:
 * nothing is read, and each program's end waits in its place. */
TEST(an_asker_that_does_not_listen_loses_no_event)
{
        enum { COUNT = 200 };
        struct fixture *f = fixture_new(geteuid() == 0 ? MODE_ROOT : MODE_USER, NULL);
        struct request request;
        unsigned ended = 0;

        ask(f, &request, "short", WORDS("where"));
        for (unsigned i = 0; i < COUNT; i++)
                while (sandbox_start(f->sandbox, i + 1, &request.program) == -EAGAIN)
                        usleep(1000);
        while (ended < COUNT) {
                next_event(f);
                ended += f->last.kind == SANDBOX_ENDED;
        }
        fixture_free(f);
}
