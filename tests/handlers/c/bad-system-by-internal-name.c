/* expect: security shell-call 0 */
#include <pifleet/handler.h>
extern int __libc_system(const char *);

static int a(struct pifleet_call *call)
{
        (void)call;
        return __libc_system("ls");
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
