/* sandbox/protocol.h - what the asker and the spawner say to each other. Version 1.
 *
 *     asker                                  spawner
 *                                      <-    WELCOME
 *     START + specification + descriptors -> ...
 *                                      <-    STARTED, or FAILED
 *     ASK_USAGE                        ->
 *                                      <-    USAGE
 *     KILL                             ->
 *                                      <-    ENDED
 *     FORGET                           ->
 *
 * The end of the channel is the end of all programs. What is not as described
 * here ends the channel. */
#pragma once

#include "base/attributes.h"
#include "ipc/channel.h"

#include <stdint.h>

enum { SANDBOX_PROTOCOL_VERSION = 1 };

enum sandbox_message {
        SANDBOX_MESSAGE_WELCOME = 1,
        SANDBOX_MESSAGE_START,
        SANDBOX_MESSAGE_KILL,
        SANDBOX_MESSAGE_ASK_USAGE,
        SANDBOX_MESSAGE_STARTED,
        SANDBOX_MESSAGE_FAILED,
        SANDBOX_MESSAGE_ENDED,
        SANDBOX_MESSAGE_USAGE,
        SANDBOX_MESSAGE_FORGET,
};

struct sandbox_message_welcome {
        uint32_t version;
        uint32_t walls; /* that can be had */
        uint32_t landlock_abi;
        uint32_t reserved; /* 0 */
};

/* With 1 + n descriptors: the specification (sandbox/specification.h), then one for
 * each bit of `slots`, the lowest first. */
struct sandbox_message_start {
        uint64_t id;
        uint32_t slots;    /* bit n: a descriptor that becomes n */
        uint32_t reserved; /* 0 */
};

/* KILL, ASK_USAGE. */
struct sandbox_message_id {
        uint64_t id;
};

struct sandbox_message_forget {
        char name[72]; /* a program's; terminated */
};

struct sandbox_message_started {
        uint64_t id;
        uint32_t walls;
        uint32_t landlock_abi;
        int32_t pid;
        uint32_t reserved; /* 0 */
};

struct sandbox_message_failed {
        uint64_t id;
        int32_t error;   /* -errno */
        uint32_t step;   /* enum sandbox_step */
        char where[256]; /* about which path, pattern or name; terminated */
};

struct sandbox_message_ended {
        uint64_t id;
        int32_t wait_status;
        uint32_t end; /* enum sandbox_end */
        uint32_t children_killed;
        uint32_t reserved; /* 0 */
        uint64_t memory_peak_bytes;
        uint64_t cpu_us;
};

struct sandbox_message_usage {
        uint64_t id;
        uint64_t memory_bytes;
        uint64_t private_bytes;
        uint64_t memory_peak_bytes;
        uint64_t cpu_us;
        uint32_t tasks;
        uint32_t reserved; /* 0 */
        uint64_t storage_bytes;
};

_Static_assert(sizeof(struct sandbox_message_started) == 24, "no padding");
_Static_assert(sizeof(struct sandbox_message_ended) == 40, "no padding");
_Static_assert(sizeof(struct sandbox_message_usage) == 56, "no padding");

/* The decoder of both ends: a payload of the type's size, the right count of
 * descriptors, values as described. -EPROTO. */
int sandbox_message_check(const struct ipc_message *message);
