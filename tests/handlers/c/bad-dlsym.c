/* expect: security dynamic-code 0 */
#include <pifleet/handler.h>
#include <dlfcn.h>

static int a(struct pifleet_call *call)
{
        (void)call;
        return dlsym((void *)0, "system") != 0;
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
