/* `pifleet passwd`: a secret that a person chose, as the config keeps it. */
#include "cli/console.h"
#include "cli/secret-input.h"
#include "cli/subcommand.h"
#include "cli/token-name.h"
#include "proto/token.h"

#include <errno.h>
#include <string.h>

struct passwd_options {
        const char *user;
};

static const struct options_entry entries[] = {
        {.name = "user",
         .type = OPTIONS_TEXT,
         .offset = offsetof(struct passwd_options, user),
         .value = "NAME",
         .help = "print a whole list item for this name, not the hash alone"},
};

static const struct options_form form = {
        .name = "pifleet passwd",
        .arguments = "",
        .summary = "hash a secret that you chose, for the config",
        .text = "Asks twice for the secret and does not show it; or reads one line from standard\n"
                "input when that is no terminal. Prints its argon2id hash: the config never holds\n"
                "the secret itself. Programs are better served by a random token: pifleet setup.",
        .groups = {{"Options", entries, ARRAY_SIZE(entries), 0}},
        .examples = "  pifleet passwd\n"
                    "  pifleet passwd --user ann\n"
                    "  pwgen 20 1 | tee secret.txt | pifleet passwd --user ann",
        .after = "Exit status: 0 printed, 1 refused, 2 wrong usage.",
};

static int ask(char secret[SECRET_INPUT_MAX + 1], struct error *error)
{
        char again[SECRET_INPUT_MAX + 1];
        int r = secret_input_read("Secret: ", secret, error);

        if (r < 0)
                return r;
        if (!token_length_is_good(secret))
                return error_set(error, -EINVAL, "a secret has %d to %d bytes", TOKEN_MIN,
                                 TOKEN_MAX);
        if (!secret_input_is_typed())
                return 0;
        r = secret_input_read("The same again: ", again, error);
        if (r == 0 && strcmp(secret, again) != 0)
                r = error_set(error, -EINVAL, "the two are not the same; nothing was hashed");
        explicit_bzero(again, sizeof(again));
        return r;
}

static int print(const char *user, const char *hash)
{
        struct buffer out;
        int r;

        buffer_init(&out, 4096);
        r = user ? buffer_printf(&out, "- {name: \"%s\", role: viewer, hash: \"%s\"}\n", user, hash)
                 : buffer_printf(&out, "hash: \"%s\"\n", hash);
        if (r == 0)
                r = console_write(&out);
        buffer_done(&out);
        return r;
}

static enum exit_status run(int argc, char *argv[])
{
        struct passwd_options options = {0};
        char secret[SECRET_INPUT_MAX + 1];
        char hash[TOKEN_HASH_SIZE];
        struct error error = {0};
        struct console console;
        enum exit_status status;
        size_t words;
        int r;

        if (!subcommand_parse(&form, argc, argv, &options, &words, &status))
                return status;
        console_init(&console, false, false);
        if (options.user && !token_name_is_good(options.user)) {
                console_complain(&console, "--user takes " TOKEN_NAME_EXPECTED);
                return EXIT_USAGE;
        }
        r = ask(secret, &error);
        if (r == 0) {
                r = token_hash_password(secret, hash);
                if (r < 0)
                        error_set(&error, r, "the secret cannot be hashed: %s", strerror(-r));
        }
        explicit_bzero(secret, sizeof(secret));
        if (r == 0) {
                r = print(options.user, hash);
                if (r < 0)
                        error_set(&error, r, "the hash cannot be printed: %s", strerror(-r));
        }
        if (r < 0) {
                console_complain(&console, "%s", error.text);
                return EXIT_REFUSED;
        }
        console_note("It goes into /etc/pifleet/agent.yaml, as %s of the list `tokens` in the "
                     "section\n`access`, with the role it is to have (viewer, operator, deployer, "
                     "admin). Then:\n  pifleet-agent --check-config && systemctl restart "
                     "pifleet-agent\n",
                     options.user ? "an item" : "the `hash` of an item");
        return EXIT_OK;
}

const struct subcommand subcommand_passwd = {"passwd", &form, run};
