#include "proto/minisign-text.h"
#include "proto/minisign.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#define UNTRUSTED "untrusted comment: "

enum {
        SALT_SIZE = crypto_pwhash_scryptsalsa208sha256_SALTBYTES,
        CHECKSUM_SIZE = 32,
        /* Costs we lock with; what a stranger's file may ask of this machine. */
        OPERATIONS = 1 << 25,
        MEMORY = 256 << 20,
        OPERATIONS_MAX = 1 << 26,
        MEMORY_MAX = 1 << 30,
};

static const uint8_t signature_algorithm[2] = "Ed";
static const uint8_t locked_by_scrypt[2] = "Sc";
static const uint8_t not_locked[2] = {0, 0};
static const uint8_t checksum_algorithm[2] = "B2";

/* A key file's second line, decoded. `locked` is what the password hides. */
struct record {
        uint8_t signature[2], lock[2], checksum[2];
        uint8_t salt[SALT_SIZE];
        uint8_t operations[8], memory[8]; /* little-endian */
        struct {
                uint8_t id[MINISIGN_ID_SIZE];
                uint8_t bytes[crypto_sign_SECRETKEYBYTES];
                uint8_t checksum[CHECKSUM_SIZE];
        } locked;
};

_Static_assert(sizeof(struct record) == 158, "bytes only, without padding");

static uint64_t number_of(const uint8_t bytes[8])
{
        uint64_t number = 0;

        for (size_t i = 8; i-- > 0;)
                number = number << 8 | bytes[i];
        return number;
}

static void put_number(uint64_t number, uint8_t ret[8])
{
        for (size_t i = 0; i < 8; i++, number >>= 8)
                ret[i] = (uint8_t)number;
}

static void checksum_of(const struct record *record, uint8_t ret[CHECKSUM_SIZE])
{
        crypto_generichash_state state;

        crypto_generichash_init(&state, NULL, 0, CHECKSUM_SIZE);
        crypto_generichash_update(&state, record->signature, sizeof(record->signature));
        crypto_generichash_update(&state, record->locked.id, sizeof(record->locked.id));
        crypto_generichash_update(&state, record->locked.bytes, sizeof(record->locked.bytes));
        crypto_generichash_final(&state, ret, CHECKSUM_SIZE);
        sodium_memzero(&state, sizeof(state));
}

/* Locks and unlocks: the same operation. */
static int turn_lock(struct record *record, const char *password)
{
        uint8_t stream[sizeof(record->locked)];
        uint8_t *bytes = (uint8_t *)&record->locked;

        if (crypto_pwhash_scryptsalsa208sha256(stream, sizeof(stream), password, strlen(password),
                                               record->salt, number_of(record->operations),
                                               (size_t)number_of(record->memory)) != 0)
                return -ENOMEM;
        for (size_t i = 0; i < sizeof(stream); i++)
                bytes[i] ^= stream[i];
        sodium_memzero(stream, sizeof(stream));
        return 0;
}

static int parse(const char *text, size_t length, struct record *ret, struct error *error)
{
        struct minisign_lines lines = {text, length};
        struct minisign_line line;

        if (length > MINISIGN_TEXT_MAX || !minisign_line_next(&lines, &line) ||
            !minisign_line_drop(&line, UNTRUSTED) || !minisign_line_next(&lines, &line) ||
            minisign_line_decode(&line, (uint8_t *)ret, sizeof(*ret)) < 0 ||
            memcmp(ret->signature, signature_algorithm, 2) != 0 ||
            memcmp(ret->checksum, checksum_algorithm, 2) != 0 ||
            (memcmp(ret->lock, locked_by_scrypt, 2) != 0 && memcmp(ret->lock, not_locked, 2) != 0))
                return error_set(error, -EBADMSG,
                                 "this is no secret key of minisign: an \"untrusted comment: \" "
                                 "and a line of base64");
        return 0;
}

static bool is_locked(const struct record *record)
{
        return memcmp(record->lock, locked_by_scrypt, 2) == 0;
}

int minisign_secret_is_locked(const char *text, size_t length, bool *ret, struct error *error)
{
        struct record record;
        int r = parse(text, length, &record, error);

        if (r == 0)
                *ret = is_locked(&record);
        sodium_memzero(&record, sizeof(record));
        return r;
}

