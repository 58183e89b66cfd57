#include "agent/handler/repository-fixture.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

TEST(files_in_handlers_are_candidates_until_they_are_in_place)
{
        struct handler_candidate candidates[4];
        AUTO_FREE char *bytes = NULL;
        struct fixture f;
        size_t count;

        fixture_init(&f);
        fixture_open(&f);
        fixture_deploy(&f, CAMERA, ONE);
        fixture_deploy(&f, "gone.py", ONE);
        fixture_write(&f, "handlers/" CAMERA, TWO, strlen(TWO));
        fixture_write(&f, "handlers/dropped.py", THREE, strlen(THREE));
        fixture_write(&f, "handlers/notes.txt", "x", 1);
        fixture_remove(&f, "handlers/gone.py");
        CHECK_EQ(symlinkat("/etc/passwd", f.state_fd, "handlers/link.py"), 0);
        CHECK_EQ(mkdirat(f.state_fd, "handlers/folder.py", 0755), 0);
        CHECK_EQ(mkfifoat(f.state_fd, "handlers/pipe.py", 0600), 0);
        f.report[0] = '\0';
        CHECK_EQ(handler_repository_scan(f.repository, NULL, fixture_report, &f, candidates, 4), 2);
        CHECK(strstr(f.report, "link.py is left alone: a link") != NULL);
        CHECK(strstr(f.report, "folder.py is left alone: a folder") != NULL);
        CHECK(strstr(f.report, "pipe.py is left alone: not a plain file") != NULL);
        CHECK(strstr(f.report, "notes.txt is left alone") != NULL);
        CHECK(strstr(f.report, "gone.py was missing and is there again") != NULL);
        CHECK(fixture_in_place(&f, "gone.py", ONE));
        CHECK_EQ(handler_repository_scan(f.repository, CAMERA, fixture_report, &f, candidates, 4),
                 1);
        CHECK_TEXT(candidates[0].filename, CAMERA);
        CHECK_EQ(handler_repository_read_visible(f.repository, CAMERA, &bytes, &count), 0);
        CHECK_TEXT(bytes, TWO);
        fixture_deploy(&f, CAMERA, TWO);
        CHECK_EQ(handler_repository_scan(f.repository, CAMERA, fixture_report, &f, candidates, 4),
                 0);
        fixture_done(&f);
}

TEST(links_and_folders_in_the_way_are_never_followed)
{
        struct fixture f;

        fixture_init(&f);
        fixture_open(&f);
        fixture_write(&f, "victim", "untouched", 9);
        CHECK_EQ(symlinkat("../victim", f.state_fd, "handlers/" CAMERA), 0);
        CHECK_EQ(symlinkat("../victim", f.state_fd, "handlers/." CAMERA ".partial"), 0);
        CHECK_EQ(symlinkat("../victim", f.state_fd, BACKUP), 0);
        CHECK_EQ(symlinkat("../victim", f.state_fd, "handler-store/.active.json.partial"), 0);
        fixture_deploy(&f, CAMERA, ONE);
        fixture_deploy(&f, CAMERA, TWO);
        CHECK(fixture_in_place(&f, CAMERA, TWO));
        CHECK(fixture_exists(&f, BACKUP_2));
        CHECK_EQ(mkdirat(f.state_fd, "handlers/b.py", 0755), 0);
        CHECK_EQ(fixture_try_deploy(&f, HANDLER_UPDATE, "b.py", ONE, NULL), -EISDIR);
        CHECK_EQ(fixture_count(&f, "handler-store/sources", ""), 2);
        fixture_shut(&f);
        fixture_remove(&f, "handler-store/update.log");
        CHECK_EQ(symlinkat("../victim", f.state_fd, "handler-store/update.log"), 0);
        fixture_remove(&f, "handler-store/journal");
        CHECK_EQ(mkdirat(f.state_fd, "handler-store/journal", 0755), 0);
        fixture_open(&f);
        CHECK(strstr(f.report, "handler-store/journal was no plain file") != NULL);
        fixture_deploy(&f, CAMERA, THREE);
        CHECK(fixture_in_place(&f, CAMERA, THREE));
        {
                AUTO_FREE char *victim = fixture_read(&f, "victim", NULL);

                CHECK_TEXT(victim, "untouched");
        }
        fixture_done(&f);
}

TEST(folders_that_are_links_are_not_entered)
{
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(mkdirat(f.state_fd, "elsewhere", 0755), 0);
        CHECK_EQ(symlinkat("elsewhere", f.state_fd, "handlers"), 0);
        fixture_open(&f);
        CHECK(strstr(f.report, "handlers is not a folder") != NULL);
        CHECK_EQ(fixture_try_deploy(&f, HANDLER_UPDATE, CAMERA, ONE, NULL), -ENOTDIR);
        CHECK_EQ(handler_repository_scan(f.repository, NULL, fixture_report, &f, NULL, 0),
                 -ENOTDIR);
        fixture_done(&f);

        fixture_init(&f);
        CHECK_EQ(mkdirat(f.state_fd, "elsewhere", 0755), 0);
        CHECK_EQ(symlinkat("elsewhere", f.state_fd, "handler-store"), 0);
        CHECK(fixture_try_open(&f) < 0);
        CHECK(strstr(f.error.text, "handler-store") != NULL);
        fixture_done(&f);
}
