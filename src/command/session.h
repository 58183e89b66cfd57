/* command/session.h - one caller's conversation, as the registry sees it.
 *
 * A transport embeds one per connection (or per MQTT client). Commands may
 * change who it is (`auth`) and later rooms key what it holds (leases) by `id`. */
#pragma once

#include "command/principal.h"

enum { COMMAND_ORIGIN_MAX = 128 };

struct command_session {
        uint64_t id;           /* never reused while the process lives; not 0 */
        const char *transport; /* "tcp", "tls", "unix", ...; static */
        const char *origin;    /* peer's address as text; lives as long as the session */
        uint64_t origin_key;   /* what failed attempts are counted by */
        struct command_principal principal;
        /* Requests under way that may change the principal. While there are any, a
         * transport presents no further request of this session: who it is from is
         * not known yet. */
        unsigned authenticating;
};
