/* expect: syntax compile-error 7 */
#include <pifleet/handler.h>

static int a(struct pifleet_call *call)
{
        (void)call;
        int x = ;
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
