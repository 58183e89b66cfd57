/* A process that changes modules, so that strace can kill it or fail its calls.
 *
 *     repository-driver STATE_DIR prepare     two versions, the newer is in place
 *     repository-driver STATE_DIR update      a third
 *     repository-driver STATE_DIR check       opens, and prints "old" or "new" and how many
 *                                             lines of the update log tell of the third
 */
#include "agent/handler/repository.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define MODULE "camera_handlers.py"
#define FIRST "# first\n"
#define OLD "# old\n"
#define NEW "# new\n"

static void report(void *owner, bool trouble, const char *line)
{
        fprintf(stderr, "%s%s\n", trouble ? "trouble: " : "", line);
}

/* HANDLER_UNCHANGED when it is in place. */
static int update(struct handler_repository *repository, const char *source, const char *who,
                  struct error *error)
{
        const struct handler_origin origin = {.who = who, .from = "test"};
        uint64_t change;
        int r = handler_repository_stage(repository, HANDLER_UPDATE, MODULE, source, strlen(source),
                                         &origin, &change, error);

        return r == 0 ? handler_repository_commit(repository, change, NULL, error) : r;
}

static size_t count_told(struct handler_repository *repository)
{
        struct buffer text;
        size_t count = 0;

        buffer_init(&text, 4 << 20);
        if (handler_repository_log_query(repository, MODULE, HANDLER_LOG_LIMIT_MAX, &text) == 0 &&
            buffer_append(&text, "", 1) == 0)
                for (const char *at = buffer_data(&text);
                     (at = strstr(at, "\"who\":\"third\"")) != NULL; at++)
                        count += strstr(at, "\"result\":\"updated\"") != NULL;
        buffer_done(&text);
        return count;
}

static int check(struct handler_repository *repository, struct error *error)
{
        const struct handler_module *module = handler_repository_find(repository, MODULE);
        AUTO_FREE char *source = NULL;
        size_t count;
        int r;

        if (!module || module->disabled[0] != '\0')
                return error_set(error, -1, "the module is gone or disabled");
        r = handler_repository_read(repository, MODULE, module->current.sha256, &source, &count,
                                    error);
        if (r < 0)
                return r;
        printf("%s %zu\n",
               strcmp(source, OLD) == 0   ? "old"
               : strcmp(source, NEW) == 0 ? "new"
                                          : "neither",
               count_told(repository));
        return 0;
}

int main(int argc, char **argv)
{
        AUTO(handler_repository) struct handler_repository *repository = NULL;
        const struct handler_retention retention = {0};
        AUTO_CLOSE int fd = -1;
        struct error error = {0};
        int r;

        if (argc != 3)
                return 2;
        fd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return 2;
        r = handler_repository_open(fd, &retention, report, NULL, &error, &repository);
        if (r == 0 && strcmp(argv[2], "prepare") == 0) {
                r = update(repository, FIRST, "first", &error);
                if (r == 0)
                        r = update(repository, OLD, "second", &error);
        } else if (r == 0 && strcmp(argv[2], "update") == 0) {
                r = update(repository, NEW, "third", &error);
        } else if (r == 0) {
                r = check(repository, &error);
        }
        if (r < 0)
                fprintf(stderr, "%s\n", error.text);
        return r < 0 ? 1 : 0;
}
