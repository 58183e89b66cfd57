/* expect: valid */
#include <pifleet/handler.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int a(struct pifleet_call *call)
{
        (void)call;
        /* system("rm -rf /") and popen() are forbidden; so is __asm__ */
        puts("system(\"ls\"); #include \"/etc/passwd\" __asm__ dlopen");
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
