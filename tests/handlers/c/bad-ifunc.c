/* expect: security attribute 0 */
#include <pifleet/handler.h>
static void (*pick(void))(void)
{
        return 0;
}
static void f(void) __attribute__((ifunc("pick"), used));

static int a(struct pifleet_call *call)
{
        (void)call;

        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
