/* broker/program.h - pifleet-broker itself: its loop, its broker, where it listens, and another
 * configuration while it runs. */
#pragma once

#include "base/log.h"
#include "broker/options.h"

struct broker_program;

/* Opens what it needs and listens. `config` is what the options say, and taken over in every case;
 * `options` and `log` outlive the program. -errno with a sentence. */
int broker_program_new(const struct broker_options *options, struct broker_config *config,
                       struct log *log, struct broker_program **ret, struct error *error);
/* Until SIGTERM or SIGINT, and until clients have read that it ends: 0; -errno. SIGHUP loads the
 * configuration again. */
int broker_program_run(struct broker_program *program);
struct broker_program *broker_program_free(struct broker_program *program);
DEFINE_CLEANUP(broker_program)

/* --test-config: whether the files that the configuration names are good, too. -errno with a
 * sentence. */
int broker_program_check(const struct broker_config *config, struct log *log, struct error *error);
