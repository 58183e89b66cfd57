/* expect: protected exported-symbol 0 */
#include <pifleet/handler.h>
__attribute__((visibility("default"))) int json_parse(void);
int json_parse(void)
{
        return 0;
}

static int a(struct pifleet_call *call)
{
        (void)call;

        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
