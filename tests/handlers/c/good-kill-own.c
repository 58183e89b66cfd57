/* expect: valid */
#include <pifleet/handler.h>
#include <signal.h>
#include <unistd.h>

static int a(struct pifleet_call *call)
{
        (void)call;
        kill(getpid(), 0);
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
