/* expect: protected exported-symbol 0 */
#include <pifleet/handler.h>
#pragma GCC visibility push(default)
int cJSON_Parse;
#pragma GCC visibility pop

static int a(struct pifleet_call *call)
{
        (void)call;

        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
