/* `pifleet passwd`: a secret that a person chose, as a config or a password file keeps it. */
#include "access/password-file.h"
#include "cli/config-file.h"
#include "cli/console.h"
#include "cli/secret-input.h"
#include "cli/subcommand.h"
#include "cli/token-name.h"
#include "proto/token.h"

#include <errno.h>
#include <string.h>

struct passwd_options {
        const char *user, *file;
        bool remove, from_input;
};

static const struct options_entry entries[] = {
        {.name = "user",
         .type = OPTIONS_TEXT,
         .offset = offsetof(struct passwd_options, user),
         .value = "NAME",
         .help = "print a whole list item for this name, not the hash alone"},
        {.name = "file",
         .type = OPTIONS_TEXT,
         .offset = offsetof(struct passwd_options, file),
         .value = "FILE",
         .help = "print nothing, and put the hash into this password file, for --user;\n"
                 "a new file is for its owner only (of root, for the group pifleet too)"},
        {.name = "delete",
         .type = OPTIONS_SWITCH,
         .offset = offsetof(struct passwd_options, remove),
         .help = "take --user out of --file"},
        {.name = "stdin",
         .type = OPTIONS_SWITCH,
         .offset = offsetof(struct passwd_options, from_input),
         .help = "read the secret from standard input once, also on a terminal"},
};

static const struct options_form form = {
        .name = "pifleet passwd",
        .arguments = "",
        .summary = "hash a secret that you chose, for the config or a password file",
        .text = "Asks twice for the secret and does not show it; or reads one line from standard\n"
                "input when that is no terminal. Prints its argon2id hash: the config never holds\n"
                "the secret itself. Programs are better served by a random token: pifleet setup.",
        .groups = {{"Options", entries, ARRAY_SIZE(entries), 0}},
        .examples = "  pifleet passwd\n"
                    "  pifleet passwd --user ann\n"
                    "  pifleet passwd --file /etc/pifleet/users --user ann\n"
                    "  pwgen 20 1 | tee secret.txt | pifleet passwd --user ann",
        .after = "Exit status: 0 done, 1 refused, 2 wrong usage.",
};

static int ask(bool once, char secret[SECRET_INPUT_MAX + 1], struct error *error)
{
        char again[SECRET_INPUT_MAX + 1];
        int r = secret_input_read("Secret: ", secret, error);

        if (r < 0)
                return r;
        if (!token_length_is_good(secret))
                return error_set(error, -EINVAL, "a secret has %d to %d bytes", TOKEN_MIN,
                                 TOKEN_MAX);
        if (once || !secret_input_is_typed())
                return 0;
        r = secret_input_read("The same again: ", again, error);
        if (r == 0 && strcmp(secret, again) != 0)
                r = error_set(error, -EINVAL, "the two are not the same; nothing was hashed");
        explicit_bzero(again, sizeof(again));
        return r;
}

/* What is asked for, hashed; the secret is wiped. */
static int make_hash(bool once, char hash[TOKEN_HASH_SIZE], struct error *error)
{
        char secret[SECRET_INPUT_MAX + 1];
        int r = ask(once, secret, error);

        if (r == 0) {
                r = token_hash_password(secret, hash);
                if (r < 0)
                        error_set(error, r, "the secret cannot be hashed: %s", strerror(-r));
        }
        explicit_bzero(secret, sizeof(secret));
        return r;
}

static int print(const char *user, const char *hash, struct error *error)
{
        struct buffer out;
        int r;

        buffer_init(&out, 4096);
        r = user ? buffer_printf(&out, "- {name: \"%s\", role: viewer, hash: \"%s\"}\n", user, hash)
                 : buffer_printf(&out, "hash: \"%s\"\n", hash);
        if (r == 0)
                r = console_write(&out);
        buffer_done(&out);
        if (r < 0)
                return error_set(error, r, "the hash cannot be printed: %s", strerror(-r));
        console_note(
                "It goes into /etc/pifleet/agent.yaml, as %s of the list `tokens` in the "
                "section\n`access`, or of the list `users` in the section `mqtt`, with the role "
                "it is to have\n(viewer, operator, deployer, admin). Then:\n"
                "  pifleet-agent --check-config && systemctl restart pifleet-agent\n",
                user ? "an item" : "the `hash` of an item");
        return 0;
}

/* `hash` NULL: without the user. */
static int edit_file(const char *path, const char *user, const char *hash, struct error *error)
{
        AUTO(config_file) struct config_file *file = NULL;
        struct buffer out;
        int was_there, r = config_file_open(path, true, &file, error);

        if (r < 0)
                return r;
        buffer_init(&out, CONFIG_FILE_MAX);
        was_there = password_file_edit(file->text, file->length, user, hash, &out);
        if (was_there < 0)
                r = error_set(error, was_there, "%s: %s", path, strerror(-was_there));
        else if (!was_there && !hash)
                r = error_set(error, -ENOENT, "%s: there is no user \"%s\" in it", path, user);
        else
                r = config_file_write(file, buffer_data(&out), buffer_length(&out), error);
        buffer_done(&out);
        if (r == 0 && file->mode & 0007)
                console_note("%s is open to all users of this machine: chmod o= %s\n", path, path);
        return r;
}

static int check_usage(const struct passwd_options *options, struct error *error)
{
        if (options->remove && !options->file)
                return error_set(error, -EINVAL, "--delete goes with --file and --user");
        if (options->file && !options->user)
                return error_set(error, -EINVAL, "--file goes with --user, whose password it is");
        if (options->file)
                return password_file_check_name(options->user, error);
        if (options->user && !token_name_is_good(options->user))
                return error_set(error, -EINVAL, "--user takes " TOKEN_NAME_EXPECTED);
        return 0;
}

static enum exit_status run(int argc, char *argv[])
{
        struct passwd_options options = {0};
        char hash[TOKEN_HASH_SIZE];
        struct error error = {0};
        struct console console;
        enum exit_status status;
        size_t words;
        int r;

        if (!subcommand_parse(&form, argc, argv, &options, &words, &status))
                return status;
        console_init(&console, false, false);
        if (check_usage(&options, &error) < 0) {
                console_complain(&console, "%s", error.text);
                return EXIT_USAGE;
        }
        r = options.remove ? 0 : make_hash(options.from_input, hash, &error);
        if (r == 0)
                r = options.file ? edit_file(options.file, options.user,
                                             options.remove ? NULL : hash, &error)
                                 : print(options.user, hash, &error);
        if (r < 0) {
                console_complain(&console, "%s", error.text);
                return EXIT_REFUSED;
        }
        return EXIT_OK;
}

const struct subcommand subcommand_passwd = {"passwd", &form, run};
