/* Fuzzes what the spawner is given: the specification of a program, and messages.
 *
 * The first byte is a message's type and the second its count of descriptors; type 0
 * is a specification. What is taken is a program as described, and is the same after
 * another way through the encoder. */
#include "fuzz/fuzz.h"
#include "fuzz/ipc-message.h"
#include "sandbox/protocol.h"
#include "sandbox/specification.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void fuzz_specification(const uint8_t *bytes, size_t count)
{
        struct sandbox_specification *first = NULL, *second = NULL;
        char again[SANDBOX_BYTES_MAX];
        int fd = -1;

        if (sandbox_specification_decode(bytes, count, &first) < 0) {
                MUST(first == NULL);
                return;
        }
        MUST(sandbox_program_check(&first->program) == 0);
        MUST(sandbox_specification_write(&first->program, &fd) == 0);
        MUST(pread(fd, again, sizeof(again), 0) == (ssize_t)count);
        MUST(memcmp(again, bytes, count) == 0);
        MUST(sandbox_specification_read(fd, &second) == 0);
        MUST(strcmp(first->program.name, second->program.name) == 0);
        close(fd);
        sandbox_specification_free(first);
        sandbox_specification_free(second);
}

static void fuzz_message(const uint8_t *bytes, size_t count)
{
        struct ipc_message message;

        if (!ipc_message_of(bytes, count, &message) || sandbox_message_check(&message) < 0)
                return;
        MUST(message.type >= SANDBOX_MESSAGE_WELCOME && message.type <= SANDBOX_MESSAGE_USAGE);
        MUST(message.type == SANDBOX_MESSAGE_START || message.descriptors_count == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
        if (count < 2)
                return 0;
        if (bytes[0] == 0)
                fuzz_specification(bytes + 2, count - 2);
        else
                fuzz_message(bytes, count);
        return 0;
}
