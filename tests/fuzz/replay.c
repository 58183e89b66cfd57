/* fuzz/replay.c - gives a fuzz target every file of the folders named, in TAP.
 *
 * Each file has a process of its own: one that breaks the target does not hide
 * the next, and the leak sanitizer looks after each. */
#include "fuzz/fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { INPUT_MAX = 1 << 20, PATH_LENGTH_MAX = 4096 };

static unsigned cases, failures;

/* Into memory of exactly its size, so that a byte beyond is found. */
static uint8_t *read_input(const char *path, size_t *count)
{
        FILE *file = fopen(path, "rbe");
        uint8_t *bytes = malloc(INPUT_MAX), *exact = NULL;

        if (file && bytes) {
                *count = fread(bytes, 1, INPUT_MAX, file);
                if (!ferror(file) && feof(file))
                        exact = malloc(*count > 0 ? *count : 1);
                if (exact)
                        memcpy(exact, bytes, *count);
        }
        free(bytes);
        if (file)
                fclose(file);
        return exact;
}

static int run_target(const char *path)
{
        size_t count = 0;
        uint8_t *bytes = read_input(path, &count);

        if (!bytes) {
                fprintf(stderr, "cannot read %s, or it is larger than 1 MiB\n", path);
                return EXIT_FAILURE;
        }
        LLVMFuzzerTestOneInput(bytes, count);
        free(bytes);
        return EXIT_SUCCESS;
}

static void replay_file(const char *path)
{
        const char *slash = strrchr(path, '/');
        int status = 0;
        bool passed;
        pid_t pid;

        fflush(stdout);
        pid = fork();
        if (pid == 0)
                exit(run_target(path));
        passed = pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
                 WEXITSTATUS(status) == EXIT_SUCCESS;
        failures += !passed;
        printf("%sok %u - %s\n", passed ? "" : "not ", ++cases, slash ? slash + 1 : path);
}

static bool replay_folder(const char *folder)
{
        struct dirent **entries = NULL;
        int count = scandir(folder, &entries, NULL, alphasort);

        if (count < 0)
                return false;
        for (int i = 0; i < count; i++) {
                char path[PATH_LENGTH_MAX];

                snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
                if (entries[i]->d_name[0] != '.')
                        replay_file(path);
                free(entries[i]);
        }
        free(entries);
        return true;
}

int main(int argc, char *argv[])
{
        for (int i = 1; i < argc; i++) {
                if (!replay_folder(argv[i])) {
                        printf("Bail out! %s: %s\n", argv[i], strerror(errno));
                        return EXIT_FAILURE;
                }
        }
        if (cases == 0) {
                printf("Bail out! no inputs: name a folder of corpus/\n");
                return EXIT_FAILURE;
        }
        printf("1..%u\n", cases);
        return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
