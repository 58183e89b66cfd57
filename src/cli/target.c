#include "cli/target.h"

#include "cli/secret-file.h"
#include "net/connect.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const struct options_entry target_options[TARGET_OPTIONS_COUNT] = {
        {.name = "host",
         .type = OPTIONS_TEXT,
         .offset = offsetof(struct target_options, host),
         .value = "HOST",
         .help = "name or address (" TARGET_HOST ")"},
        {.name = "port",
         .type = OPTIONS_INTEGER,
         .offset = offsetof(struct target_options, port),
         .value = "PORT",
         .help = "TCP port (3000)",
         .minimum = 1,
         .maximum = 65535},
        {.name = "socket",
         .type = OPTIONS_TEXT,
         .offset = offsetof(struct target_options, socket),
         .value = "PATH",
         .help = "Unix socket, where the kernel says who asks. Without any of\n"
                 "these three: " TARGET_SOCKET " if it answers,\n"
                 "else " TARGET_HOST " port 3000"},
        {.name = "tls",
         .type = OPTIONS_SWITCH,
         .offset = offsetof(struct target_options, tls),
         .help = "speak TLS (to the agent's tls_port: say --port)"},
        {.name = "ca",
         .type = OPTIONS_TEXT,
         .offset = offsetof(struct target_options, authority_path),
         .value = "FILE",
         .help = "trust the certificates in this PEM file, instead of the\n"
                 "system's; implies --tls"},
        TARGET_CERTIFICATE_OPTIONS(struct target_options),
        {.name = "insecure",
         .type = OPTIONS_SWITCH,
         .offset = offsetof(struct target_options, insecure),
         .help = "accept any certificate: anybody in between can read the\n"
                 "token; implies --tls"},
        {.name = "token",
         .type = OPTIONS_TEXT,
         .offset = offsetof(struct target_options, token),
         .value = "TOKEN",
         .help = "access token. Other users see it in ps and it stays in the\n"
                 "shell's history: better --token-file or $PIFLEET_TOKEN"},
        {.name = "token-file",
         .type = OPTIONS_TEXT,
         .offset = offsetof(struct target_options, token_file),
         .value = "FILE",
         .help = "read the token from this file (\"-\": standard input)"},
        {.name = "timeout",
         .type = OPTIONS_SECONDS,
         .offset = offsetof(struct target_options, timeout_seconds),
         .value = "SECONDS",
         .help = "how long to wait for the connection and for each reply (30)",
         .minimum = 0.001,
         .maximum = 86400},
};

static int resolve_token(const struct target_options *options, struct target *target,
                         struct error *error)
{
        const char *environment = getenv("PIFLEET_TOKEN");
        const char *token = options->token ? options->token : environment;
        int r;

        if (options->token && options->token_file)
                return error_set(error, -EINVAL, "--token and --token-file exclude each other");
        if (options->token_file) {
                r = secret_file_read(options->token_file, "token", target->token, TARGET_TOKEN_MAX,
                                     error);
                if (r < 0)
                        return r;
        } else if (token && *token) {
                if (strlen(token) > TARGET_TOKEN_MAX)
                        return error_set(error, -EINVAL, "that is too long for a token");
                memcpy(target->token, token, strlen(token) + 1);
        } else {
                return 0;
        }
        target->client.token = target->token;
        return 0;
}

static bool answers(const char *path)
{
        AUTO_CLOSE int fd = -1;

        return net_connect_local(path, &fd, NULL) == 0;
}

int target_resolve(const struct target_options *options, struct target *target, struct error *error)
{
        bool tls = options->tls || options->authority_path || options->certificate_path ||
                   options->insecure;
        bool tcp = options->host || options->port >= 0 || tls;

        *target = (struct target){
                .client = {
                        .host = options->host ? options->host : TARGET_HOST,
                        .port = options->port >= 0 ? (uint16_t)options->port : TARGET_PORT,
                        .socket = options->socket,
                        .tls = tls,
                        .authority_path = options->authority_path,
                        .certificate_path = options->certificate_path,
                        .key_path = options->key_path,
                        .insecure = options->insecure,
                        .timeout_ms = (uint32_t)ceil(options->timeout_seconds * 1000),
                }};
        if (options->socket && tcp)
                return error_set(error, -EINVAL,
                                 "--socket excludes --host, --port, --tls, --ca, --cert and "
                                 "--insecure");
        if (options->authority_path && options->insecure)
                return error_set(error, -EINVAL, "--ca and --insecure exclude each other");
        if (!options->certificate_path != !options->key_path)
                return error_set(error, -EINVAL, "--cert and --key belong together");
        if (tls && options->port < 0)
                return error_set(error, -EINVAL,
                                 "TLS has a port of its own: add --port and the agent's "
                                 "command.tls_port");
        if (!options->socket && !tcp && answers(TARGET_SOCKET))
                target->client.socket = TARGET_SOCKET;
        return resolve_token(options, target, error);
}

void target_done(struct target *target)
{
        explicit_bzero(target->token, sizeof(target->token));
}
