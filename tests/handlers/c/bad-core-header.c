/* expect: protected core-header 0 */
#include <pifleet/handler.h>
#include "base/buffer.h"

static int a(struct pifleet_call *call)
{
        (void)call;

        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
