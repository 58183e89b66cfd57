#include "net/tls.h"

#include "base/clock.h"
#include "net/tls-internal.h"
#include "net/tls-options.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

const char *net_tls_error_text(char *text, size_t size)
{
        /* The first is the cause, the others are what became of it further up. */
        const unsigned long code = ERR_peek_error();
        const char *reason = ERR_reason_error_string(code);
        /* "sslv3 alert bad certificate" is from the peer, whatever version it was in. */
        const char *alert = reason ? strstr(reason, " alert ") : NULL;

        if (ERR_SYSTEM_ERROR(code))
                snprintf(text, size, "%s", strerror(ERR_GET_REASON(code)));
        else if (alert && ERR_GET_REASON(code) >= SSL_AD_REASON_OFFSET)
                snprintf(text, size, "the peer says: %s", alert + strlen(" alert "));
        else
                snprintf(text, size, "%s", reason ? reason : "unknown failure");
        ERR_clear_error();
        return text;
}

int net_tls_new(enum net_tls_role role, const struct net_tls_options *options, struct net_tls **ret,
                struct error *error)
{
        AUTO(net_tls) struct net_tls *tls = calloc(1, sizeof(*tls));
        int r = tls ? tls_options_copy(options, &tls->options) : -ENOMEM;

        if (r < 0)
                return error_set(error, r, "not enough memory for TLS");
        tls->role = role;
        r = tls_options_check(role, options, error);
        if (r == 0)
                r = tls_edition_new(role, options, &tls->edition, error);
        if (r == 0)
                *ret = TAKE(tls);
        return r;
}

int net_tls_new_server(const char *certificate, const char *key, struct net_tls **ret,
                       struct error *error)
{
        const struct net_tls_options options = {.certificate = certificate, .key = key};

        return net_tls_new(NET_TLS_SERVER, &options, ret, error);
}

int net_tls_new_client(const char *authorities, bool verify, struct net_tls **ret,
                       struct error *error)
{
        const struct net_tls_options options = {.peers = verify ? NET_TLS_PEERS_REQUIRED
                                                                : NET_TLS_PEERS_NONE,
                                                .authorities = authorities};

        return net_tls_new(NET_TLS_CLIENT, &options, ret, error);
}

struct net_tls *net_tls_free(struct net_tls *tls)
{
        if (!tls)
                return NULL;
        tls_edition_unref(tls->edition);
        tls_options_done(&tls->options);
        free(tls);
        return NULL;
}

static int64_t seconds_of(const ASN1_TIME *time)
{
        struct tm parts;

        return ASN1_TIME_to_tm(time, &parts) == 1 ? (int64_t)timegm(&parts) : 0;
}

static struct net_tls_validity validity_of(const struct tls_edition *edition)
{
        const X509 *certificate = SSL_CTX_get0_certificate(edition->context);
        struct net_tls_validity validity = {0};

        if (certificate) {
                validity.from = seconds_of(X509_get0_notBefore(certificate));
                validity.until = seconds_of(X509_get0_notAfter(certificate));
        }
        return validity;
}

struct net_tls_validity net_tls_validity(const struct net_tls *tls)
{
        return validity_of(tls->edition);
}

/* At the start a clock may be wrong and there is nothing better; here there is. */
static int check_validity(const struct tls_edition *edition, const char *path, struct error *error)
{
        const struct net_tls_validity validity = validity_of(edition);
        const int64_t now = clock_realtime_ns() / 1000000000;

        if (!path)
                return 0;
        if (now > validity.until)
                return error_set(error, -EINVAL, "the certificate %s has expired", path);
        if (now < validity.from)
                return error_set(error, -EINVAL, "the certificate %s is not yet valid", path);
        return 0;
}

/* What is in a folder is looked up when it is needed: nobody knows what has changed there. */
static bool is_same(const struct tls_edition *one, const struct tls_edition *other,
                    const struct net_tls_options *options)
{
        return !options->authorities_folder &&
               memcmp(one->digest, other->digest, sizeof(one->digest)) == 0;
}

static int succeed(struct net_tls *tls, struct net_tls_options *options,
                   struct tls_edition *edition, struct error *error)
{
        const bool same = is_same(tls->edition, edition, options);
        int r = same ? 0 : check_validity(edition, options->certificate, error);

        if (r < 0)
                return r;
        tls_options_done(&tls->options);
        tls->options = *options;
        *options = (struct net_tls_options){0};
        if (same)
                return 0;
        tls_edition_unref(tls->edition);
        tls->edition = tls_edition_ref(edition);
        return 1;
}

int net_tls_reload(struct net_tls *tls, const struct net_tls_options *options, struct error *error)
{
        AUTO(tls_edition) struct tls_edition *edition = NULL;
        struct net_tls_options copy;
        int r = tls_options_copy(options ? options : &tls->options, &copy);

        if (r < 0)
                return error_set(error, r, "not enough memory for TLS");
        r = tls_options_check(tls->role, &copy, error);
        if (r == 0)
                r = tls_edition_new(tls->role, &copy, &edition, error);
        if (r == 0)
                r = succeed(tls, &copy, edition, error);
        tls_options_done(&copy);
        return r;
}
