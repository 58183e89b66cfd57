/* fuzz/ipc-message.h - a message between processes out of strange bytes: its type, how many
 * descriptors came with it, and its payload. */
#pragma once

#include "ipc/channel.h"

#include <stdbool.h>
#include <string.h>

/* Of `count` bytes, two at least. False: no channel would deliver as many. */
static inline bool ipc_message_of(const uint8_t *bytes, size_t count, struct ipc_message *ret)
{
        if (count - 2 > IPC_PAYLOAD_MAX)
                return false;
        *ret = (struct ipc_message){
                .type = bytes[0], .descriptors_count = bytes[1], .length = (uint16_t)(count - 2)};
        memcpy(ret->payload, bytes + 2, count - 2);
        return true;
}
