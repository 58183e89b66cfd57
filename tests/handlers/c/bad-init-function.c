/* expect: security load-time-code 0 */
#include <pifleet/handler.h>
void _init(void);
void __attribute__((visibility("hidden"))) _init(void)
{
}

static int a(struct pifleet_call *call)
{
        (void)call;

        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
