#include "cli/target.h"

#include "cli/secret-file.h"
#include "net/connect.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const struct options_entry target_options[TARGET_OPTIONS_COUNT] = {
        SERVER_OPTIONS(struct target_options, 0, "TCP port (3000)",
                       "Unix socket, where the kernel says who asks. Without any of\n"
                       "these three: " TARGET_SOCKET " if it answers,\n"
                       "else " SERVER_HOST " port 3000",
                       "speak TLS (to the agent's tls_port: say --port)", "token"),
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
        const struct server_options *server = &options->server;
        bool tls = server_wants_tls(server);
        int r;

        *target = (struct target){
                .client = {
                        .host = server->host ? server->host : SERVER_HOST,
                        .port = server->port >= 0 ? (uint16_t)server->port : TARGET_PORT,
                        .socket = server->socket,
                        .tls = tls,
                        .authority_path = server->authority_path,
                        .certificate_path = server->certificate_path,
                        .key_path = server->key_path,
                        .insecure = server->insecure,
                        .timeout_ms = (uint32_t)ceil(options->timeout_seconds * 1000),
                }};
        r = server_check(server, error);
        if (r < 0)
                return r;
        if (tls && server->port < 0)
                return error_set(error, -EINVAL,
                                 "TLS has a port of its own: add --port and the agent's "
                                 "command.tls_port");
        if (!server->socket && !server_is_tcp(server) && answers(TARGET_SOCKET))
                target->client.socket = TARGET_SOCKET;
        return resolve_token(options, target, error);
}

void target_done(struct target *target)
{
        explicit_bzero(target->token, sizeof(target->token));
}
