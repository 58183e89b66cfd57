/* expect: valid */
#include <pifleet/handler.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int a(struct pifleet_call *call)
{
        (void)call;
        FILE *file = fopen("/proc/meminfo", "r");
        if (file)
                fclose(file);
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
