/* broker/certificate.h - what a listener shows, and asks for, under TLS. */
#pragma once

#include "base/log.h"
#include "broker/config.h"
#include "net/tls.h"

/* Makes *tls what the listener says, for handshakes that begin later: new, read again, or NULL for
 * a plain one. -EINVAL with a sentence; -ENOMEM: it stays as it is. */
int broker_certificate_load(const struct broker_listener *listener, struct net_tls **tls,
                            struct error *error);
/* Logs that it is not valid now. `tls` may be NULL. */
void broker_certificate_warn(const struct net_tls *tls, const struct broker_listener *listener,
                             const char *name, struct log *log);
