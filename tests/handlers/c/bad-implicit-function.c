/* expect: syntax compile-error 7 */
#include <pifleet/handler.h>

static int a(struct pifleet_call *call)
{
        (void)call;
        undeclared(1);
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
