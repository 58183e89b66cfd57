/* expect: security attribute 0 */
#include <pifleet/handler.h>
__attribute__((section(".text"))) const char code[] = "\x0f\x05";

static int a(struct pifleet_call *call)
{
        (void)call;

        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
