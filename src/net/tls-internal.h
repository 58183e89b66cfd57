/* net/tls-internal.h - TLS as the streams need it. For this room. */
#pragma once

#include "net/tls-edition.h"
#include "net/tls.h"

struct net_tls {
        enum net_tls_role role;
        struct net_tls_options options; /* a copy of our own */
        struct tls_edition *edition;    /* for handshakes that begin now */
};

/* What went wrong first in OpenSSL, in words without its codes; clears its queue. */
const char *net_tls_error_text(char *text, size_t size);
