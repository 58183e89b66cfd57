#include "cli/server.h"

#include <errno.h>

bool server_wants_tls(const struct server_options *options)
{
        return options->tls || options->authority_path || options->certificate_path ||
               options->insecure;
}

bool server_is_tcp(const struct server_options *options)
{
        return options->host || options->port >= 0 || server_wants_tls(options);
}

int server_check(const struct server_options *options, struct error *error)
{
        if (options->socket && server_is_tcp(options))
                return error_set(error, -EINVAL,
                                 "--socket excludes --host, --port, --tls, --ca, --cert and "
                                 "--insecure");
        if (options->authority_path && options->insecure)
                return error_set(error, -EINVAL, "--ca and --insecure exclude each other");
        if (!options->certificate_path != !options->key_path)
                return error_set(error, -EINVAL, "--cert and --key belong together");
        return 0;
}