static int unlock(struct record *record, const char *password, struct error *error)
{
        int r;

        if (!is_locked(record))
                return 0;
        if (!password)
                return error_set(error, -EACCES, "this secret key is locked by a password");
        if (number_of(record->operations) > OPERATIONS_MAX ||
            number_of(record->memory) > MEMORY_MAX)
                return error_set(error, -EBADMSG,
                                 "this secret key asks for more than 1 GiB to be unlocked");
        r = turn_lock(record, password);
        return r < 0 ? error_set(error, r,
                                 "unlocking this secret key takes %llu MiB of memory, which this "
                                 "machine does not give",
                                 (unsigned long long)(number_of(record->memory) >> 20))
                     : 0;
}

/* Do seed and public key belong together? */
static bool is_pair(const uint8_t bytes[crypto_sign_SECRETKEYBYTES])
{
        uint8_t public[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
        bool same;

        crypto_sign_seed_keypair(public, secret, bytes);
        same = sodium_memcmp(secret, bytes, sizeof(secret)) == 0;
        sodium_memzero(secret, sizeof(secret));
        return same;
}

/* A key without a lock comes without a checksum. */
static int open_record(struct record *record, const char *password, struct error *error)
{
        uint8_t checksum[CHECKSUM_SIZE];
        bool locked = is_locked(record);
        int r = unlock(record, password, error);

        if (r < 0)
                return r;
        checksum_of(record, checksum);
        if (locked && sodium_memcmp(checksum, record->locked.checksum, sizeof(checksum)) != 0)
                return error_set(error, -EACCES, "this is not the secret key's password");
        return is_pair(record->locked.bytes)
                       ? 0
                       : error_set(error, -EBADMSG, "this secret key is damaged");
}

int minisign_secret_parse(const char *text, size_t length, const char *password,
                          struct minisign_secret *ret, struct error *error)
{
        struct record record;
        int r;

        r = parse(text, length, &record, error);
        if (r == 0)
                r = open_record(&record, password, error);
        if (r == 0) {
                memcpy(ret->id, record.locked.id, sizeof(ret->id));
                memcpy(ret->bytes, record.locked.bytes, sizeof(ret->bytes));
        }
        sodium_memzero(&record, sizeof(record));
        return r;
}

static int lock(struct record *record, const char *password)
{
        memcpy(record->lock, locked_by_scrypt, sizeof(record->lock));
        randombytes_buf(record->salt, sizeof(record->salt));
        put_number(OPERATIONS, record->operations);
        put_number(MEMORY, record->memory);
        return turn_lock(record, password);
}

int minisign_secret_write(const struct minisign_secret *secret, const char *password,
                          struct buffer *out)
{
        char id[MINISIGN_ID_TEXT_SIZE];
        struct record record = {0};
        int r;

        if (sodium_init() < 0)
                return -EIO;
        memcpy(record.signature, signature_algorithm, sizeof(record.signature));
        memcpy(record.checksum, checksum_algorithm, sizeof(record.checksum));
        memcpy(record.locked.id, secret->id, sizeof(secret->id));
        memcpy(record.locked.bytes, secret->bytes, sizeof(secret->bytes));
        if (password)
                checksum_of(&record, record.locked.checksum);
        r = password ? lock(&record, password) : 0;
        minisign_id_text(secret->id, id);
        if (r == 0)
                r = buffer_printf(out, UNTRUSTED "pifleet %s secret key %s\n",
                                  password ? "encrypted" : "unencrypted", id);
        if (r == 0)
                r = minisign_line_encode((const uint8_t *)&record, sizeof(record), out);
        sodium_memzero(&record, sizeof(record));
        return r;
}

int minisign_secret_make(struct minisign_secret *secret, struct minisign_key *key)
{
        if (sodium_init() < 0)
                return -EIO;
        randombytes_buf(secret->id, sizeof(secret->id));
        crypto_sign_keypair(key->bytes, secret->bytes);
        memcpy(key->id, secret->id, sizeof(key->id));
        return 0;
}

void minisign_secret_key(const struct minisign_secret *secret, struct minisign_key *ret)
{
        memcpy(ret->id, secret->id, sizeof(ret->id));
        memcpy(ret->bytes, secret->bytes + sizeof(secret->bytes) - sizeof(ret->bytes),
               sizeof(ret->bytes));
}

void minisign_secret_wipe(struct minisign_secret *secret)
{
        sodium_memzero(secret, sizeof(*secret));
}
