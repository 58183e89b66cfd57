/* expect: security inline-assembly 9 */
#include <pifleet/handler.h>
#define H #
H 1 "/usr/include/stdio.h" 3

static int a(struct pifleet_call *call)
{
        (void)call;
        __asm__("nop");
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
