#include "net/identity-fixture.h"

#include "support/test.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <unistd.h>

enum { BEFORE_SECONDS = 86400 };

static void add_extension(X509 *certificate, int kind, const char *value)
{
        X509V3_CTX context;
        X509_EXTENSION *extension;

        X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
        extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
        CHECK(extension != NULL);
        CHECK_EQ(X509_add_ext(certificate, extension, -1), 1);
        X509_EXTENSION_free(extension);
}

static void write_pem(const char *path, X509 *certificate, EVP_PKEY *key, const char *passphrase)
{
        FILE *file = fopen(path, "w");

        CHECK(file != NULL);
        if (certificate)
                CHECK_EQ(PEM_write_X509(file, certificate), 1);
        if (key)
                CHECK_EQ(PEM_write_PrivateKey(file, key, passphrase ? EVP_aes_128_cbc() : NULL,
                                              (const unsigned char *)passphrase,
                                              passphrase ? (int)strlen(passphrase) : 0, NULL, NULL),
                         1);
        fclose(file);
}

static X509 *read_certificate(const struct identity *identity)
{
        FILE *file = fopen(identity->certificate, "r");
        X509 *certificate;

        CHECK(file != NULL);
        certificate = PEM_read_X509(file, NULL, NULL, NULL);
        CHECK(certificate != NULL);
        fclose(file);
        return certificate;
}

static EVP_PKEY *read_key(const struct identity *identity)
{
        FILE *file = fopen(identity->key, "r");
        EVP_PKEY *key;

        CHECK(file != NULL);
        key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
        CHECK(key != NULL);
        fclose(file);
        return key;
}

static void set_subject(X509_NAME *name, const struct identity_request *request)
{
        char text[512], *rest = text, *part;

        if (request->subject)
                snprintf(text, sizeof(text), "%s", request->subject);
        else
                snprintf(text, sizeof(text), "CN=%s", request->label);
        while ((part = strsep(&rest, ",")) != NULL) {
                char *value = strchr(part, '=');

                CHECK(value != NULL);
                *value++ = '\0';
                CHECK_EQ(X509_NAME_add_entry_by_txt(name, part, MBSTRING_UTF8,
                                                    (const unsigned char *)value, -1, -1, 0),
                         1);
        }
}

static void sign(X509 *certificate, EVP_PKEY *key, const struct identity *issuer)
{
        X509 *authority;
        EVP_PKEY *signing;

        if (!issuer) {
                X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
                CHECK(X509_sign(certificate, key, EVP_sha256()) > 0);
                return;
        }
        authority = read_certificate(issuer);
        signing = read_key(issuer);
        X509_set_issuer_name(certificate, X509_get_subject_name(authority));
        CHECK(X509_sign(certificate, signing, EVP_sha256()) > 0);
        EVP_PKEY_free(signing);
        X509_free(authority);
}

void identity_make_as(struct identity *identity, const char *directory,
                      const struct identity_request *request)
{
        EVP_PKEY *key = EVP_EC_gen("P-256");
        X509 *certificate = X509_new();

        CHECK(key != NULL && certificate != NULL);
        snprintf(identity->certificate, sizeof(identity->certificate), "%s/%s.crt", directory,
                 request->label);
        snprintf(identity->key, sizeof(identity->key), "%s/%s.key", directory, request->label);
        X509_set_version(certificate, X509_VERSION_3);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), request->serial ? request->serial : 1);
        X509_gmtime_adj(X509_getm_notBefore(certificate), request->from);
        X509_gmtime_adj(X509_getm_notAfter(certificate), request->until);
        set_subject(X509_get_subject_name(certificate), request);
        add_extension(certificate, NID_basic_constraints,
                      request->issuer ? "critical,CA:FALSE" : "critical,CA:TRUE");
        if (request->names)
                add_extension(certificate, NID_subject_alt_name, request->names);
        if (request->purpose)
                add_extension(certificate, NID_ext_key_usage, request->purpose);
        X509_set_pubkey(certificate, key);
        sign(certificate, key, request->issuer);
        write_pem(identity->certificate, certificate, NULL, NULL);
        write_pem(identity->key, NULL, key, request->passphrase);
        X509_free(certificate);
        EVP_PKEY_free(key);
}

void identity_make(struct identity *identity, const char *directory, const char *label,
                   const char *names, long seconds, const char *passphrase)
{
        const struct identity_request request = {.label = label,
                                                 .names = names,
                                                 .from = -BEFORE_SECONDS,
                                                 .until = seconds,
                                                 .passphrase = passphrase};

        identity_make_as(identity, directory, &request);
}

void identity_done(struct identity *identity)
{
        unlink(identity->certificate);
        unlink(identity->key);
}

static void add_revoked(X509_CRL *list, unsigned serial)
{
        X509_REVOKED *entry = X509_REVOKED_new();
        ASN1_INTEGER *number = ASN1_INTEGER_new();
        ASN1_TIME *since = X509_gmtime_adj(NULL, -60);

        CHECK(entry != NULL && number != NULL && since != NULL);
        ASN1_INTEGER_set(number, serial);
        CHECK_EQ(X509_REVOKED_set_serialNumber(entry, number), 1);
        CHECK_EQ(X509_REVOKED_set_revocationDate(entry, since), 1);
        CHECK_EQ(X509_CRL_add0_revoked(list, entry), 1);
        ASN1_INTEGER_free(number);
        ASN1_TIME_free(since);
}

void identity_revoke(const struct identity *issuer, const char *path, const unsigned *serials,
                     size_t count, long seconds)
{
        X509 *authority = read_certificate(issuer);
        EVP_PKEY *key = read_key(issuer);
        X509_CRL *list = X509_CRL_new();
        ASN1_TIME *time = X509_gmtime_adj(NULL, -BEFORE_SECONDS);
        FILE *file = fopen(path, "w");

        CHECK(list != NULL && time != NULL && file != NULL);
        X509_CRL_set_version(list, X509_CRL_VERSION_2);
        X509_CRL_set_issuer_name(list, X509_get_subject_name(authority));
        X509_CRL_set1_lastUpdate(list, time);
        X509_gmtime_adj(time, seconds);
        X509_CRL_set1_nextUpdate(list, time);
        for (size_t i = 0; i < count; i++)
                add_revoked(list, serials[i]);
        CHECK(X509_CRL_sign(list, key, EVP_sha256()) > 0);
        CHECK_EQ(PEM_write_X509_CRL(file, list), 1);
        fclose(file);
        ASN1_TIME_free(time);
        X509_CRL_free(list);
        EVP_PKEY_free(key);
        X509_free(authority);
}
