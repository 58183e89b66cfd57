/* net/test-tls-caller.h - for the tests of sessions and of storms: a client that is OpenSSL
 * itself, and remembers the last ticket. */
#pragma once

#include "net/test-tls-authority.h"

#include <fcntl.h>
#include <openssl/ssl.h>
#include <poll.h>

struct caller {
        struct hall *hall;
        SSL_CTX *context;
        SSL *session; /* of the last call */
        SSL_SESSION *ticket;
};

static inline void caller_keep(struct caller *caller, SSL_SESSION *ticket)
{
        SSL_SESSION_up_ref(ticket);
        SSL_SESSION_free(caller->ticket);
        caller->ticket = ticket;
}

static inline int caller_on_ticket(SSL *session, SSL_SESSION *ticket)
{
        struct caller *caller = SSL_get_app_data(session);

        caller_keep(caller, ticket);
        return 0;
}

static inline void caller_init(struct caller *caller, struct hall *hall, int version)
{
        SSL_CTX *context = SSL_CTX_new(TLS_client_method());

        CHECK(context != NULL);
        *caller = (struct caller){.hall = hall, .context = context};
        CHECK_EQ(SSL_CTX_set_max_proto_version(context, version), 1);
        if (hall->client.certificate) {
                CHECK_EQ(SSL_CTX_use_certificate_chain_file(context, hall->client.certificate), 1);
                CHECK_EQ(SSL_CTX_use_PrivateKey_file(context, hall->client.key, SSL_FILETYPE_PEM),
                         1);
        }
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(context, caller_on_ticket);
        CHECK_EQ(net_tls_reload(hall->f.server_tls, &hall->server, NULL) >= 0, 1);
}

static inline void caller_hang_up(struct caller *caller)
{
        if (!caller->session)
                return;
        SSL_set_shutdown(caller->session, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(TAKE(caller->session));
}

/* Another connection; the handshake is the caller's to drive. */
static inline SSL *caller_dial(struct caller *caller)
{
        struct fixture *f = &caller->hall->f;

        caller_hang_up(caller);
        fixture_again(f);
        fixture_serve(f);
        CHECK_EQ(fcntl(f->fds[1], F_SETFL, O_NONBLOCK), 0);
        caller->session = SSL_new(caller->context);
        CHECK(caller->session != NULL);
        SSL_set_app_data(caller->session, caller);
        CHECK_EQ(SSL_set_fd(caller->session, f->fds[1]), 1);
        SSL_set_connect_state(caller->session);
        if (caller->ticket) {
                /* One that was used once is not used again. */
                SSL_SESSION *copy = SSL_SESSION_dup(caller->ticket);

                CHECK_EQ(SSL_set_session(caller->session, copy), 1);
                SSL_SESSION_free(copy);
        }
        return caller->session;
}

/* A connection with the ticket that there is, until "hello" has arrived; 0, or how the server
 * ended it. */
static inline int caller_call(struct caller *caller)
{
        struct fixture *f = &caller->hall->f;
        SSL *session = caller_dial(caller);
        bool said = false;
        char byte;

        for (unsigned i = 0; i < 20 && f->server.closings == 0; i++) {
                if (!said)
                        said = SSL_write(session, "hello", 5) == 5;
                else
                        (void)SSL_read(session, &byte, 1);
                fixture_rounds(f, 1);
        }
        if (f->server.closings == 0)
                CHECK_TEXT(f->server.seen, "hello");
        /* A renewed ticket of TLS 1.2 comes without a call. */
        if (f->server.closings == 0 && SSL_version(session) == TLS1_2_VERSION)
                caller_keep(caller, SSL_get0_session(session));
        return f->server.reason;
}

static inline void caller_done(struct caller *caller)
{
        caller_hang_up(caller);
        SSL_SESSION_free(caller->ticket);
        SSL_CTX_free(caller->context);
}
