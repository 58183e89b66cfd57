/* expect: syntax compile-error 2 */
#error stop
#include <pifleet/handler.h>

static int a(struct pifleet_call *call)
{
        (void)call;

        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
