#include "support/wire.h"

#include "support/test.h"

#include <errno.h>
#include <sys/socket.h>

enum { ROUNDS = 50, HEARD_MAX = 4 << 20 };

void wire_turn(struct loop *loop)
{
        for (int i = 0; i < ROUNDS; i++)
                loop_run_once(loop, 0);
}

void wire_advance(struct loop *loop, uint64_t milliseconds)
{
        loop_advance_ms(loop, milliseconds);
        wire_turn(loop);
}

void wire_say(struct loop *loop, int fd, const char *text)
{
        size_t count = strlen(text);

        while (count > 0) {
                ssize_t sent = send(fd, text, count, MSG_NOSIGNAL | MSG_DONTWAIT);

                if (sent < 0) {
                        CHECK(errno == EAGAIN || errno == EPIPE || errno == ECONNRESET);
                        if (errno != EAGAIN)
                                return;
                } else {
                        text += sent;
                        count -= (size_t)sent;
                }
                wire_turn(loop);
        }
        wire_turn(loop);
}

char *wire_hear(struct loop *loop, int fd)
{
        static const char end[] = "EOF";
        static char text[HEARD_MAX + sizeof(end)];
        size_t length = 0;
        ssize_t got;

        wire_turn(loop);
        while ((got = recv(fd, text + length, HEARD_MAX - length, MSG_DONTWAIT)) > 0) {
                length += (size_t)got;
                wire_turn(loop);
        }
        CHECK(length < HEARD_MAX);
        text[length] = '\0';
        if (got == 0 || errno == ECONNRESET)
                memcpy(text + length, end, sizeof(end));
        return text;
}
