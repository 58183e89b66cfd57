/* expect: security process-start 0 */
#include <pifleet/handler.h>

static int a(struct pifleet_call *call)
{
        (void)call;
        return __builtin_execl("/bin/ls", "ls", (char *)0);
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
