/* expect: valid */
#include <pifleet/handler.h>
/*
#include "/etc/shadow"
*/
// #include "/etc/shadow" \
#include "/etc/shadow"

static int a(struct pifleet_call *call)
{
        (void)call;

        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
