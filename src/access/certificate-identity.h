/* access/certificate-identity.h - who a client is by its certificate.
 *
 * The certificate was verified when the connection was made; here a name is read off it. */
#pragma once

#include "proto/mqtt/packet.h"

/* What of a certificate names its holder. */
enum certificate_identity {
        CERTIFICATE_IDENTITY_NONE, /* certificates say nothing about names */
        CERTIFICATE_IDENTITY_COMMON_NAME,
        CERTIFICATE_IDENTITY_SUBJECT, /* all of it, as RFC 2253 writes it: "CN=ann,O=Home" */
        CERTIFICATE_IDENTITY_URI,     /* the first URI among its alternative names */
};

/* Empty or NULL: the certificate has none. */
struct certificate_facts {
        const char *common_name;
        const char *subject;
        const char *uri;
};

/* 0; -ENOENT: it has no such name, or one that cannot be one: not UTF-8, over 65,535 bytes. What
 * *ret points to is `facts`'. */
int certificate_identity_name(enum certificate_identity identity,
                              const struct certificate_facts *facts, struct mqtt_text *ret);
