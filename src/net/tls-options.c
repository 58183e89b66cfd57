#include "net/tls-options.h"

#include "base/attributes.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static const size_t texts[] = {
        offsetof(struct net_tls_options, certificate),
        offsetof(struct net_tls_options, key),
        offsetof(struct net_tls_options, authorities),
        offsetof(struct net_tls_options, authorities_folder),
        offsetof(struct net_tls_options, revoked),
        offsetof(struct net_tls_options, ciphers),
        offsetof(struct net_tls_options, suites),
};

static const char **text_of(struct net_tls_options *options, size_t index)
{
        return (const char **)((char *)options + texts[index]);
}

static size_t count_protocols(const char *const *protocols)
{
        size_t count = 0;

        while (protocols && protocols[count])
                count++;
        return count;
}

static int copy_text(const char **text)
{
        if (!*text)
                return 0;
        *text = strdup(*text);
        return *text ? 0 : -ENOMEM;
}

static int copy_protocols(const char *const *protocols, const char *const **ret)
{
        size_t count = count_protocols(protocols);
        const char **copy;
        int r = 0;

        if (count == 0)
                return 0;
        copy = calloc(count + 1, sizeof(*copy));
        if (!copy)
                return -ENOMEM;
        *ret = copy;
        for (size_t i = 0; i < count && r == 0; i++) {
                copy[i] = protocols[i];
                r = copy_text(&copy[i]);
        }
        return r;
}

int tls_options_copy(const struct net_tls_options *options, struct net_tls_options *ret)
{
        struct net_tls_options copy = *options;
        int r = 0;

        copy.protocols = NULL;
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                *text_of(&copy, i) = NULL;
        for (size_t i = 0; i < ARRAY_SIZE(texts) && r == 0; i++) {
                *text_of(&copy, i) = *text_of((struct net_tls_options *)options, i);
                r = copy_text(text_of(&copy, i));
        }
        if (r == 0)
                r = copy_protocols(options->protocols, &copy.protocols);
        if (r < 0)
                tls_options_done(&copy);
        else
                *ret = copy;
        return r;
}

void tls_options_done(struct net_tls_options *options)
{
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                free((char *)*text_of(options, i));
        for (size_t i = 0; i < count_protocols(options->protocols); i++)
                free((char *)options->protocols[i]);
        free((void *)options->protocols);
        *options = (struct net_tls_options){0};
}

static int check_protocols(const char *const *protocols, struct error *error)
{
        size_t bytes = 0;

        for (size_t i = 0; i < count_protocols(protocols); i++) {
                size_t length = strlen(protocols[i]);

                if (length == 0 || length > NET_TLS_PROTOCOL_MAX)
                        return error_set(error, -EINVAL,
                                         "the name of a protocol has 1 to %d bytes: \"%s\"",
                                         NET_TLS_PROTOCOL_MAX, protocols[i]);
                bytes += 1 + length;
        }
        if (bytes > UINT16_MAX)
                return error_set(error, -EINVAL, "there are too many protocols");
        return 0;
}

int tls_options_check(enum net_tls_role role, const struct net_tls_options *options,
                      struct error *error)
{
        bool trusts = options->authorities || options->authorities_folder;

        if (role == NET_TLS_SERVER && (!options->certificate || !options->key))
                return error_set(error, -EINVAL, "TLS needs a certificate and its key");
        if (!options->certificate != !options->key)
                return error_set(error, -EINVAL, "a certificate and its key go together");
        if (role == NET_TLS_CLIENT && options->peers == NET_TLS_PEERS_OPTIONAL)
                return error_set(error, -EINVAL,
                                 "a server always has a certificate: it is "
                                 "believed or not");
        if (role == NET_TLS_SERVER && options->peers != NET_TLS_PEERS_NONE && !trusts)
                return error_set(error, -EINVAL,
                                 "certificates of clients are asked for, but not who signs them: "
                                 "a file or folder of authorities is missing");
        if (options->revoked && options->peers == NET_TLS_PEERS_NONE)
                return error_set(error, -EINVAL,
                                 "%s says who is revoked, but nobody is asked for a certificate",
                                 options->revoked);
        return check_protocols(options->protocols, error);
}
