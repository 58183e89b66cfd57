/* expect: valid */
#include <pifleet/handler.h>
__attribute__((unused, noinline)) static int constructor(void)
{
        return 1;
}

static int a(struct pifleet_call *call)
{
        (void)call;

        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
