#include "cli/check.h"

#include "support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A directory of the test's own, and a path in it. */
struct place {
        char directory[32];
        char path[64];
};

static struct place place_new(const char *name)
{
        struct place place = {.directory = "/tmp/test-check-XXXXXX"};

        CHECK(mkdtemp(place.directory));
        snprintf(place.path, sizeof(place.path), "%s/%s", place.directory, name);
        return place;
}

static void place_remove(const struct place *place)
{
        remove(place->path);
        rmdir(place->directory);
}

static void make_file(const char *path)
{
        int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

        CHECK(fd >= 0);
        CHECK_EQ(close(fd), 0);
}

TEST(a_state_directory_is_private_or_still_to_be_made)
{
        struct findings findings = {.count = 0};
        struct place place = place_new("state");

        check_state_directory(place.path, &findings);
        CHECK_EQ(findings.items[0].level, FINDING_OK);
        CHECK(strstr(findings.items[0].text, "will be made"));

        CHECK_EQ(mkdir(place.path, 0700), 0);
        check_state_directory(place.path, &findings);
        CHECK_EQ(findings.items[1].level, FINDING_OK);

        CHECK_EQ(chmod(place.path, 0770), 0);
        check_state_directory(place.path, &findings);
        CHECK_EQ(findings.items[2].level, FINDING_PROBLEM);
        CHECK(strstr(findings.items[2].advice, "chmod 0700"));

        CHECK_EQ(rmdir(place.path), 0);
        make_file(place.path);
        check_state_directory(place.path, &findings);
        CHECK_EQ(findings.items[3].level, FINDING_PROBLEM);
        CHECK(strstr(findings.items[3].text, "not a directory"));
        place_remove(&place);
}

TEST(the_disk_of_a_path_that_does_not_exist_is_that_of_its_nearest_directory)
{
        struct findings findings = {.count = 0};
        struct place place = place_new("a/b/c");

        check_disk(place.path, &findings);
        CHECK_EQ(findings.count, 1);
        CHECK(strstr(findings.items[0].text, place.directory));
        check_disk("/nonexistent/state", &findings);
        CHECK(strstr(findings.items[1].text, "MiB free"));
        check_disk("nowhere", &findings);
        CHECK_EQ(findings.items[2].level, FINDING_WARNING);
        rmdir(place.directory);
}

TEST(the_clock_and_the_limits_are_looked_at)
{
        struct findings findings = {.count = 0};

        check_clock(&findings);
        check_descriptors(&findings);
        CHECK_EQ(findings.count, 2);
        CHECK_TEXT(findings.items[0].area, "clock");
        CHECK_TEXT(findings.items[1].area, "descriptors");
}
