/* net/tls-internal.h - a TLS context as the streams need it. For this room. */
#pragma once

#include "net/tls.h"

#include <openssl/ssl.h>

struct net_tls {
        SSL_CTX *context;
        bool verify; /* clients: the server's certificate and name */
};

/* What went wrong first in OpenSSL, in words without its codes; clears its queue. */
const char *net_tls_error_text(char *text, size_t size);
