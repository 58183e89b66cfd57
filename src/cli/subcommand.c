#include "cli/subcommand.h"

#include "cli/console.h"

#include <string.h>

enum { HELP_MAX = 64 << 10 };

enum exit_status subcommand_help(const struct options_form *form)
{
        struct buffer out;
        int r;

        buffer_init(&out, HELP_MAX);
        r = options_help(form, &out);
        if (r == 0)
                r = console_write(&out);
        buffer_done(&out);
        return r == 0 ? EXIT_OK : EXIT_REFUSED;
}

bool subcommand_parse(const struct options_form *form, int argc, char *argv[], void *target,
                      size_t *words, enum exit_status *status)
{
        struct error error = {0};
        int r = options_parse(form, argc, argv, target, words, &error);

        if (r == 0)
                return true;
        if (r == OPTIONS_HELP) {
                *status = subcommand_help(form);
        } else {
                console_complain(NULL, "%s", error.text);
                *status = EXIT_USAGE;
        }
        return false;
}
