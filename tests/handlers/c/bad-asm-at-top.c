/* expect: security inline-assembly 0 */
#include <pifleet/handler.h>
__asm__(".incbin \"/dev/null\"");

static int a(struct pifleet_call *call)
{
        (void)call;

        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
