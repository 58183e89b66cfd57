/* Fuzzes config files against a table with every type of key. */
#include "data/config.h"
#include "fuzz/fuzz.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

struct token {
        char *name;
        int64_t uses;
        struct config_texts tags;
};

struct command {
        char *host;
        int64_t port;
        double idle;
        bool tls, later;
        int mode;
        struct config_texts services;
        struct config_list tokens;
};

static const char *const modes[] = {"token", "open", NULL};

static const struct config_key token_keys[] = {
        CONFIG_TEXT(struct token, name, "name", NULL, "a name", .required = true),
        CONFIG_INTEGER(struct token, uses, "uses", 7, -5, 100, "-5 to 100"),
        CONFIG_TEXTS(struct token, tags, "tags", "a b", 3, "at most 3 words"),
};

static const struct config_key command_keys[] = {
        CONFIG_TEXT(struct command, host, "host", "0.0.0.0", "an address"),
        CONFIG_INTEGER(struct command, port, "port", 3000, 0, 65535, "0 to 65535"),
        CONFIG_SECONDS(struct command, idle, "idle", 30, 0.5, 86400, "seconds"),
        CONFIG_BOOL(struct command, tls, "tls", true),
        CONFIG_CHOICE(struct command, mode, "mode", 0, modes, "token or open"),
        CONFIG_TEXTS(struct command, services, "services", "*", 4, "at most 4 names"),
        CONFIG_LIST(struct command, tokens, "tokens", struct token, token_keys, 4, "tokens"),
        CONFIG_RESERVED(struct command, later, "later"),
};

static void check_ranges(const struct command *command)
{
        const struct token *tokens = command->tokens.items;

        MUST(command->host != NULL);
        MUST(command->port >= 0 && command->port <= 65535);
        MUST(command->idle >= 0.5 && command->idle <= 86400);
        MUST(command->mode == 0 || command->mode == 1);
        MUST(command->services.count <= 4);
        MUST(command->tokens.count <= 4);
        for (size_t i = 0; i < command->tokens.count; i++) {
                MUST(tokens[i].name != NULL);
                MUST(tokens[i].uses >= -5 && tokens[i].uses <= 100);
                MUST(tokens[i].tags.count <= 3);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
        struct command command, top;
        bool mqtt;
        const struct config_section sections[] = {
                {"command", command_keys, ARRAY_SIZE(command_keys), &command},
                {NULL, command_keys, ARRAY_SIZE(command_keys), &top},
                {"mqtt", NULL, 0, &mqtt},
        };
        const char *text = count > 0 ? (const char *)bytes : "";
        struct error error = {0};
        int r;

        r = config_parse("f", text, count, sections, ARRAY_SIZE(sections), &error);
        MUST(error.code == r);
        if (r == 0) {
                check_ranges(&command);
                check_ranges(&top);
        } else {
                unsigned long line, column;

                MUST(r == -EINVAL || r == -EFBIG);
                MUST(r == -EFBIG || sscanf(error.text, "f:%lu:%lu: ", &line, &column) == 2);
                MUST(!command.host && !command.services.items && !command.tokens.items);
        }
        config_done(sections, ARRAY_SIZE(sections));
        return 0;
}
