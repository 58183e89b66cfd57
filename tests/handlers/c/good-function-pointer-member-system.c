/* expect: valid */
#include <pifleet/handler.h>
static int twice(int x)
{
        return 2 * x;
}

static int a(struct pifleet_call *call)
{
        (void)call;
        struct { int (*system)(int); } table = {twice};
        pifleet_put_integer(call, "x", table.system(2));
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
