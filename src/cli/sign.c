/* `pifleet sign`: signs code, so that a device can know that it is yours. */
#include "base/attributes.h"
#include "base/cleanup.h"
#include "base/durable.h"
#include "cli/console.h"
#include "cli/input-file.h"
#include "cli/sign-key.h"
#include "cli/subcommand.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SIGN_FILE_MAX = 16 << 20 };

struct sign_options {
        const char *key, *make_key, *comment;
        bool unlocked;
};

static const struct options_entry entries[] = {
        {.name = "key",
         .type = OPTIONS_TEXT,
         .offset = offsetof(struct sign_options, key),
         .value = "FILE",
         .help = "the secret key ($PIFLEET_SIGN_KEY, else ~/.minisign/minisign.key)"},
        {.name = "comment",
         .type = OPTIONS_TEXT,
         .offset = offsetof(struct sign_options, comment),
         .value = "TEXT",
         .help = "the trusted comment (time and name of the file)"},
        {.name = "make-key",
         .type = OPTIONS_TEXT,
         .offset = offsetof(struct sign_options, make_key),
         .value = "FILE",
         .help = "make a new pair of keys, FILE and FILE.pub, instead"},
        {.name = "unlocked",
         .type = OPTIONS_SWITCH,
         .offset = offsetof(struct sign_options, unlocked),
         .help = "make it without a password, for machines that sign"},
};

static const struct options_form form = {
        .name = "pifleet sign",
        .arguments = "[FILE ...]",
        .summary = "sign code with your key, for agents that ask for it",
        .text = "Writes FILE.minisig beside each file, which pifleet deploy sends along. Keys and\n"
                "signatures are minisign's: either program reads what the other made. An agent "
                "with\n"
                "handlers.require_signature accepts code signed by one of handlers.trusted_keys.",
        .groups = {{"Options", entries, ARRAY_SIZE(entries), 0}},
        .examples = "  pifleet sign --make-key ~/.pifleet.key\n"
                    "  pifleet sign --key ~/.pifleet.key camera_handlers.py\n"
                    "  minisign -V -p ~/.pifleet.key.pub -m camera_handlers.py",
        .after = "Exit status: 0 signed, 1 not signed, 2 wrong usage.",
        .words_max = 256,
};

static int default_key(char ret[PATH_MAX], struct error *error)
{
        const char *path = getenv("PIFLEET_SIGN_KEY");
        const char *home = getenv("HOME");
        int length;

        if (path && *path)
                length = snprintf(ret, PATH_MAX, "%s", path);
        else if (home && *home)
                length = snprintf(ret, PATH_MAX, "%s/.minisign/minisign.key", home);
        else
                return error_set(error, -ENOENT, "which key? Name one with --key FILE");
        return length < PATH_MAX ? 0
                                 : error_set(error, -ENAMETOOLONG, "the key's path is too long");
}

/* Old or new, whole: a signature beside other code than it is of helps nobody. */
static int write_signature(const char *path, const struct buffer *text)
{
        AUTO_FREE char *folder = strdup(path);
        AUTO_CLOSE int fd = -1;
        char *slash;
        int r;

        if (!folder)
                return -ENOMEM;
        slash = strrchr(folder, '/');
        if (slash)
                slash[slash == folder] = '\0';
        fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = durable_write(fd, basename(path), 0644, buffer_data(text), buffer_length(text));
        return r == -EINVAL ? -ENAMETOOLONG : r;
}

