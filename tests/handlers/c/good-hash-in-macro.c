/* expect: valid */
#include <pifleet/handler.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#define TEXT(x) #x
#define JOIN(a, b) a b

static int a(struct pifleet_call *call)
{
        (void)call;
        puts(TEXT(line 7) JOIN("a", "b"));
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
