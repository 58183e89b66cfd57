#include "agent/state-dir.h"

#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
        char base[32];
        char path[64];
};

static void place_make(struct place *place, const char *below)
{
        strcpy(place->base, "/tmp/pifleet-state-XXXXXX");
        CHECK(mkdtemp(place->base) != NULL);
        snprintf(place->path, sizeof(place->path), "%s%s", place->base, below);
}

/* Takes the lock and the directories away, up to the base. */
static void place_remove(struct place *place)
{
        char lock[96];

        snprintf(lock, sizeof(lock), "%s/agent.lock", place->path);
        CHECK_EQ(unlink(lock), 0);
        while (strcmp(place->path, place->base) != 0) {
                CHECK_EQ(rmdir(place->path), 0);
                *strrchr(place->path, '/') = '\0';
        }
        CHECK_EQ(rmdir(place->base), 0);
}

TEST(a_state_directory_is_made_private_with_its_parents)
{
        struct stat status;
        struct error error;
        struct place place;
        int fd;

        place_make(&place, "/a/b");
        CHECK_EQ(state_dir_open(place.path, &fd, &error), 0);
        CHECK_EQ(stat(place.path, &status), 0);
        CHECK_EQ(status.st_mode & 07777, 0700);
        close(fd);
        place_remove(&place);
}

TEST(a_second_agent_is_refused_and_told_who_is_first)
{
        struct error error;
        struct place place;
        char pid[32];
        int first, second;

        place_make(&place, "/state");
        CHECK_EQ(state_dir_open(place.path, &first, &error), 0);
        CHECK_EQ(state_dir_open(place.path, &second, &error), -EBUSY);
        snprintf(pid, sizeof(pid), "process %d", (int)getpid());
        CHECK(strstr(error.text, pid) != NULL);
        close(first);
        CHECK_EQ(state_dir_open(place.path, &second, &error), 0);
        close(second);
        place_remove(&place);
}

TEST(nothing_is_kept_open_for_writing)
{
        struct error error;
        struct place place;
        char path[96], text[32] = "", pid[32];
        int fd, file;

        place_make(&place, "/state");
        CHECK_EQ(state_dir_open(place.path, &fd, &error), 0);
        CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
        snprintf(path, sizeof(path), "%s/agent.lock", place.path);
        snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
        file = open(path, O_RDONLY);
        CHECK(read(file, text, sizeof(text) - 1) > 0);
        CHECK_TEXT(text, pid);
        close(file);
        close(fd);
        place_remove(&place);
}

TEST(a_directory_that_cannot_be_is_refused_with_what_to_do)
{
        struct error error;
        int fd;

        CHECK_EQ(state_dir_open("/proc/pifleet", &fd, &error), -ENOENT);
        CHECK(strstr(error.text, "--state-dir") != NULL);
        CHECK_EQ(state_dir_open("/dev/null", &fd, &error), -ENOTDIR);
}
