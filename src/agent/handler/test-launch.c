/* What modules are not to see has to be known before anything of theirs is started. The linker
 * sends realpath() through here (--wrap). */
#include "agent/handler/launch.h"
#include "support/test.h"

#include <errno.h>
#include <stdlib.h>

static struct {
        unsigned calls, fail_at; /* from 1; 0: none */
        int error;
} kernel;

char *__real_realpath(const char *path, char *resolved);
char *__wrap_realpath(const char *path, char *resolved);

char *__wrap_realpath(const char *path, char *resolved)
{
        if (++kernel.calls == kernel.fail_at) {
                errno = kernel.error;
                return NULL;
        }
        return __real_realpath(path, resolved);
}

/* With the Nth look at a path of `hidden` failing so. */
static int try_new(const char *const hidden[], const char *spawner_dir, unsigned fail_at, int error)
{
        static const struct handler_config config;
        const struct launch_options options = {
                .config = &config, .hidden = hidden, .spawner_dir = spawner_dir};
        struct launch *launch = NULL;
        int r;

        kernel.calls = 0;
        kernel.fail_at = fail_at;
        kernel.error = error;
        r = launch_new(NULL, &options, &launch);
        CHECK_EQ(launch != NULL, r == 0);
        launch_free(launch);
        return r;
}

TEST(without_memory_to_say_what_is_hidden_nothing_is_started)
{
        static const char *const hidden[] = {"/proc/self", "/proc/self/not-there", "/nowhere",
                                             NULL};

        CHECK_EQ(try_new(hidden, "/", 0, 0), 0);
        /* The spawner's folder, the first, the second and its folder, the third and its. */
        for (unsigned at = 1; at <= 6; at++)
                CHECK_EQ(try_new(hidden, "/", at, ENOMEM), -ENOMEM);
}

TEST(what_is_nowhere_is_left_out_and_what_cannot_be_looked_at_is_not)
{
        static const char *const hidden[] = {"/no/where/at/all", "/proc/self/exe/below", NULL};

        CHECK_EQ(try_new(hidden, "/", 0, 0), 0);
        CHECK_EQ(try_new(hidden, "/", 2, EACCES), 0);
        CHECK_EQ(try_new(hidden, "/no/where/at/all", 0, 0), -ENOENT);
}
