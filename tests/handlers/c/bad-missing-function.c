/* expect: dependency missing-function 0 */
#include <pifleet/handler.h>
extern int gone(void);

static int a(struct pifleet_call *call)
{
        (void)call;
        return gone();
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