static int sign_text(const char *path, const struct minisign_secret *secret, const char *comment,
                     const struct buffer *code, struct error *error)
{
        char whole_comment[PATH_MAX + 64], signature_path[PATH_MAX];
        struct buffer text;
        int r;

        if (comment)
                r = snprintf(whole_comment, sizeof(whole_comment), "%s", comment);
        else
                r = snprintf(whole_comment, sizeof(whole_comment), "timestamp:%" PRId64 "\tfile:%s",
                             (int64_t)time(NULL), basename(path));
        if (r >= (int)sizeof(whole_comment) ||
            snprintf(signature_path, sizeof(signature_path), "%s.minisig", path) >=
                    (int)sizeof(signature_path))
                return error_set(error, -ENAMETOOLONG, "the name or the comment is too long");
        buffer_init(&text, MINISIGN_TEXT_MAX);
        r = minisign_sign(secret, buffer_length(code) > 0 ? buffer_data(code) : "",
                          buffer_length(code), "signature made by pifleet", whole_comment, &text);
        if (r < 0)
                error_set(error, r,
                          "a comment is one line of UTF-8, at most %d bytes (and so is the name of "
                          "a file that is signed)",
                          MINISIGN_COMMENT_MAX);
        if (r == 0) {
                r = write_signature(signature_path, &text);
                if (r < 0)
                        error_set(error, r, "%s cannot be written: %s", signature_path,
                                  strerror(-r));
        }
        buffer_done(&text);
        return r;
}

static int sign_file(const char *path, const struct minisign_secret *secret, const char *comment,
                     struct error *error)
{
        struct buffer code;
        int r;

        buffer_init(&code, SIGN_FILE_MAX + INPUT_FILE_STEP);
        r = input_file_read(path, SIGN_FILE_MAX, &code);
        if (r < 0)
                error_set(error, r, "%s cannot be read: %s", path, strerror(-r));
        else
                r = sign_text(path, secret, comment, &code, error);
        buffer_done(&code);
        return r;
}

static enum exit_status sign(const struct sign_options *options, char *const files[], size_t count)
{
        enum exit_status status = EXIT_OK;
        struct minisign_secret secret;
        char path[PATH_MAX];
        struct error error = {0};
        int r = 0;

        if (!options->key)
                r = default_key(path, &error);
        if (r == 0)
                r = sign_key_read(options->key ? options->key : path, &secret, &error);
        if (r < 0) {
                console_complain(NULL, "%s", error.text);
                return EXIT_REFUSED;
        }
        for (size_t i = 0; i < count; i++) {
                if (sign_file(files[i], &secret, options->comment, &error) < 0) {
                        console_complain(NULL, "%s", error.text);
                        status = EXIT_REFUSED;
                } else {
                        console_note("signed: %s.minisig\n", files[i]);
                }
        }
        minisign_secret_wipe(&secret);
        return status;
}

static enum exit_status make_key(const struct sign_options *options)
{
        char line[MINISIGN_KEY_TEXT_SIZE];
        struct minisign_key key;
        struct error error = {0};
        struct buffer out;
        int r;

        if (sign_key_make(options->make_key, options->unlocked, &key, &error) < 0) {
                console_complain(NULL, "%s", error.text);
                return EXIT_REFUSED;
        }
        minisign_key_text(&key, line);
        buffer_init(&out, 256);
        r = buffer_printf(&out, "%s\n", line);
        if (r == 0)
                r = console_write(&out);
        buffer_done(&out);
        console_note("The secret key is %s: keep it where nobody else reads it. The line above is "
                     "the public\none; agents believe it once it stands in "
                     "/etc/pifleet/agent.yaml:\n"
                     "  handlers: {require_signature: true, trusted_keys: [\"%s\"]}\n",
                     options->make_key, line);
        return r < 0 ? EXIT_REFUSED : EXIT_OK;
}

static enum exit_status run(int argc, char *argv[])
{
        struct sign_options options = {0};
        enum exit_status status;
        size_t words;

        if (!subcommand_parse(&form, argc, argv, &options, &words, &status))
                return status;
        if (options.make_key ? words > 0 || options.key || options.comment
                             : words == 0 || options.unlocked) {
                console_complain(NULL,
                                 options.make_key
                                         ? "--make-key makes a key and signs nothing: give it alone"
                                         : "what is to be signed? pifleet sign FILE");
                return EXIT_USAGE;
        }
        return options.make_key ? make_key(&options) : sign(&options, argv, words);
}

const struct subcommand subcommand_sign = {"sign", &form, run};
