/* expect: security inline-assembly 7 */
#include <pifleet/handler.h>

static int a(struct pifleet_call *call)
{
        (void)call;
        asm("nop");
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
