#include "broker/certificate.h"

#include "base/clock.h"

/* One port is enough for both, where clients say by ALPN what they speak. */
static const char *const http_or_mqtt[] = {"http/1.1", "mqtt", NULL};

int broker_certificate_load(const struct broker_listener *listener, struct net_tls **tls,
                            struct error *error)
{
        static const enum net_tls_peers peers[] = {
                [BROKER_CERTIFICATES_NONE] = NET_TLS_PEERS_NONE,
                [BROKER_CERTIFICATES_OPTIONAL] = NET_TLS_PEERS_OPTIONAL,
                [BROKER_CERTIFICATES_REQUIRED] = NET_TLS_PEERS_REQUIRED,
        };
        struct net_tls_options options = {
                .certificate = listener->certificate,
                .key = listener->key,
                .peers = peers[listener->client_certificates],
                .revoked = listener->revoked,
                .any_date = listener->certificates_of_any_date,
                .version = listener->tls_version == BROKER_TLS_1_3 ? NET_TLS_1_3 : NET_TLS_1_2,
                .ciphers = listener->ciphers,
                .suites = listener->cipher_suites,
                /* mosquitto's configurations name them for the broker's own chain, too. */
                .authorities = listener->authorities,
                .authorities_folder = listener->authorities_folder,
                .protocols = listener->protocol == BROKER_PROTOCOL_HTTP ? http_or_mqtt : NULL,
        };

        if (!listener->certificate) {
                *tls = net_tls_free(*tls);
                return 0;
        }
        if (*tls) {
                int r = net_tls_reload(*tls, &options, error);

                return r < 0 ? r : 0;
        }
        return net_tls_new(NET_TLS_SERVER, &options, tls, error);
}

/* No reason not to start: a machine without a clock of its own may be in 1970 still. */
void broker_certificate_warn(const struct net_tls *tls, const struct broker_listener *listener,
                             const char *name, struct log *log)
{
        const int64_t now = clock_realtime_ns() / 1000000000;
        struct net_tls_validity validity;

        if (!tls)
                return;
        validity = net_tls_validity(tls);
        if (now < validity.from || now > validity.until)
                log_warning(log, "broker", "certificate %s listener=%s file=%s",
                            now < validity.from ? "is not yet valid" : "has expired", name,
                            listener->certificate);
}
