/* expect: security shell-call 0 */
#include <pifleet/handler.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static int (*const table[])(const char *) = {system};

static int a(struct pifleet_call *call)
{
        (void)call;
        return table[0]("ls");
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
