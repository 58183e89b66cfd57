/* support/topic-model.h - the broker's trees of topics against lists that are searched from
 * end to end.
 *
 * Bytes are read as a sequence of calls: subscribe, unsubscribe, go, publish, retain, clear,
 * walk, wait. Each runs on the tree and on the list, and what comes out must be the same;
 * while a match is worked off or a cursor stands somewhere, other calls come in between. Ends
 * the program when something does not hold. */
#pragma once

#include <stddef.h>
#include <stdint.h>

void topic_model_run(const uint8_t *bytes, size_t count);
