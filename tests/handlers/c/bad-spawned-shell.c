/* expect: security command-shell 0 */
#include <pifleet/handler.h>
#include <spawn.h>

static int a(struct pifleet_call *call)
{
        (void)call;
        char *argv[] = {(char *)"/bin/sh", (char *)"-c", (char *)"ls", 0};
        pid_t pid;
        return posix_spawn(&pid, argv[0], 0, 0, argv, 0);
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
