/* support/wire.h - the client's end of a connection, for tests in which the server's end runs on
 * a loop of the same thread. Descriptors do not block. */
#pragma once

#include "loop/loop.h"

/* Rounds of the loop, as many as anything needs that was said or heard. */
void wire_turn(struct loop *loop);
/* Its clock, which must be virtual, goes on, and then the loop. */
void wire_advance(struct loop *loop, uint64_t milliseconds);
/* All of it, whether it is read or not; a server that has closed hears the rest no more. */
void wire_say(struct loop *loop, int fd, const char *text);
/* All that came, as text that lives until the next call; "EOF" at its end when the connection is
 * closed. At most 4 MiB. It may be edited. */
char *wire_hear(struct loop *loop, int fd);
