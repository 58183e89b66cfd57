/* net/tls-tickets.h - the keys of a server's session tickets. For this room.
 *
 * A ticket is a session that the client keeps for us, encrypted (RFC 5077, 4; RFC 8446, 4.6.1).
 * Whoever has the key of a ticket of TLS 1.2 can read what was said in its session: so each key
 * makes tickets for an hour, opens them for another, and is forgotten. */
#pragma once

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

enum {
        TLS_TICKET_SECONDS = 3600,
        TLS_TICKET_NAME_SIZE = 16,
        TLS_TICKET_KEY_SIZE = 32,
};

struct tls_ticket_key {
        bool present;
        unsigned char name[TLS_TICKET_NAME_SIZE];
        unsigned char cipher[TLS_TICKET_KEY_SIZE], mac[TLS_TICKET_KEY_SIZE];
};

struct tls_tickets {
        struct tls_ticket_key current, previous;
        uint64_t since_ns; /* when the current one was made */
        uint64_t (*clock_ns)(void);
};

/* Sessions of this context are resumed by tickets; `tickets` stays where it is as long as any
 * session of the context. -ENOMEM. */
int tls_tickets_init(struct tls_tickets *tickets, SSL_CTX *context);
void tls_tickets_done(struct tls_tickets *tickets);
