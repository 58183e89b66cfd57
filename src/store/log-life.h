/* store/log-life.h - some rounds in the life of a log, with all that it does: groups, syncs,
 * images, beginning afresh. For tests that fail or stop any part of it. */
#pragma once

#include "store/log-fixture.h"

/* A fixture for it, in memory that a child shares. */
struct log_fixture *life_new(void);
void life_free(struct log_fixture *f);
/* Opened before. Changes that are refused are not made. */
void life_run(struct log_fixture *f);
