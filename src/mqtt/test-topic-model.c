#include "support/test.h"
#include "support/topic-model.h"

enum { SEQUENCES = 400, BYTES = 4000 };

/* xorshift: the same sequences each time. */
static uint64_t random_next(uint64_t *state)
{
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        return *state;
}

TEST(random_calls_have_the_outcome_that_lists_searched_from_end_to_end_have)
{
        uint64_t state = 0x9e3779b97f4a7c15;
        static uint8_t bytes[BYTES];

        for (unsigned i = 0; i < SEQUENCES; i++) {
                for (size_t j = 0; j < BYTES; j++)
                        bytes[j] = (uint8_t)(random_next(&state) >> 24);
                topic_model_run(bytes, i * 10 < BYTES ? i * 10 : BYTES);
        }
}
