/* bench/mqtt/secure.h - TLS for a load generator: it believes any certificate, and can resume.
 *
 * OpenSSL. The sockets are their owners', and may block or not. One thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct secure; /* what all connections share: the session that can be resumed */
struct secure_stream;

/* `resume`: each connection resumes the newest session, of those that had one when they finished;
 * the first has none. -ENOMEM. */
int secure_new(bool resume, struct secure **ret);
struct secure *secure_free(struct secure *secure); /* after its streams; NULL is fine */

/* A client's stream on a socket that is connected, or will be by the time of its handshake.
 * -ENOMEM. */
int secure_stream_new(struct secure *secure, int fd, struct secure_stream **ret);
struct secure_stream *secure_stream_free(struct secure_stream *stream); /* NULL is fine */

/* 0: done; -EAGAIN: the socket has to be waited for, as secure_stream_writes() says; -EPROTO: the
 * server refused, or does not speak TLS; -ECONNRESET, -errno. Called again until it is done. */
int secure_handshake(struct secure_stream *stream);
/* After -EAGAIN: until it can be written to. */
bool secure_stream_writes(const struct secure_stream *stream);
bool secure_stream_resumed(const struct secure_stream *stream);

/* How many bytes, as send(2) and recv(2) of few bytes; recv: 0 at the end. -EAGAIN, -ECONNRESET,
 * -EPROTO, -errno. */
ssize_t secure_send(struct secure_stream *stream, const void *bytes, size_t count);
ssize_t secure_recv(struct secure_stream *stream, void *bytes, size_t room);
/* Says that nothing more comes. A peer that is gone does not matter. */
void secure_finish(struct secure_stream *stream);
