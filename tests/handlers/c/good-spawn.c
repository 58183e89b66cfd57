/* expect: valid */
#include <pifleet/handler.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <spawn.h>
extern char **environ;

static int a(struct pifleet_call *call)
{
        (void)call;
        char *argv[] = {(char *)"libcamera-vid", (char *)"-o", (char *)"a.h264", NULL};
        pid_t pid;
        int r = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);

        if (r != 0)
                return -r;
        pifleet_put_integer(call, "pid", pid);
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
