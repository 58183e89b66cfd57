/* broker/program.h - pifleet-broker itself: its loop, its broker, where it listens. */
#pragma once

#include "base/log.h"
#include "broker/config.h"

struct broker_program;

/* Opens what it needs and listens. `config` and `log` outlive it. -errno with a sentence. */
int broker_program_new(const struct broker_config *config, struct log *log,
                       struct broker_program **ret, struct error *error);
/* Until SIGTERM or SIGINT, and until clients have read that it ends: 0; -errno. */
int broker_program_run(struct broker_program *program);
struct broker_program *broker_program_free(struct broker_program *program);
DEFINE_CLEANUP(broker_program)
