/* expect: security attribute 0 */
#include <pifleet/handler.h>
__attribute__((constructor)) static void early(void)
{
}

static int a(struct pifleet_call *call)
{
        (void)call;

        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
