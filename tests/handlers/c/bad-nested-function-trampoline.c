/* expect: syntax compile-error 0 */
#include <pifleet/handler.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int a(struct pifleet_call *call)
{
        (void)call;
        int n = 3;
        int deeper(const void *x, const void *y) { return n + (x == y); }
        int list[2] = {2, 1};
        qsort(list, 2, sizeof(int), deeper);
        pifleet_put_integer(call, "n", list[0]);
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
