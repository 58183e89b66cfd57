/* net/stream.h - bytes to and from one peer, over TCP, a Unix socket or TLS.
 *
 * Input: all streams of a loop share one read buffer; the bytes are handed to
 * the owner in place and only an unfinished tail is kept per stream. Output:
 * appended to the stream's buffer and written once, however many replies it
 * holds: when the input at hand is handled, else at the end of the round. An
 * idle stream holds no buffers.
 *
 * Fairness: a stream gets one read per round; an owner that has done its share
 * asks for the rest by net_stream_again().
 *
 * A stream that is closed makes no further calls but on_closed, at the end of
 * the round, after which it is gone. Everything on the loop's thread.
 *
 * TLS streams write through OpenSSL, which cannot suppress SIGPIPE: a process
 * that uses them ignores that signal. */
#pragma once

#include "loop/loop.h"
#include "net/address.h"
#include "net/budget.h"
#include "net/tls.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct net_stream;

/* What the streams of one loop share. */
struct net_context;
int net_context_new(struct loop *loop, size_t memory_limit, struct net_context **ret);
struct net_context *net_context_free(struct net_context *context); /* after its streams */
DEFINE_CLEANUP(net_context)
struct net_budget *net_context_budget(struct net_context *context);

/* What a stream calls. Lives as long as any stream that has it. */
struct net_stream_calls {
        /* Connected, and the handshake is done; of streams that begin with either. May be NULL. */
        void (*on_open)(void *owner);
        /* All unconsumed bytes so far. Returns how many are consumed; the rest
         * comes again, in front of what arrives next. May close the stream (the
         * result then does not matter) or pause it. */
        size_t (*on_bytes)(void *owner, const char *bytes, size_t count);
        /* The peer will send no more (half-close). Output still works; the
         * owner closes when it is done. Unconsumed bytes were presented before. */
        void (*on_end)(void *owner);
        /* Output fell below the low mark after it had been above the high one.
         * May be NULL. */
        void (*on_drained)(void *owner);
        /* The stream is gone. 0: net_stream_close() of ours; -ECONNRESET, -EPIPE,
         * -ENOBUFS (budget), -EPROTO (TLS), -EMSGSIZE (tail or output over its
         * limit), ... */
        void (*on_closed)(void *owner, int reason);
};

struct net_stream_owner {
        void *owner;
        const struct net_stream_calls *calls;
};

/* Of 2 GiB at most, which what is more is taken as. */
struct net_stream_limits {
        size_t input;       /* most bytes of an unfinished tail; beyond: closed, -EMSGSIZE */
        size_t output;      /* most bytes waiting to be written; beyond: closed, -EMSGSIZE */
        size_t output_high; /* net_stream_is_congested() above this, until half of it */
};

/* Takes `fd` over on success only. `tls` NULL: plain; else the server side of a
 * handshake, which is driven by itself. -ENOMEM, -errno. */
int net_stream_new(struct net_context *context, int fd, struct net_tls *tls,
                   const struct net_address *peer, const struct net_stream_limits *limits,
                   const struct net_stream_owner *owner, struct net_stream **ret);
/* The client side: `fd` is connected (or connecting); `server_name` is what the
 * certificate must say, NULL without verification. */
int net_stream_new_client(struct net_context *context, int fd, struct net_tls *tls,
                          const char *server_name, const struct net_stream_limits *limits,
                          const struct net_stream_owner *owner, struct net_stream **ret);

/* Output. Nothing is written before the caller has returned. After a failure
 * (-ENOMEM, -ENOBUFS, -EMSGSIZE) the stream closes by itself: callers need not
 * check. */
int net_stream_write(struct net_stream *stream, const void *bytes, size_t count);
/* The same in place: room for `count` bytes, which the caller fills before anything else
 * happens to the stream. NULL: a failure, as above. */
char *net_stream_claim(struct net_stream *stream, size_t count);
bool net_stream_is_congested(const struct net_stream *stream);
size_t net_stream_pending(const struct net_stream *stream); /* bytes not yet written */

/* Input. Paused, nothing is read and on_bytes is not called; resuming presents
 * the tail again in the next round. */
void net_stream_pause(struct net_stream *stream);
void net_stream_resume(struct net_stream *stream);
bool net_stream_is_paused(const struct net_stream *stream);
/* on_bytes is called again, after everybody else had a turn, even if nothing
 * arrives; until then nothing is read. Only if it leaves bytes unconsumed. */
void net_stream_again(struct net_stream *stream);
/* The bytes that on_bytes has left so far; valid until the next call of the loop.
 * For an owner that wants to make something of them when the input ends. */
const char *net_stream_tail(const struct net_stream *stream, size_t *count);

/* The most bytes of an unfinished tail, from now on. */
void net_stream_set_input_limit(struct net_stream *stream, size_t bytes);

/* Writes what is pending, then closes (with the protocol's farewell). Input
 * stops at once: what still comes is read and thrown away, up to 1 s after our
 * last byte, since closing over it would make the kernel send a reset, which may
 * destroy the last reply. A peer that does not read is cut off after 5 s:
 * -ETIMEDOUT. Without memory to wait with, all of it is lost at once: -ENOMEM. */
void net_stream_finish(struct net_stream *stream);
/* The same for who is owed an answer, however long: a peer that goes on reading is not cut off, as
 * long as 80 KiB or the rest of it go within each 5 s. */
void net_stream_finish_patiently(struct net_stream *stream);
/* Closes now; pending output is lost. NULL is fine. */
void net_stream_close(struct net_stream *stream);

/* Why a stream was closed, as a sentence for people ("the server's certificate is
 * not trusted: self-signed certificate"). Valid inside on_closed only; never
 * NULL. */
const char *net_stream_failure(const struct net_stream *stream);

const struct net_peer *net_stream_peer(const struct net_stream *stream);
int net_stream_fd(const struct net_stream *stream);
/* Whose process is at the other end of a Unix socket (SO_PEERCRED, unix(7)). -ENOTSUP: it is none;
 * -errno. */
int net_stream_user(const struct net_stream *stream, uid_t *ret);
/* When bytes last moved in either direction, by the loop's clock. */
uint64_t net_stream_active_ms(const struct net_stream *stream);
