/* `pifleet setup`: makes a token, keeps its hash in the config, says what is next. */
#include "cli/config-edit.h"
#include "cli/config-file.h"
#include "cli/console.h"
#include "cli/subcommand.h"
#include "cli/token-name.h"
#include "data/json.h"
#include "data/yaml-edit.h"
#include "proto/token.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct setup_options {
        const char *config, *name, *role;
};

static const struct options_entry entries[] = {
        {.name = "config",
         .type = OPTIONS_TEXT,
         .offset = offsetof(struct setup_options, config),
         .value = "FILE",
         .help = "the agent's config (" CONFIG_FILE_DEFAULT ")"},
        {.name = "name",
         .type = OPTIONS_TEXT,
         .offset = offsetof(struct setup_options, name),
         .value = "NAME",
         .help = "what the log calls the token's owner (admin)"},
        {.name = "role",
         .type = OPTIONS_TEXT,
         .offset = offsetof(struct setup_options, role),
         .value = "ROLE",
         .help = "viewer (reads), operator (+ hardware and services),\n"
                 "deployer (+ handlers), admin (+ reboot, users, updates) (admin)"},
};

static const struct options_form form = {
        .name = "pifleet setup",
        .arguments = "",
        .summary = "make an access token and put it into the agent's config",
        .text = "Until a token exists the agent serves its own machine only. Adds one to\n"
                "`access.tokens` and leaves all else in the file as it is, comments too; makes "
                "the\n"
                "file when there is none. The file holds a hash; the token itself is printed "
                "once,\n"
                "alone on standard output.",
        .groups = {{"Options", entries, ARRAY_SIZE(entries), 0}},
        .examples = "  sudo pifleet setup\n"
                    "  sudo pifleet setup --name node-server --role deployer\n"
                    "  sudo pifleet setup --name dashboard --role viewer > dashboard.token",
        .after =
                "Exit status: 0 added, 1 not added (or not to the file: then the lines to add are\n"
                "printed), 2 wrong usage.",
};

static const char template[] =
        "# Configuration of pifleet-agent. Every key is optional; pifleet-agent.yaml(5) explains\n"
        "# all of them. After a change: pifleet-agent --check-config, then\n"
        "# systemctl restart pifleet-agent.\n"
        "\n"
        "#command:\n"
        "#  host: 0.0.0.0     # 127.0.0.1: this machine only\n"
        "#  port: 3000        # plain TCP; 0 switches it off\n"
        "#  tls_port: 0       # TLS; needs tls.certificate and tls.key\n";

/* Text without its mark of style, of a member of a section; NULL: absent. */
static const char *setting(const cJSON *outline, const char *section, const char *key)
{
        const char *text = json_get_string(json_get(outline, section), key);

        return text ? text + 1 : NULL;
}

/* A port as the file says it, or what it is without. An appliance opens none. */
static const char *port_setting(const cJSON *outline, const char *key, const char *standard)
{
        const char *port = setting(outline, "command", key);
        const char *profile = json_get_string(outline, "profile");

        if (profile && strcmp(profile + 1, "appliance") == 0)
                return "0";
        return port && strspn(port, "0123456789") == strlen(port) ? port : standard;
}

static bool has_token(const cJSON *outline, const char *name)
{
        const cJSON *tokens = json_get(json_get(outline, "access"), "tokens");

        if (!cJSON_IsArray(tokens))
                return false;
        for (const cJSON *item = tokens->child; item; item = item->next) {
                const char *there = json_get_string(item, "name");

                if (there && strcmp(there + 1, name) == 0)
                        return true;
        }
        return false;
}

static void note_next_steps(const cJSON *outline)
{
        const char *mode = setting(outline, "access", "mode");
        const char *host = setting(outline, "command", "host");
        const char *port = port_setting(outline, "port", "3000");
        const char *tls_port = port_setting(outline, "tls_port", "0");
        bool plain = strcmp(port, "0") != 0;
        bool tls = strcmp(tls_port, "0") != 0;
        bool local = host && (strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0);

        console_note(
                "\nNext:\n"
                "  sudo systemctl restart pifleet-agent      it reads its config at start only\n"
                "  pifleet doctor                            is everything as it should be?\n");
        if (!local && (plain || tls)) {
                if (plain)
                        console_note("  PIFLEET_TOKEN=... pifleet status --host HOST --port %.5s   "
                                     "from elsewhere\n",
                                     port);
                console_note("Behind a firewall, open the agent's port:  sudo ufw allow %.5s/tcp\n",
                             tls ? tls_port : port);
        }
        if (!local && plain && !tls)
                console_note("Plain TCP shows the token to whoever can listen on the network. Set "
                             "tls.certificate,\ntls.key and command.tls_port, then command.port: "
                             "0, where that matters.\n");
        if (mode && strcmp(mode, "open") == 0)
                console_note("\nWarning: access.mode is \"open\": everybody who reaches the agent "
                             "may use it without\na token. Set it to \"token\" for the token to "
                             "matter.\n");
}

