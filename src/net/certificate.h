/* net/certificate.h - who a peer is by the certificate that it showed, and that was verified.
 *
 * Texts are UTF-8 and NULL where the certificate has none, or one with U+0000 in it. Of several
 * the first. */
#pragma once

#include "base/cleanup.h"
#include "net/stream.h"

enum { NET_FINGERPRINT_SIZE = 65 };

struct net_certificate {
        char *common_name;
        char *subject; /* all of it, as RFC 2253 writes it: "CN=ann,O=Home" */
        char *dns;     /* of the alternative names */
        char *uri;
        char fingerprint[NET_FINGERPRINT_SIZE]; /* SHA-256 of it in lower-case hex; "": unknown */
};

/* Through a WebSocket too, and of a resumed session the one shown when it began. Where a proxy
 * is believed (net/entrance.h), what it says, which is a common name, and not its own.
 * -ENOENT: there is none, or it was not asked for; -ENOMEM. */
int net_stream_certificate(const struct net_stream *stream, struct net_certificate **ret);
struct net_certificate *net_certificate_free(struct net_certificate *certificate);
DEFINE_CLEANUP(net_certificate)
