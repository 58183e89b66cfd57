#include "agent/handler/launch.h"

#include "agent/handler/version.h"
#include "base/attributes.h"
#include "base/cleanup.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Static_assert((int)HANDLER_NAME_MAX < (int)SANDBOX_NAME_MAX, "a module may be called as it likes");

enum { PATHS_MAX = 24 };

/* A program in Python. Its file is what is run: a folder can be, too, but only after Python has
 * loaded runpy, a third of the time that all of it takes. */
struct script {
        char *folder, *file;
};

struct launch {
        struct loop *loop;
        struct launch_options options;
        char *spawner, *c_host, *spawner_dir;
        struct script python_host, validator, compiler;
        char *include; /* that of handler.h; NULL: the system's */
        char *hidden[LAUNCH_HIDDEN_MAX + 1];
        const char *spawner_words[8];
        struct sandbox_options sandbox;
};

static const char *const environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8",
                                          NULL};

/* What cameras are made of. */
static const char *const camera_devices[] = {"/dev/video*",     "/dev/media*",
                                             "/dev/vchiq",      "/dev/vcsm-cma",
                                             "/dev/dma_heap/*", "/dev/v4l-subdev*"};
static const char *const camera_groups[] = {"video", "render"};

/* --- where the programs are -------------------------------------------------------------- */

/* The directory of this program; "" when nobody knows. */
static void own_directory(char ret[PATH_MAX])
{
        ssize_t length = readlink("/proc/self/exe", ret, PATH_MAX - 1);
        char *slash;

        ret[length > 0 ? length : 0] = '\0';
        slash = strrchr(ret, '/');
        if (slash)
                *slash = '\0';
}

/* `built`: its place in a build directory; else it is where it was installed. Real paths: what
 * a link leads to is what has to be seen behind the walls. */
static int find_program(const char *directory, const char *built, const char *name, char **ret)
{
        char path[2 * PATH_MAX];

        snprintf(path, sizeof(path), "%s/%s", directory, built);
        *ret = directory[0] == '/' ? realpath(path, NULL) : NULL;
        if (!*ret && asprintf(ret, "%s/%s", PIFLEET_LIBEXEC_DIR, name) < 0)
                return -ENOMEM;
        return 0;
}

static int find_script(const char *directory, const char *built, const char *name,
                       struct script *ret)
{
        int r = find_program(directory, built, name, &ret->folder);

        if (r == 0 && asprintf(&ret->file, "%s/__main__.py", ret->folder) < 0) {
                ret->file = NULL;
                r = -ENOMEM;
        }
        return r;
}

static void script_done(struct script *script)
{
        free(script->folder);
        free(script->file);
}

/* A build directory has it; what is installed the compiler finds by itself. */
static int find_include(const char *directory, char **ret)
{
        char path[2 * PATH_MAX];

        snprintf(path, sizeof(path), "%s/include", directory);
        *ret = realpath(path, NULL);
        return 0;
}

static int find_programs(struct launch *launch)
{
        char directory[PATH_MAX];
        int r;

        own_directory(directory);
        r = find_program(directory, "pifleet-spawner", "pifleet-spawner", &launch->spawner);
        if (r == 0)
                r = find_program(directory, "pifleet-host-c", "pifleet-host-c", &launch->c_host);
        if (r == 0)
                r = find_script(directory, "python/host", "host", &launch->python_host);
        if (r == 0)
                r = find_script(directory, "python/validator", "validator", &launch->validator);
        if (r == 0)
                r = find_script(directory, "python/compiler", "compiler", &launch->compiler);
        if (r == 0)
                r = find_include(directory, &launch->include);
        return r;
}

/* The installed spawner where there is one, else one of our own. */
static void choose_spawner(struct launch *launch)
{
        const char *socket = launch->options.config->spawner;
        const char *const words[] = {launch->spawner, "--state-dir", launch->spawner_dir, NULL};

        memcpy(launch->spawner_words, words, sizeof(words));
        launch->sandbox.spawner = launch->spawner_words;
        if (socket && socket[0] != '\0' && access(socket, F_OK) == 0)
                launch->sandbox.path = socket;
}

/* Of something in a folder that may not be there yet. NULL: nor is the folder. -ENOMEM. */
static int real_path_below(const char *path, char **ret)
{
        AUTO_FREE char *folder = strdup(path), *real = NULL;
        char *slash = folder ? strrchr(folder, '/') : NULL;

        *ret = NULL;
        if (!folder)
                return -ENOMEM;
        if (!slash || slash[1] == '\0')
                return 0;
        *slash = '\0';
        real = realpath(slash == folder ? "/" : folder, NULL);
        if (!real)
                return errno == ENOMEM ? -ENOMEM : 0;
        if (asprintf(ret, "%s/%s", real[1] == '\0' ? "" : real, slash + 1) < 0) {
                *ret = NULL;
                return -ENOMEM;
        }
        return 0;
}

/* NULL: it is nowhere. What cannot be looked at is what it is called. -ENOMEM. */
static int real_path(const char *path, char **ret)
{
        *ret = realpath(path, NULL);
        if (*ret)
                return 0;
        if (errno == ENOENT || errno == ENOTDIR)
                return real_path_below(path, ret);
        if (errno != ENOMEM)
                *ret = strdup(path);
        return *ret ? 0 : -ENOMEM;
}

static int copy_hidden(struct launch *launch, const char *const hidden[])
{
        size_t count = 0;

        for (size_t i = 0; hidden[i]; i++) {
                int r;

                if (count == LAUNCH_HIDDEN_MAX)
                        return -E2BIG;
                r = real_path(hidden[i], &launch->hidden[count]);
                if (r < 0)
                        return r;
                count += launch->hidden[count] != NULL;
        }
        return 0;
}

