/* expect: valid */
#include <pifleet/handler.h>
#include <sys/socket.h>
#include <net/if.h>
#include <unistd.h>

static int a(struct pifleet_call *call)
{
        (void)call;
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        if (fd >= 0)
                close(fd);
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
