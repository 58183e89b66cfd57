#include "net/tls-tickets.h"

#include "base/clock.h"
#include "net/tls-edition.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

#define KEY_NS (TLS_TICKET_SECONDS * UINT64_C(1000000000))

static int make_key(struct tls_ticket_key *key)
{
        key->present = RAND_bytes(key->name, sizeof(key->name)) == 1 &&
                       RAND_priv_bytes(key->cipher, sizeof(key->cipher)) == 1 &&
                       RAND_priv_bytes(key->mac, sizeof(key->mac)) == 1;
        return key->present ? 0 : -EIO;
}

static void forget_key(struct tls_ticket_key *key)
{
        OPENSSL_cleanse(key, sizeof(*key));
}

/* Keys grow old when somebody comes, not by themselves: without tickets there is nothing that
 * they could open. */
static void rotate(struct tls_tickets *tickets)
{
        const uint64_t now = tickets->clock_ns();
        const uint64_t age = now - tickets->since_ns;

        if (age < KEY_NS)
                return;
        forget_key(&tickets->previous);
        if (age < 2 * KEY_NS)
                tickets->previous = tickets->current;
        forget_key(&tickets->current);
        tickets->since_ns = now;
        (void)make_key(&tickets->current); /* without one, no tickets until the next */
}

static bool set_keys(const struct tls_ticket_key *key, const unsigned char *iv,
                     EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int encrypt)
{
        char digest[] = "SHA256";
        const OSSL_PARAM parameters[] = {
                OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)key->mac,
                                                  sizeof(key->mac)),
                OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                OSSL_PARAM_construct_end(),
        };

        return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv, encrypt) == 1 &&
               EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

/* As SSL_CTX_set_tlsext_ticket_key_evp_cb(3) has it: 0: no ticket, 1: that key, 2: that key,
 * and a new ticket. */
static int on_key(SSL *session, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                  EVP_MAC_CTX *mac, int encrypt)
{
        struct tls_edition *edition = tls_edition_of(session);
        struct tls_tickets *tickets = &edition->tickets;
        const struct tls_ticket_key *key = &tickets->current;

        rotate(tickets);
        if (encrypt) {
                if (!key->present ||
                    RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1)
                        return 0;
                memcpy(name, key->name, sizeof(key->name));
                return set_keys(key, iv, cipher, mac, 1) ? 1 : -1;
        }
        if (!key->present || memcmp(name, key->name, sizeof(key->name)) != 0)
                key = &tickets->previous;
        if (!key->present || memcmp(name, key->name, sizeof(key->name)) != 0)
                return 0;
        if (!set_keys(key, iv, cipher, mac, 0))
                return -1;
        /* A ticket of TLS 1.3 is for one connection, so that nobody can tell that two are of the
         * same client (RFC 8446, C.4). */
        return key == &tickets->current && SSL_version(session) < TLS1_3_VERSION ? 1 : 2;
}

static bool still_valid(SSL_SESSION *resumed)
{
        const X509 *certificate = SSL_SESSION_get0_peer(resumed);

        return !certificate || X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0;
}

/* A certificate is not verified again when its session is resumed; so at least it must not have
 * expired since. What else may have changed comes with another edition. */
static SSL_TICKET_RETURN on_opened(SSL *session, SSL_SESSION *resumed, const unsigned char *name,
                                   size_t name_length, SSL_TICKET_STATUS status, void *unused)
{
        (void)session;
        (void)name;
        (void)name_length;
        (void)unused;
        if (status == SSL_TICKET_SUCCESS && still_valid(resumed))
                return SSL_TICKET_RETURN_USE;
        if (status == SSL_TICKET_SUCCESS_RENEW && still_valid(resumed))
                return SSL_TICKET_RETURN_USE_RENEW;
        return SSL_TICKET_RETURN_IGNORE_RENEW;
}

static int on_made(SSL *session, void *unused)
{
        (void)session;
        (void)unused;
        return 1;
}

int tls_tickets_init(struct tls_tickets *tickets, SSL_CTX *context)
{
        static const unsigned char ours[] = "pifleet";

        *tickets = (struct tls_tickets){.clock_ns = clock_boottime_ns};
        tickets->since_ns = tickets->clock_ns();
        if (make_key(&tickets->current) < 0 ||
            SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_key) != 1 ||
            SSL_CTX_set_session_ticket_cb(context, on_made, on_opened, NULL) != 1 ||
            SSL_CTX_set_session_id_context(context, ours, sizeof(ours) - 1) != 1)
                return -ENOMEM;
        SSL_CTX_set_timeout(context, TLS_TICKET_SECONDS);
        SSL_CTX_set_num_tickets(context, 1);
        return 0;
}

void tls_tickets_done(struct tls_tickets *tickets)
{
        forget_key(&tickets->current);
        forget_key(&tickets->previous);
}
