/* expect: security system-path 0 */
#include <pifleet/handler.h>
#include <fcntl.h>

static int a(struct pifleet_call *call)
{
        (void)call;
        return open("/et" "c/shadow", 0);
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
