/* expect: security inline-assembly 0 */
#include <pifleet/handler.h>
#include <assert.h>
#define CAT(a, b) a##b

static int a(struct pifleet_call *call)
{
        (void)call;
        assert(({ CAT(__as, m__)("nop"); 1; }));
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