int launch_new(struct loop *loop, const struct launch_options *options, struct launch **ret)
{
        struct launch *launch = calloc(1, sizeof(*launch));
        int r;

        if (!launch)
                return -ENOMEM;
        launch->loop = loop;
        launch->options = *options;
        r = real_path(options->spawner_dir, &launch->spawner_dir);
        if (r == 0 && !launch->spawner_dir)
                r = -ENOENT;
        if (r == 0)
                r = copy_hidden(launch, options->hidden);
        if (r == 0)
                r = find_programs(launch);
        if (r < 0) {
                launch_free(launch);
                return r;
        }
        choose_spawner(launch);
        *ret = launch;
        return 0;
}

struct launch *launch_free(struct launch *launch)
{
        if (!launch)
                return NULL;
        free(launch->spawner);
        script_done(&launch->python_host);
        script_done(&launch->validator);
        script_done(&launch->compiler);
        free(launch->include);
        free(launch->c_host);
        free(launch->spawner_dir);
        for (size_t i = 0; launch->hidden[i]; i++)
                free(launch->hidden[i]);
        free(launch);
        return NULL;
}

const struct sandbox_options *launch_spawner(const struct launch *launch)
{
        return &launch->sandbox;
}

/* --- hosts ------------------------------------------------------------------------------- */

/* A list that ends with NULL, of words that somebody else keeps. */
struct words {
        const char *items[PATHS_MAX + 1];
        size_t count;
};

static void words_add(struct words *words, const char *const items[], size_t count)
{
        for (size_t i = 0; i < count && words->count < PATHS_MAX; i++)
                words->items[words->count++] = items[i];
}

static void words_add_texts(struct words *words, const struct config_texts *texts)
{
        words_add(words, (const char *const *)texts->items, texts->count);
}

bool launch_is_compiled(const char *filename)
{
        return strcmp(handler_name_suffix(filename), ".c") == 0;
}

int launch_host(const struct launch *launch, struct spawner *spawner, const char *filename,
                int code_fd, struct host_log *log, const struct host_listener *listener,
                void *owner, struct host **ret)
{
        const struct handler_config *config = launch->options.config;
        const struct handler_grant *grant = handler_config_grant(config, filename);
        const char *const python[] = {config->python, "-I", "-B", launch->python_host.file, NULL};
        const char *const c[] = {launch->c_host, NULL};
        bool compiled = launch_is_compiled(filename);
        const char *program_path = compiled ? launch->c_host : launch->python_host.folder;
        struct words shared = {0}, devices = {0}, groups = {0}, readable = {0}, writable = {0};
        struct host_setup setup = {
                .loop = launch->loop, .spawner = spawner, .module = filename, .log = log};
        struct sandbox_program *program = &setup.program;

        program->limits.storage_bytes = (uint64_t)config->storage;
        words_add_texts(&shared, &config->shared_dirs);
        words_add(&devices, camera_devices, ARRAY_SIZE(camera_devices));
        words_add(&groups, camera_groups, ARRAY_SIZE(camera_groups));
        words_add(&readable, &program_path, 1);
        if (grant) {
                words_add_texts(&devices, &grant->devices);
                words_add_texts(&groups, &grant->groups);
                words_add_texts(&writable, &grant->directories);
                program->limits.memory_bytes = (uint64_t)grant->memory;
                program->limits.tasks = (uint32_t)grant->tasks;
                if (grant->storage > 0)
                        program->limits.storage_bytes = (uint64_t)grant->storage;
                program->network = grant->network;
        }
        program->name = filename;
        program->argv = compiled ? c : python;
        program->environment = environment;
        program->shared_dirs = shared.items;
        program->devices = devices.items;
        program->groups = groups.items;
        program->readable = readable.items;
        program->writable = writable.items;
        program->hidden = (const char *const *)launch->hidden;
        program->descriptors[4] = code_fd;
        return host_start(&setup, listener, owner, ret);
}

/* --- checks ------------------------------------------------------------------------------ */

static void words_add_word(struct words *words, const char *word)
{
        words_add(words, &word, 1);
}

int launch_check(const struct launch *launch, struct spawner *spawner, const char *filename,
                 const int descriptors[3], struct spawner_program *program,
                 spawner_event_fn *on_event)
{
        const struct handler_config *config = launch->options.config;
        bool compiled = launch_is_compiled(filename);
        struct words argv = {0}, readable = {0};
        const struct sandbox_program what = {
                .name = compiled ? "0-compiler" : "0-validator",
                .argv = argv.items,
                .environment = environment,
                .descriptors = {descriptors[0], descriptors[1], -1, -1, descriptors[2]},
                .limits = {.memory_bytes = compiled ? LAUNCH_COMPILE_MEMORY : LAUNCH_CHECK_MEMORY,
                           .tasks = compiled ? LAUNCH_COMPILE_TASKS : 4},
                .readable = readable.items,
                .hidden = (const char *const *)launch->hidden,
        };

        words_add_word(&argv, config->python);
        words_add_word(&argv, "-I");
        words_add_word(&argv, "-S");
        words_add_word(&argv, "-B");
        words_add_word(&argv, compiled ? launch->compiler.file : launch->validator.file);
        words_add_word(&argv, "--filename");
        words_add_word(&argv, filename);
        words_add_word(&argv, "--refuse");
        words_add_word(&argv, handler_config_refuse(config));
        words_add_word(&readable, launch->validator.folder);
        words_add_word(&readable, launch->python_host.folder);
        words_add_word(&readable, launch->compiler.folder);
        if (compiled && launch->include) {
                words_add_word(&argv, "--include");
                words_add_word(&argv, launch->include);
                words_add_word(&readable, launch->include);
        }
        return spawner_start(spawner, program, &what, on_event);
}
