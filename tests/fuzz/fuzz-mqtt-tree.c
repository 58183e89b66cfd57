/* Fuzzes the broker's trees of topics: bytes are calls, compared with lists. */
#include "fuzz/fuzz.h"
#include "support/topic-model.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
        topic_model_run(bytes, count);
        return 0;
}
