#include "supervisor/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>

static const char usage[] =
        "usage: pifleet-supervisor [--run-dir DIR] [--] PROGRAM [ARGUMENT...]\n"
        "       pifleet-supervisor [--run-dir DIR] --safe-state\n"
        "\n"
        "Runs pifleet-agent, starts it again when it ends unasked, and drives its GPIO\n"
        "lines into their safe state when it dies or hangs.\n"
        "\n"
        "  --run-dir DIR  where the record of held lines is kept (/run/pifleet)\n"
        "  --safe-state   drive what a supervisor that was killed had held, and exit\n"
        "  --version      print the version and exit\n"
        "  --help         print this and exit\n";

static int check(const struct supervisor_options *options, struct error *error)
{
        if (options->safe_state && options->program[0])
                return error_set(error, -EINVAL, "--safe-state runs no program");
        if (!options->safe_state && !options->program[0])
                return error_set(error, -EINVAL,
                                 "which program? usually: pifleet-supervisor -- pifleet-agent");
        return 0;
}

int supervisor_options_parse(struct supervisor_options *options, int argc, char *argv[],
                             struct error *error)
{
        static const struct option known[] = {
                {"run-dir", required_argument, NULL, 'r'},
                {"safe-state", no_argument, NULL, 's'},
                {"version", no_argument, NULL, 'v'},
                {"help", no_argument, NULL, 'h'},
                {NULL, 0, NULL, 0},
        };
        int letter;

        *options = (struct supervisor_options){0};
        optind = 0;
        opterr = 0;
        /* "+": what stands behind the program is the program's. */
        while ((letter = getopt_long(argc, argv, "+:", known, NULL)) >= 0) {
                switch (letter) {
                case 'r':
                        options->run_dir = optarg;
                        break;
                case 's':
                        options->safe_state = true;
                        break;
                case 'v':
                        puts("pifleet-supervisor " PIFLEET_VERSION);
                        return SUPERVISOR_OPTIONS_DONE;
                case 'h':
                        fputs(usage, stdout);
                        return SUPERVISOR_OPTIONS_DONE;
                case ':':
                        return error_set(error, -EINVAL, "%s needs a value", argv[optind - 1]);
                default:
                        return error_set(error, -EINVAL, "%s is no option; see --help",
                                         argv[optind - 1]);
                }
        }
        options->program = argv + optind;
        return check(options, error);
}
