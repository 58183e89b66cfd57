/* expect: syntax compile-error 0 */
#include <pifleet/handler.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int a(struct pifleet_call *call)
{
        (void)call;
        printf(pifleet_get_text(call, "f", ""));
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
