/* pifleet-spawner: starts programs behind walls, and kills all that came of them. */
#include "base/cleanup.h"
#include "sandbox/options.h"
#include "sandbox/protocol.h"
#include "sandbox/spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

enum { EXIT_USAGE = 2, CHANNEL_FD = 3 };

static int complain(const struct error *error, int status)
{
        fprintf(stderr, "pifleet-spawner: %s\n", error->text);
        return status;
}

/* Descriptors 0 to 4 become a program's by number, so none of ours may be there;
 * there may be three for each program. */
static int arrange_descriptors(struct ipc_channel *ret)
{
        AUTO_CLOSE int channel = fcntl(CHANNEL_FD, F_DUPFD_CLOEXEC, SANDBOX_DESCRIPTORS);
        struct rlimit files;
        int fd, r;

        if (channel < 0)
                return -errno;
        close(CHANNEL_FD);
        r = ipc_channel_adopt(channel, SANDBOX_PROTOCOL_VERSION, ret);
        if (r < 0)
                return r;
        (void)TAKE_FD(channel);
        do
                fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        while (fd >= 0 && fd < SANDBOX_DESCRIPTORS - 1);
        if (fd >= SANDBOX_DESCRIPTORS)
                close(fd);
        if (fd < 0 || getrlimit(RLIMIT_NOFILE, &files) < 0)
                return -errno;
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
        return 0;
}

static int run(const struct spawner_options *options, struct log *log)
{
        AUTO(spawner) struct spawner *spawner = NULL;
        struct ipc_channel channel = {.fd = -1};
        struct error error;
        struct site site;
        int r = arrange_descriptors(&channel);

        if (r < 0) {
                error_set(&error, r, "descriptor 3 is not the socket of somebody who asks: %s",
                          strerror(-r));
                return complain(&error, EXIT_USAGE);
        }
        r = site_open(&site, options, log, &error);
        if (r < 0) {
                ipc_channel_close(&channel);
                return complain(&error, EXIT_FAILURE);
        }
        /* Who has our user id may neither look into us nor change us. Not before: the
         * files of a user namespace would not be ours to write either. */
        (void)prctl(PR_SET_DUMPABLE, 0);
        r = spawner_new(&channel, &site, log, &spawner);
        if (r == 0)
                r = spawner_run(spawner);
        ipc_channel_close(&channel);
        spawner = spawner_free(spawner);
        site_close(&site);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char *argv[])
{
        AUTO(log) struct log *log = NULL;
        struct spawner_options options;
        struct error error;
        int r;

        r = spawner_options_parse(&options, argc, argv, &error);
        if (r == SPAWNER_OPTIONS_DONE)
                return EXIT_SUCCESS;
        if (r < 0)
                return complain(&error, EXIT_USAGE);
        r = log_new(NULL, LOG_LEVEL_INFO, &log);
        if (r < 0) {
                error_set(&error, r, "not enough memory");
                return complain(&error, EXIT_FAILURE);
        }
        return run(&options, log);
}
