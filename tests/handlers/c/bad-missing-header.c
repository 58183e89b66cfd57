/* expect: dependency missing-header 3 */
#include <pifleet/handler.h>
#include <no/such.h>

static int a(struct pifleet_call *call)
{
        (void)call;

        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
