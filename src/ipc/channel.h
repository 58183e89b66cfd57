/* ipc/channel.h - messages and descriptors between two of our processes.
 *
 * A SOCK_SEQPACKET socketpair: a message arrives whole or not at all. Each has a
 * header with version, type and length, which is checked before anybody looks at
 * the payload; a message that is not as announced ends the conversation
 * (-EPROTO). Payloads are structs of fixed-width members without padding, in the
 * machine's own byte order: both ends are on one machine.
 *
 * Descriptors travel as SCM_RIGHTS (unix(7)) and arrive close-on-exec. No
 * threads, no loop, never blocks: the owner waits for the descriptor itself. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
        IPC_PAYLOAD_MAX = 2048,
        IPC_DESCRIPTORS_MAX = 8,
};

struct ipc_channel {
        int fd;           /* -1: closed */
        uint16_t version; /* of the protocol that is spoken over it */
};

struct ipc_message {
        uint16_t type;
        uint16_t length; /* of the payload */
        uint8_t descriptors_count;
        int descriptors[IPC_DESCRIPTORS_MAX]; /* the receiver's to close */
        _Alignas(8) unsigned char payload[IPC_PAYLOAD_MAX];
};

/* Both ends, close-on-exec and non-blocking. -errno. */
int ipc_channel_pair(uint16_t version, struct ipc_channel *ours, struct ipc_channel *theirs);
/* Takes over an end that was inherited as a number; makes it close-on-exec and
 * non-blocking. -EBADF, -ENOTSOCK, -EPROTOTYPE: the number is not ours then. */
int ipc_channel_adopt(int fd, uint16_t version, struct ipc_channel *ret);
void ipc_channel_close(struct ipc_channel *channel); /* twice is fine */

/* `descriptors` are duplicated by the kernel and stay the caller's. -EAGAIN: the
 * other end does not take it now; -EPIPE: it is gone; -EMSGSIZE: beyond the
 * limits; -ETOOMANYREFS: too many descriptors under way. */
int ipc_send(struct ipc_channel *channel, uint16_t type, const void *payload, size_t length,
             const int descriptors[], size_t descriptors_count);
/* 1: a message; 0: the other end is closed; -EAGAIN: none now; -EPROTO: not of
 * this version or not as announced, or descriptors were lost (all that came are
 * closed). *ret holds something only after 1. */
int ipc_receive(struct ipc_channel *channel, struct ipc_message *ret);

/* The first descriptor of a message, which is the caller's from here on. -EPROTO:
 * none, or more than one. */
int ipc_message_take_descriptor(struct ipc_message *message);
/* Closes the descriptors of a message that nobody took. */
void ipc_message_discard(struct ipc_message *message);
