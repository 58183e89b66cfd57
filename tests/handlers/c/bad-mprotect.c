/* expect: security dynamic-code 0 */
#include <pifleet/handler.h>
#include <sys/mman.h>

static int a(struct pifleet_call *call)
{
        (void)call;
        return mprotect((void *)0, 1, PROT_EXEC);
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
