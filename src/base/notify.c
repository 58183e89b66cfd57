#include "base/notify.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { TEXT_MAX = 512 };

void notify_send(const char *format, ...)
{
        AUTO_CLOSE int fd = -1;
        const char *path = getenv("NOTIFY_SOCKET");
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        char text[TEXT_MAX];
        size_t length;
        va_list arguments;
        int count;

        if (!path || (path[0] != '/' && path[0] != '@'))
                return;
        length = strlen(path);
        if (length >= sizeof(address.sun_path))
                return;
        memcpy(address.sun_path, path, length);
        if (path[0] == '@')
                address.sun_path[0] = '\0'; /* an abstract one, unix(7) */

        va_start(arguments, format);
        count = vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 || count < 0)
                return;
        if (count >= TEXT_MAX)
                count = TEXT_MAX - 1;
        (void)sendto(fd, text, (size_t)count, MSG_NOSIGNAL, (struct sockaddr *)&address,
                     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
}

uint64_t notify_watchdog_ms(void)
{
        const char *text = getenv("WATCHDOG_USEC");
        unsigned long long us;
        char *end;

        if (!text || text[0] < '0' || text[0] > '9')
                return 0;
        errno = 0;
        us = strtoull(text, &end, 10);
        return errno != 0 || *end != '\0' ? 0 : us / 2000;
}
