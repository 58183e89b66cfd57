#include "net/identity-fixture.h"

#include "support/test.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <unistd.h>

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

void identity_make(struct identity *identity, const char *directory, const char *label,
                   const char *names, long seconds, const char *passphrase)
{
        EVP_PKEY *key = EVP_EC_gen("P-256");
        X509 *certificate = X509_new();
        X509_NAME *name;

        CHECK(key != NULL && certificate != NULL);
        snprintf(identity->certificate, sizeof(identity->certificate), "%s/%s.crt", directory,
                 label);
        snprintf(identity->key, sizeof(identity->key), "%s/%s.key", directory, label);
        X509_set_version(certificate, X509_VERSION_3);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
        X509_gmtime_adj(X509_getm_notBefore(certificate), -86400);
        X509_gmtime_adj(X509_getm_notAfter(certificate), seconds);
        name = X509_get_subject_name(certificate);
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)label, -1, -1,
                                   0);
        X509_set_issuer_name(certificate, name);
        add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
        add_extension(certificate, NID_subject_alt_name, names);
        X509_set_pubkey(certificate, key);
        CHECK(X509_sign(certificate, key, EVP_sha256()) > 0);
        write_pem(identity->certificate, certificate, NULL, NULL);
        write_pem(identity->key, NULL, key, passphrase);
        X509_free(certificate);
        EVP_PKEY_free(key);
}

void identity_done(struct identity *identity)
{
        unlink(identity->certificate);
        unlink(identity->key);
}
