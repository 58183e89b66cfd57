/* cli/server.h - where a server is, and whose certificate it is to have: what the options for an
 * agent and for a broker have in common. */
#pragma once

#include "cli/options.h"

struct server_options {
        const char *host;
        int64_t port; /* -1: not given */
        const char *socket;
        bool tls;
        const char *authority_path;
        const char *certificate_path, *key_path;
        bool insecure;
};

#define SERVER_HOST "127.0.0.1"
#define SERVER_OPTIONS_DEFAULT                                                                     \
        {                                                                                          \
                .port = -1                                                                         \
        }

enum { SERVER_OPTIONS_COUNT = 8 };
/* Of a struct `owner`, which has them as its member `server`. The sentences are for --port,
 * --socket and --tls; `secret` is what a stranger in between can read. */
#define SERVER_OPTIONS(owner, port_letter, port_help, socket_help, tls_help, secret)               \
        {.name = "host",                                                                           \
         .type = OPTIONS_TEXT,                                                                     \
         .offset = offsetof(owner, server.host),                                                   \
         .value = "HOST",                                                                          \
         .help = "name or address (" SERVER_HOST ")"},                                             \
                {.name = "port",                                                                   \
                 .letter = port_letter,                                                            \
                 .type = OPTIONS_INTEGER,                                                          \
                 .offset = offsetof(owner, server.port),                                           \
                 .value = "PORT",                                                                  \
                 .help = port_help,                                                                \
                 .minimum = 1,                                                                     \
                 .maximum = 65535},                                                                \
                {.name = "socket",                                                                 \
                 .type = OPTIONS_TEXT,                                                             \
                 .offset = offsetof(owner, server.socket),                                         \
                 .value = "PATH",                                                                  \
                 .help = socket_help},                                                             \
                {.name = "tls",                                                                    \
                 .type = OPTIONS_SWITCH,                                                           \
                 .offset = offsetof(owner, server.tls),                                            \
                 .help = tls_help},                                                                \
                {.name = "ca",                                                                     \
                 .type = OPTIONS_TEXT,                                                             \
                 .offset = offsetof(owner, server.authority_path),                                 \
                 .value = "FILE",                                                                  \
                 .help = "trust the certificates in this PEM file, instead of the\n"               \
                         "system's; implies --tls"},                                               \
                {.name = "cert",                                                                   \
                 .type = OPTIONS_TEXT,                                                             \
                 .offset = offsetof(owner, server.certificate_path),                               \
                 .value = "FILE",                                                                  \
                 .help = "show this certificate, with its chain, in a PEM file; implies\n"         \
                         "--tls"},                                                                 \
                {.name = "key",                                                                    \
                 .type = OPTIONS_TEXT,                                                             \
                 .offset = offsetof(owner, server.key_path),                                       \
                 .value = "FILE",                                                                  \
                 .help = "the certificate's private key, in a PEM file"},                          \
        {                                                                                          \
                .name = "insecure", .type = OPTIONS_SWITCH,                                        \
                .offset = offsetof(owner, server.insecure),                                        \
                .help = "accept any certificate: anybody in between can read the\n" secret         \
                        "; implies --tls"                                                          \
        }

/* Says --tls, or something that implies it. */
bool server_wants_tls(const struct server_options *options);
/* Names a host or a port, or wants TLS: no Unix socket is meant. */
bool server_is_tcp(const struct server_options *options);
/* -EINVAL with a sentence: options that exclude each other, or one of two that belong together. */
int server_check(const struct server_options *options, struct error *error);
