#include "sandbox/launch.h"

#include "support/test.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static void init_report_to(int fd, const struct report *report)
{
        CHECK_EQ(send(fd, report, sizeof(*report), MSG_NOSIGNAL), sizeof(*report));
}

/* The kernel tells of the unread request by ECONNRESET, first. */
TEST(what_init_reports_at_its_end_is_not_lost_to_a_request_that_it_never_read)
{
        const struct report ended = {.kind = REPORT_ENDED, .children = 3};
        struct launched launched = {.pidfd = -1};
        struct report report = {0};
        int ends[2], on = 1;
        pid_t sender;

        CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
        CHECK_EQ(setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
        launched.report_fd = ends[0];
        CHECK_EQ(launch_receive(&launched, &report, &sender), -EAGAIN);
        launch_ask_to_end(&launched);
        init_report_to(ends[1], &ended);
        close(ends[1]);
        CHECK_EQ(launch_receive(&launched, &report, &sender), 1);
        CHECK_EQ(report.kind, REPORT_ENDED);
        CHECK_EQ(report.children, 3);
        CHECK_EQ(sender, getpid());
        CHECK_EQ(launch_receive(&launched, &report, &sender), 0);
        close(ends[0]);
}
