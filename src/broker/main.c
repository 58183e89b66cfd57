/* pifleet-broker: an MQTT broker in a process of its own. */
#include "broker/config.h"
#include "broker/options.h"
#include "broker/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_USAGE = 2 };

static int load(const struct broker_options *options, struct broker_config *config,
                struct error *error)
{
        int r = options->config ? broker_config_load(options->config, config, error)
                                : broker_config_defaults(config);

        if (r < 0)
                return options->config ? r : error_set(error, r, "out of memory");
        r = broker_options_apply(options, config);
        if (r < 0)
                error_set(error, r, "cannot add a listener: %s", strerror(-r));
        return r;
}

static void log_warnings(struct log *log, const struct broker_config *config)
{
        for (size_t i = 0; i < config->warnings.count; i++)
                log_warning(log, "config", "%s", config->warnings.items[i]);
        if (config->warnings_lost > 0)
                log_warning(log, "config", "and %zu more", config->warnings_lost);
}

static int run(const struct broker_config *config, struct error *error)
{
        AUTO(broker_program) struct broker_program *program = NULL;
        AUTO(log) struct log *log = NULL;
        int r = log_new(config->log.file, (enum log_level)config->log.level, &log);

        if (r < 0)
                return error_set(error, r, "cannot log to %s: %s",
                                 config->log.file ? config->log.file : "standard error",
                                 strerror(-r));
        log_warnings(log, config);
        r = broker_program_new(config, log, &program, error);
        return r < 0 ? r : broker_program_run(program);
}

/* --test-config: what is wrong with it was said already. */
static void print_verdict(const struct broker_config *config)
{
        for (size_t i = 0; i < config->warnings.count; i++)
                printf("%s\n", config->warnings.items[i]);
        printf("%s: good\n", config->path ? config->path : "no configuration file; the defaults");
}

int main(int argc, char *argv[])
{
        struct broker_config config = {0};
        struct broker_options options;
        struct error error;
        int r = broker_options_parse(argc, argv, &options);

        if (r != 0)
                return r < 0 ? EXIT_USAGE : EXIT_SUCCESS;
        r = load(&options, &config, &error);
        if (r < 0) {
                fprintf(stderr, "pifleet-broker: %s\n", error.text);
                broker_config_done(&config);
                return EXIT_USAGE;
        }
        if (options.test) {
                print_verdict(&config);
        } else {
                r = run(&config, &error); /* until SIGTERM or SIGINT */
                if (r < 0)
                        fprintf(stderr, "pifleet-broker: %s\n", error.text);
        }
        broker_config_done(&config);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
