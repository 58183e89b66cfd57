/* expect: security process-start 0 */
#include <pifleet/handler.h>
extern int __vfork(void);

static int a(struct pifleet_call *call)
{
        (void)call;
        return __vfork();
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
