/* expect: security attribute 0 */
#include <pifleet/handler.h>
#define A(x) __attribute__((x))
#define B(a, b) a##b
A(B(__constr, uctor__)) static void early(void)
{
}

static int a(struct pifleet_call *call)
{
        (void)call;

        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
