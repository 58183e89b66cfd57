/* broker/config-fixture.h - configurations from texts, for tests. */
#pragma once

#include "broker/config.h"
#include "support/test.h"

/* A text that is good, with all warnings; broker_config_done() is the test's. */
void config_good(const char *name, const char *text, struct broker_config *ret);
/* A text that is not, and what is said of it, which lives until the next call. */
const char *config_refusal(const char *name, const char *text);
const struct broker_listener *config_listener(const struct broker_config *config, size_t index);
/* Of all allocations one after the other none is left behind, and each that fails is told. */
void config_without_memory(const char *name, const char *text);
