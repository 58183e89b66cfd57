/* pifleet-broker: an MQTT broker in a process of its own. */
#include "broker/config.h"
#include "broker/options.h"
#include "broker/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_USAGE = 2 };

/* Clients are greeted as mosquitto does it without a file, whose place it may take. */
static int do_without_file(struct broker_config *config)
{
        int r = broker_config_defaults(config);

        config->receive_maximum = 20;
        config->aliases = 10;
        config->mqtt.packet_bytes = 2000000;
        return r;
}

static int load(const struct broker_options *options, struct broker_config *config,
                struct error *error)
{
        int r = options->config ? broker_config_load(options->config, config, error)
                                : do_without_file(config);

        if (r < 0)
                return options->config ? r : error_set(error, r, "out of memory");
        r = broker_options_apply(options, config);
        if (r < 0)
                error_set(error, r, "cannot add a listener: %s", strerror(-r));
        return r;
}

static int run(const struct broker_options *options, struct broker_config *config,
               struct error *error)
{
        AUTO(log) struct log *log = NULL;
        AUTO(broker_program) struct broker_program *program = NULL; /* logs to its end */
        /* Who asks what is wrong with a configuration is told, and all of it. */
        const char *file = options->test ? NULL : config->log.file;
        const int level = options->test ? LOG_LEVEL_WARNING : config->log.level;
        int r = log_new(file, (enum log_level)level, &log);

        if (r < 0)
                return error_set(error, r, "cannot log to %s: %s", file ? file : "standard error",
                                 strerror(-r));
        broker_config_log_warnings(config, log);
        if (options->test)
                return broker_program_check(config, log, error);
        r = broker_program_new(options, config, log, &program, error);
        if (r < 0)
                return r;
        r = broker_program_run(program); /* until SIGTERM or SIGINT */
        return r < 0 ? error_set(error, r, "ended badly: %s", strerror(-r)) : 0;
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
        r = run(&options, &config, &error);
        if (r < 0)
                fprintf(stderr, "pifleet-broker: %s\n", error.text);
        else if (options.test)
                printf("%s: good\n", options.config ? options.config : "no configuration file");
        broker_config_done(&config);
        if (r < 0)
                return options.test ? EXIT_USAGE : EXIT_FAILURE;
        return EXIT_SUCCESS;
}
