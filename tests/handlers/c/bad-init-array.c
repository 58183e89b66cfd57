/* expect: security attribute 0 */
#include <pifleet/handler.h>
static void early(void)
{
}
__attribute__((section(".init_array"), used)) static void (*const p)(void) = early;

static int a(struct pifleet_call *call)
{
        (void)call;

        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
