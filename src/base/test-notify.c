#include "base/notify.h"

#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A manager at a name that is bound; where it hears. */
static int manager(const struct sockaddr_un *address, size_t length)
{
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        CHECK(fd >= 0);
        CHECK_EQ(bind(fd, (const struct sockaddr *)address,
                      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)),
                 0);
        return fd;
}

static void hears(int fd, const char *text)
{
        char heard[1024];
        ssize_t count = recv(fd, heard, sizeof(heard) - 1, 0);

        CHECK_EQ(count, strlen(text));
        heard[count] = '\0';
        CHECK_TEXT(heard, text);
}

TEST(words_go_to_the_socket_of_the_manager)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd;

        snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/pifleet-notify-%d",
                 (int)getpid());
        fd = manager(&address, strlen(address.sun_path));
        CHECK_EQ(setenv("NOTIFY_SOCKET", address.sun_path, 1), 0);
        notify_send("READY=1\nSTATUS=%d clients", 3);
        hears(fd, "READY=1\nSTATUS=3 clients");
        CHECK_EQ(unlink(address.sun_path), 0);
        close(fd);
}

TEST(a_manager_may_have_an_abstract_name)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        char name[64];
        int fd;

        snprintf(name, sizeof(name), "@pifleet-notify-%d", (int)getpid());
        memcpy(address.sun_path + 1, name + 1, strlen(name) - 1);
        fd = manager(&address, strlen(name));
        CHECK_EQ(setenv("NOTIFY_SOCKET", name, 1), 0);
        notify_send("STOPPING=1");
        hears(fd, "STOPPING=1");
        close(fd);
}

TEST(without_a_manager_nothing_happens)
{
        char path[512];

        CHECK_EQ(unsetenv("NOTIFY_SOCKET"), 0);
        notify_send("READY=1");
        CHECK_EQ(setenv("NOTIFY_SOCKET", "relative", 1), 0);
        notify_send("READY=1");
        memset(path, 'a', sizeof(path) - 1);
        path[0] = '/';
        path[sizeof(path) - 1] = '\0';
        CHECK_EQ(setenv("NOTIFY_SOCKET", path, 1), 0);
        notify_send("READY=1");
}

TEST(the_watchdog_is_fed_twice_as_often_as_asked_for)
{
        static const struct {
                const char *text;
                uint64_t ms;
        } cases[] = {{"2000000", 1000},
                     {"1", 0},
                     {"x", 0},
                     {"-5", 0},
                     {"5x", 0},
                     {"", 0},
                     {"99999999999999999999999", 0}};

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                CHECK_EQ(setenv("WATCHDOG_USEC", cases[i].text, 1), 0);
                CHECK_EQ(notify_watchdog_ms(), cases[i].ms);
        }
        CHECK_EQ(unsetenv("WATCHDOG_USEC"), 0);
        CHECK_EQ(notify_watchdog_ms(), 0);
}
