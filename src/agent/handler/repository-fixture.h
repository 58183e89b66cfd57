/* agent/handler/repository-fixture.h - a repository in a directory of its own, for the
 * tests: in memory where there is such a file system. */
#pragma once

#include "agent/handler/repository.h"
#include "support/test.h"

#include <stdbool.h>

enum { FIXTURE_REPORT_MAX = 16384, FIXTURE_NOW = 1764000000 };

struct fixture {
        char path[64];
        int state_fd;
        struct handler_repository *repository;
        struct handler_retention retention;
        char report[FIXTURE_REPORT_MAX]; /* what open() and scan() said, a line each */
        struct error error;
};

/* What tests deploy, and the backups of it at FIXTURE_NOW. */
#define CAMERA "camera_handlers.py"
#define ONE "def handle_one(r):\n    return {}\n"
#define TWO "def handle_two(r):\n    return {}\n"
#define THREE "def handle_three(r):\n    return {}\n"
#define BACKUP ".backups/handlers_camera_handlers.py_20251124_160000.backup"
#define BACKUP_2 ".backups/handlers_camera_handlers.py_20251124_160000_2.backup"

extern const struct handler_origin fixture_origin;

/* Makes the directory; fixture_open() opens the repository, again after fixture_shut(). */
void fixture_init(struct fixture *f);
void fixture_done(struct fixture *f); /* removes all of it */
int fixture_try_open(struct fixture *f);
void fixture_open(struct fixture *f);
void fixture_shut(struct fixture *f);
void fixture_report(void *owner, bool trouble, const char *line);
/* What fixture_now() says to repositories from here on. */
void fixture_set_now(int64_t now_s);
int64_t fixture_now(void);

/* Stage and commit; 0, 1 (unchanged) or -errno. `committed` may be NULL. */
int fixture_try_deploy(struct fixture *f, enum handler_action action, const char *filename,
                       const char *source, struct handler_committed *committed);
void fixture_deploy(struct fixture *f, const char *filename, const char *source);

/* Paths are below the state directory. */
bool fixture_exists(const struct fixture *f, const char *path);
void fixture_write(const struct fixture *f, const char *path, const void *bytes, size_t count);
void fixture_remove(const struct fixture *f, const char *path);
/* Whole content; the caller frees. NULL: cannot be read. */
char *fixture_read(const struct fixture *f, const char *path, size_t *ret_count);
/* Files (not folders) in a folder that begin with `prefix`. */
size_t fixture_count(const struct fixture *f, const char *folder, const char *prefix);

/* The module in place: its source in the store, and in handlers/, is this. NULL: none is in place.
 */
bool fixture_in_place(struct fixture *f, const char *filename, const char *source);
/* The update log as text; the caller frees. */
char *fixture_log(struct fixture *f);
size_t fixture_log_count(struct fixture *f, const char *needle);
