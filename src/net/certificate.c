#include "net/certificate.h"

#include "base/text-copy.h"
#include "net/stream-internal.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

/* A text with a NUL inside would end there for whoever compares it. */
static int take_text(const unsigned char *bytes, int length, char **ret)
{
        if (length <= 0 || memchr(bytes, '\0', (size_t)length))
                return 0;
        *ret = text_copy((const char *)bytes, (size_t)length);
        return *ret ? 0 : -ENOMEM;
}

static int read_common_name(const X509_NAME *subject, char **ret)
{
        const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
        unsigned char *text = NULL;
        int length, r;

        if (at < 0)
                return 0;
        length = ASN1_STRING_to_UTF8(&text,
                                     X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
        if (length < 0)
                return 0;
        r = take_text(text, length, ret);
        OPENSSL_free(text);
        return r;
}

static int read_subject(const X509_NAME *subject, char **ret)
{
        BIO *memory = BIO_new(BIO_s_mem());
        char *text = NULL;
        long length;
        int r = -ENOMEM;

        if (memory && X509_NAME_print_ex(memory, subject, 0, XN_FLAG_RFC2253) >= 0) {
                length = BIO_get_mem_data(memory, &text);
                r = take_text((const unsigned char *)text, (int)length, ret);
        }
        BIO_free(memory);
        return r;
}

static int read_alternative(const GENERAL_NAME *name, struct net_certificate *certificate)
{
        char **text = name->type == GEN_DNS   ? &certificate->dns
                      : name->type == GEN_URI ? &certificate->uri
                                              : NULL;

        if (!text || *text)
                return 0;
        return take_text(ASN1_STRING_get0_data(name->d.ia5), ASN1_STRING_length(name->d.ia5), text);
}

static int read_alternatives(const X509 *x509, struct net_certificate *certificate)
{
        GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
        int r = 0;

        for (int i = 0; i < sk_GENERAL_NAME_num(names) && r == 0; i++)
                r = read_alternative(sk_GENERAL_NAME_value(names, i), certificate);
        GENERAL_NAMES_free(names);
        return r;
}

static int read_fingerprint(const X509 *x509, char text[NET_FINGERPRINT_SIZE])
{
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned length;

        if (X509_digest(x509, EVP_sha256(), digest, &length) != 1)
                return -ENOMEM;
        for (unsigned i = 0; i < length; i++)
                snprintf(text + 2 * (size_t)i, 3, "%02x", digest[i]);
        return 0;
}

static int read_certificate(const X509 *x509, struct net_certificate **ret)
{
        AUTO(net_certificate) struct net_certificate *certificate = calloc(1, sizeof(*certificate));
        const X509_NAME *subject = X509_get_subject_name(x509);
        int r = certificate ? 0 : -ENOMEM;

        if (r == 0)
                r = read_common_name(subject, &certificate->common_name);
        if (r == 0)
                r = read_subject(subject, &certificate->subject);
        if (r == 0)
                r = read_alternatives(x509, certificate);
        if (r == 0)
                r = read_fingerprint(x509, certificate->fingerprint);
        if (r == 0)
                *ret = TAKE(certificate);
        ERR_clear_error();
        return r;
}

static int repeat_vouched(const struct net_certificate *vouched, struct net_certificate **ret)
{
        AUTO(net_certificate) struct net_certificate *certificate = NULL;

        if (!vouched->common_name)
                return -ENOENT;
        certificate = calloc(1, sizeof(*certificate));
        if (!certificate)
                return -ENOMEM;
        certificate->common_name = strdup(vouched->common_name);
        if (!certificate->common_name)
                return -ENOMEM;
        *ret = TAKE(certificate);
        return 0;
}

/* A certificate of the peer that nobody verified says nothing. */
int net_stream_certificate(const struct net_stream *stream, struct net_certificate **ret)
{
        const SSL *session = stream->state == STREAM_CLOSED
                                     ? NULL
                                     : stream->transport.type->tls(&stream->transport);
        const X509 *x509 = session ? SSL_get0_peer_certificate(session) : NULL;

        if (stream->vouched)
                return repeat_vouched(stream->vouched, ret);
        if (!x509 || !(SSL_get_verify_mode(session) & SSL_VERIFY_PEER) ||
            SSL_get_verify_result(session) != X509_V_OK)
                return -ENOENT;
        return read_certificate(x509, ret);
}

struct net_certificate *net_certificate_free(struct net_certificate *certificate)
{
        if (!certificate)
                return NULL;
        free(certificate->common_name);
        free(certificate->subject);
        free(certificate->dns);
        free(certificate->uri);
        free(certificate);
        return NULL;
}
