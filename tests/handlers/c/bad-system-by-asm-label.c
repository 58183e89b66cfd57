/* expect: security inline-assembly 0 */
#include <pifleet/handler.h>
extern int innocent(const char *) __asm__("system");

static int a(struct pifleet_call *call)
{
        (void)call;
        return innocent("ls");
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
