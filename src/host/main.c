/* pifleet-host-c: the host of one handler module in C, see docs/host-protocol.md. Started by
 * the agent's spawner, with the agent's end of the protocol as descriptor 3 and the
 * module's shared object as descriptor 4. */
#include "host/host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROTOCOL_FD = 3, MODULE_FD = 4, EXIT_PROTOCOL = 65, EXIT_SOFTWARE = 70, EXIT_USAGE = 2 };

int main(int argc, char *argv[])
{
        struct error error;
        struct host host;
        int r;

        r = argc == 1 ? host_init(&host, PROTOCOL_FD) : -EINVAL;
        if (r < 0) {
                fprintf(stderr,
                        "pifleet-host-c is started by pifleet-agent, with a socket as "
                        "descriptor 3: %s\n",
                        strerror(-r));
                return EXIT_USAGE;
        }
        /* Into a pipe, too: what a handler prints is to arrive line by line. */
        (void)setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
        r = host_serve(&host, MODULE_FD, &error);
        host_done(&host);
        if (r == 0 || r == -EPIPE || r == -ECONNRESET || r == -EBADF)
                return EXIT_SUCCESS; /* the agent is gone, or the module closed what leads to it */
        fprintf(stderr, "pifleet-host-c: %s%s\n",
                r == -EBADMSG ? "the agent does not keep to the protocol: " : "", error.text);
        return r == -EBADMSG ? EXIT_PROTOCOL : EXIT_SOFTWARE;
}
