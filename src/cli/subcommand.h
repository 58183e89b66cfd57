/* cli/subcommand.h - one word after `pifleet`, with its options and its job. */
#pragma once

#include "cli/options.h"

#include <stdbool.h>

/* How `pifleet` ends. Part of the contract with scripts. */
enum exit_status {
        EXIT_OK = 0,
        EXIT_REFUSED = 1, /* the agent said no, or a problem was found here */
        EXIT_USAGE = 2,
        EXIT_NO_CONNECTION = 3,
};

struct subcommand {
        const char *name;
        const struct options_form *form;
        /* The words after the subcommand's own. */
        enum exit_status (*run)(int argc, char *argv[]);
};

/* options_parse() for a subcommand: prints the help that was asked for or what is
 * wrong with the words. False: it is done, and ends with *status. */
bool subcommand_parse(const struct options_form *form, int argc, char *argv[], void *target,
                      size_t *words, enum exit_status *status);

/* Prints a form's help. */
enum exit_status subcommand_help(const struct options_form *form);

extern const struct subcommand subcommand_call;
extern const struct subcommand subcommand_status;
extern const struct subcommand subcommand_setup;
extern const struct subcommand subcommand_passwd;
extern const struct subcommand subcommand_doctor;
extern const struct subcommand subcommand_deploy;
extern const struct subcommand subcommand_rollback;
extern const struct subcommand subcommand_handlers;
extern const struct subcommand subcommand_logs;
extern const struct subcommand subcommand_sign;
extern const struct subcommand subcommand_pub;
extern const struct subcommand subcommand_sub;
extern const struct subcommand subcommand_rpc;
extern const struct subcommand subcommand_clients;
extern const struct subcommand subcommand_kick;