static int print_token(const char *token)
{
        struct buffer out;
        int r;

        buffer_init(&out, 1024);
        r = buffer_printf(&out, "%s\n", token);
        if (r == 0)
                r = console_write(&out);
        if (buffer_length(&out) > 0)
                explicit_bzero(buffer_data(&out), buffer_length(&out));
        buffer_done(&out);
        return r;
}

/* The file is of a kind that we do not dare to change: a person can. */
static void note_snippet(const char *path, const struct config_edit_item *item, const char *reason)
{
        struct buffer snippet;

        buffer_init(&snippet, 4096);
        if (config_edit_snippet(item, &snippet) == 0)
                console_note(
                        "pifleet: %s was not changed: %s.\nAdd these lines to it by hand (if it "
                        "has `access:` or `tokens:` already, what is below\nthem here):\n\n"
                        "%.*s\nThe token, shown this once:\n",
                        path, reason, (int)buffer_length(&snippet), buffer_data(&snippet));
        buffer_done(&snippet);
}

static int write_changed(struct config_file *file, const struct config_edit_item *item,
                         struct error *error, bool *by_hand)
{
        struct buffer changed;
        int r;

        buffer_init(&changed, 2 * CONFIG_FILE_MAX);
        if (file->exists)
                r = config_edit_add(file->text, file->length, item, &changed, error);
        else
                r = config_edit_add(template, strlen(template), item, &changed, error);
        *by_hand = r == -EINVAL || r == -ENOTSUP;
        if (r == 0)
                r = config_file_write(file, buffer_data(&changed), buffer_length(&changed), error);
        buffer_done(&changed);
        return r;
}

static enum exit_status add(const struct console *console, const struct setup_options *options,
                            struct config_file *file, const cJSON *outline, const char *token,
                            const char *hash)
{
        const struct config_edit_member members[] = {
                {"name", options->name}, {"hash", hash}, {"role", options->role}};
        const struct config_edit_item item = {"access", "tokens", members, ARRAY_SIZE(members)};
        struct error error = {0};
        bool by_hand = false;
        int r = write_changed(file, &item, &error, &by_hand);

        if (r < 0 && !by_hand) {
                console_complain(console, "%s", error.text);
                return EXIT_REFUSED;
        }
        if (by_hand)
                note_snippet(options->config, &item, error.text);
        else
                console_note(
                        "%s %s: token \"%s\" with the role %s. It is shown this once; only its "
                        "hash is kept:\n",
                        file->exists ? "Added to" : "Made", options->config, options->name,
                        options->role);
        r = print_token(token);
        if (r < 0) {
                console_complain(console,
                                 "the token cannot be printed: %s. Remove \"%s\" from %s and try "
                                 "again",
                                 strerror(-r), options->name, options->config);
                return EXIT_REFUSED;
        }
        note_next_steps(outline);
        return by_hand ? EXIT_REFUSED : EXIT_OK;
}

static enum exit_status make(const struct console *console, const struct setup_options *options,
                             struct config_file *file, const cJSON *outline)
{
        char token[TOKEN_MADE_LENGTH + 1];
        char hash[TOKEN_HASH_SIZE];
        enum exit_status status;
        int r = token_make(token);

        if (r == 0)
                r = token_hash(token, hash);
        if (r < 0) {
                console_complain(console, "no token can be made: %s", strerror(-r));
                return EXIT_REFUSED;
        }
        status = add(console, options, file, outline, token, hash);
        explicit_bzero(token, sizeof(token));
        return status;
}

static enum exit_status setup(const struct console *console, const struct setup_options *options)
{
        AUTO(config_file) struct config_file *file = NULL;
        AUTO_JSON cJSON *outline = NULL;
        struct error error = {0};
        int r;

        r = config_file_open(options->config, true, &file, &error);
        if (r == 0) {
                r = yaml_edit_outline(file->text, file->length, &outline, &error);
                if (r < 0)
                        error_prefix(&error, "%s: ", options->config);
        }
        if (r < 0) {
                console_complain(console, "%s", error.text);
                return EXIT_REFUSED;
        }
        if (has_token(outline, options->name)) {
                console_complain(console,
                                 "%s has a token \"%s\" already: choose another --name, or remove "
                                 "that item first",
                                 options->config, options->name);
                return EXIT_REFUSED;
        }
        return make(console, options, file, outline);
}

static enum exit_status run(int argc, char *argv[])
{
        struct setup_options options = {
                .config = CONFIG_FILE_DEFAULT, .name = "admin", .role = "admin"};
        struct console console;
        enum exit_status status;
        size_t words;

        if (!subcommand_parse(&form, argc, argv, &options, &words, &status))
                return status;
        console_init(&console, false, false);
        if (!token_name_is_good(options.name)) {
                console_complain(&console, "--name takes " TOKEN_NAME_EXPECTED);
                return EXIT_USAGE;
        }
        if (!token_role_is_good(options.role)) {
                console_complain(&console, "--role takes " TOKEN_ROLE_EXPECTED);
                return EXIT_USAGE;
        }
        return setup(&console, &options);
}

const struct subcommand subcommand_setup = {"setup", &form, run};
