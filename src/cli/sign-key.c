#include "cli/sign-key.h"

#include "base/cleanup.h"
#include "base/write-all.h"
#include "cli/input-file.h"
#include "cli/secret-input.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int parse(const char *path, const struct buffer *text, struct minisign_secret *ret,
                 struct error *error)
{
        char password[SECRET_INPUT_MAX + 1];
        bool locked;
        int r;

        r = minisign_secret_is_locked(buffer_data(text), buffer_length(text), &locked, error);
        if (r == 0 && locked)
                r = secret_input_read("Password of the signing key: ", password, error);
        if (r == 0)
                r = minisign_secret_parse(buffer_data(text), buffer_length(text),
                                          locked ? password : NULL, ret, error);
        explicit_bzero(password, sizeof(password));
        return r < 0 ? error_prefix(error, "%s: ", path) : 0;
}

int sign_key_read(const char *path, struct minisign_secret *ret, struct error *error)
{
        struct buffer text;
        int r;

        buffer_init(&text, MINISIGN_TEXT_MAX + INPUT_FILE_STEP);
        r = input_file_read(path, MINISIGN_TEXT_MAX, &text);
        if (r < 0)
                error_set(error, r, "the signing key %s cannot be read: %s%s", path, strerror(-r),
                          r == -ENOENT ? " (make one: pifleet sign --make-key FILE)" : "");
        else
                r = parse(path, &text, ret, error);
        if (buffer_length(&text) > 0)
                explicit_bzero(buffer_data(&text), buffer_length(&text));
        buffer_done(&text);
        return r;
}

static int ask_password(char password[SECRET_INPUT_MAX + 1], struct error *error)
{
        char again[SECRET_INPUT_MAX + 1];
        int r = secret_input_read("Password for the new signing key: ", password, error);

        if (r < 0 || !secret_input_is_typed())
                return r;
        r = secret_input_read("The same again: ", again, error);
        if (r == 0 && strcmp(password, again) != 0)
                r = error_set(error, -EINVAL, "the two are not the same; no key was made");
        explicit_bzero(again, sizeof(again));
        return r;
}

/* A file that is there stays as it is. */
static int write_new(const char *path, mode_t mode, const struct buffer *text, struct error *error)
{
        AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        int r;

        if (fd < 0)
                return error_set(error, -errno, "%s cannot be made: %s", path, strerror(errno));
        r = write_all(fd, buffer_data(text), buffer_length(text));
        if (r == 0 && fsync(fd) < 0)
                r = -errno;
        if (r < 0) {
                error_set(error, r, "%s cannot be written: %s", path, strerror(-r));
                (void)unlink(path);
        }
        return r;
}

static int write_secret(const char *path, const struct minisign_secret *secret,
                        const char *password, struct error *error)
{
        struct buffer text;
        int r;

        buffer_init(&text, MINISIGN_TEXT_MAX);
        r = minisign_secret_write(secret, password, &text);
        if (r < 0)
                error_set(error, r, "the key cannot be locked: %s", strerror(-r));
        else
                r = write_new(path, 0600, &text, error);
        if (buffer_length(&text) > 0)
                explicit_bzero(buffer_data(&text), buffer_length(&text));
        buffer_done(&text);
        return r;
}

static int write_public(const char *path, const struct minisign_key *key, struct error *error)
{
        char id[MINISIGN_ID_TEXT_SIZE], line[MINISIGN_KEY_TEXT_SIZE];
        struct buffer text;
        int r;

        minisign_id_text(key->id, id);
        minisign_key_text(key, line);
        buffer_init(&text, MINISIGN_TEXT_MAX);
        r = buffer_printf(&text, "untrusted comment: pifleet public key %s\n%s\n", id, line);
        r = r < 0 ? error_set(error, r, "out of memory") : write_new(path, 0644, &text, error);
        buffer_done(&text);
        return r;
}

int sign_key_make(const char *path, bool unlocked, struct minisign_key *ret, struct error *error)
{
        char password[SECRET_INPUT_MAX + 1];
        char public_path[PATH_MAX];
        struct minisign_secret secret;
        int r = 0;

        if (snprintf(public_path, sizeof(public_path), "%s.pub", path) >= (int)sizeof(public_path))
                return error_set(error, -ENAMETOOLONG, "that is too long for a file's name");
        if (access(path, F_OK) == 0 || access(public_path, F_OK) == 0)
                return error_set(error, -EEXIST,
                                 "%s or %s.pub is there already, and a key is never replaced: "
                                 "choose another name",
                                 path, path);
        if (!unlocked)
                r = ask_password(password, error);
        if (r == 0 && minisign_secret_make(&secret, ret) < 0)
                r = error_set(error, -EIO, "this machine has no randomness to make a key of");
        if (r == 0)
                r = write_public(public_path, ret, error);
        if (r == 0) {
                r = write_secret(path, &secret, unlocked ? NULL : password, error);
                if (r < 0)
                        (void)unlink(public_path);
        }
        explicit_bzero(password, sizeof(password));
        minisign_secret_wipe(&secret);
        return r;
}
