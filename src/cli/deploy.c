/* `pifleet deploy`: sends modules to an agent, and shows what became of them. */
#include "base/clock.h"
#include "base/utf8.h"
#include "cli/deploy-report.h"
#include "cli/exchange.h"
#include "cli/file-watch.h"
#include "cli/input-file.h"
#include "proto/minisign.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum {
        CODE_MAX = 15 << 20, /* bytes: what a request can carry; the agent takes less */
        REPORT_MAX = 4 << 20,
};

struct deploy_options {
        bool dry_run, watch;
        struct exchange_options common;
};

static const struct options_entry entries[] = {
        {.name = "dry-run",
         .type = OPTIONS_SWITCH,
         .offset = offsetof(struct deploy_options, dry_run),
         .help = "run all checks, change nothing"},
        {.name = "watch",
         .type = OPTIONS_SWITCH,
         .offset = offsetof(struct deploy_options, watch),
         .help = "stay, and deploy a file again each time it is saved"},
};

static const struct options_form form = {
        .name = "pifleet deploy",
        .arguments = "FILE ...",
        .summary = "send modules with new commands to an agent, checked and live at once",
        .text = "A module is a Python or C file; its functions handle_NAME become the commands "
                "NAME.\n"
                "The agent checks it, tries it in a sandbox, and only then puts it in the place of "
                "the\n"
                "version before, which it keeps: pifleet rollback. FILE.minisig, where there is "
                "one, is\nsent along (pifleet sign).",
        .groups = {{"Options", entries, ARRAY_SIZE(entries), 0},
                   EXCHANGE_OPTIONS_GROUPS(struct deploy_options, common)},
        .examples = "  pifleet deploy camera_handlers.py\n"
                    "  pifleet deploy --dry-run camera_handlers.py\n"
                    "  pifleet deploy --watch camera_handlers.py --host pi.local\n"
                    "  pifleet call camera_status",
        .after = "Exit status: 0 all are live, 1 one was refused, 2 wrong usage, 3 no connection.",
        .words_min = 1,
        .words_max = FILE_WATCH_MAX,
};

struct deploy {
        const struct deploy_options *options;
        struct exchange *exchange;
};

/* The file's text, or a complaint. */
static enum exit_status read_code(struct deploy *deploy, const char *path, struct buffer *code)
{
        int r = input_file_read(path, CODE_MAX, code);

        if (r == 0 && buffer_length(code) == 0)
                console_complain(&deploy->exchange->console, "%s is empty", path);
        else if (r < 0)
                console_complain(&deploy->exchange->console, "%s cannot be read: %s", path,
                                 strerror(-r));
        else if (memchr(buffer_data(code), '\0', buffer_length(code)) ||
                 utf8_valid_prefix(buffer_data(code), buffer_length(code)) != buffer_length(code))
                console_complain(&deploy->exchange->console, "%s is not text in UTF-8", path);
        else
                return buffer_append(code, "", 1) == 0 ? EXIT_OK : EXIT_REFUSED;
        return EXIT_REFUSED;
}

/* The signature beside a file, where there is one. */
static enum exit_status add_signature(struct deploy *deploy, const char *path, cJSON *request)
{
        enum exit_status status = EXIT_OK;
        char signature_path[PATH_MAX];
        struct buffer text;
        int r = -ENAMETOOLONG;

        buffer_init(&text, MINISIGN_TEXT_MAX + INPUT_FILE_STEP);
        if (snprintf(signature_path, sizeof(signature_path), "%s.minisig", path) <
            (int)sizeof(signature_path))
                r = input_file_read(signature_path, MINISIGN_TEXT_MAX, &text);
        if (r == 0)
                r = buffer_append(&text, "", 1);
        if (r == 0 && !cJSON_AddStringToObject(request, "signature", buffer_data(&text)))
                r = -ENOMEM;
        if (r < 0 && r != -ENOENT) {
                console_complain(&deploy->exchange->console, "%s.minisig cannot be read: %s", path,
                                 strerror(-r));
                status = EXIT_REFUSED;
        }
        buffer_done(&text);
        return status;
}

static enum exit_status show(struct deploy *deploy, const cJSON *reply,
                             const struct deploy_source *source, double milliseconds)
{
        struct buffer out;
        int r;

        if (!deploy->exchange->console.readable)
                return exchange_print(&deploy->exchange->console, reply);
        buffer_init(&out, REPORT_MAX);
        r = deploy_report(&out, reply, source, milliseconds, &deploy->exchange->console.style);
        if (r == 0)
                r = console_write(&out);
        buffer_done(&out);
        if (r < 0)
                console_complain(&deploy->exchange->console, "the reply cannot be printed: %s",
                                 strerror(-r));
        return r == 0 && client_reply_is_good(reply) ? EXIT_OK : EXIT_REFUSED;
}

static enum exit_status send_code(struct deploy *deploy, const struct deploy_source *source)
{
        AUTO_JSON cJSON *request = exchange_request("update_handler");
        AUTO_JSON cJSON *reply = NULL;
        uint64_t before = clock_monotonic_ns();
        enum exit_status status;

        if (!cJSON_AddStringToObject(request, "filename", basename(source->path)) ||
            !cJSON_AddStringToObject(request, "code", source->text) ||
            (deploy->options->dry_run && !cJSON_AddTrueToObject(request, "dry_run"))) {
                console_complain(&deploy->exchange->console, "out of memory");
                return EXIT_REFUSED;
        }
        status = add_signature(deploy, source->path, request);
        if (status == EXIT_OK)
                status = exchange_ask(deploy->exchange, request, &reply);
        return status == EXIT_OK
                       ? show(deploy, reply, source, (double)(clock_monotonic_ns() - before) / 1e6)
                       : status;
}

static enum exit_status deploy_file(struct deploy *deploy, const char *path)
{
        enum exit_status status;
        struct buffer code;

        buffer_init(&code, CODE_MAX + INPUT_FILE_STEP);
        status = read_code(deploy, path, &code);
        if (status == EXIT_OK) {
                struct deploy_source source = {path, buffer_data(&code), buffer_length(&code) - 1};

                status = send_code(deploy, &source);
        }
        buffer_done(&code);
        return status;
}

/* One that is refused does not hold up the others; without an agent none can go. */
static enum exit_status deploy_files(struct deploy *deploy, char *const paths[], size_t count,
                                     const bool only[])
{
        enum exit_status worst = EXIT_OK;

        for (size_t i = 0; i < count; i++) {
                enum exit_status status = EXIT_OK;

                if (!only || only[i])
                        status = deploy_file(deploy, paths[i]);
                if (status == EXIT_NO_CONNECTION)
                        return status;
                if (status != EXIT_OK)
                        worst = status;
        }
        return worst;
}

/* Until it is interrupted. An agent that is away comes back: the next save tries. */
static enum exit_status watch_files(struct deploy *deploy, char *const paths[], size_t count)
{
        AUTO(file_watch) struct file_watch *watch = NULL;
        bool saved[FILE_WATCH_MAX];
        struct error error = {0};
        int r = file_watch_new(paths, count, &watch, &error);

        if (r < 0) {
                console_complain(&deploy->exchange->console, "%s", error.text);
                return EXIT_REFUSED;
        }
        (void)deploy_files(deploy, paths, count, NULL);
        exchange_disconnect(deploy->exchange);
        console_note("watching; each save deploys (Ctrl-C ends)\n");
        while ((r = file_watch_wait(watch, saved)) == 0) {
                (void)deploy_files(deploy, paths, count, saved);
                exchange_disconnect(deploy->exchange);
        }
        console_complain(&deploy->exchange->console, "the files cannot be watched any more: %s",
                         strerror(-r));
        return EXIT_REFUSED;
}

static enum exit_status talk(struct exchange *exchange, const void *options, char *words[],
                             size_t count)
{
        struct deploy deploy = {.options = options, .exchange = exchange};

        return deploy.options->watch ? watch_files(&deploy, words, count)
                                     : deploy_files(&deploy, words, count, NULL);
}

static enum exit_status run(int argc, char *argv[])
{
        struct deploy_options options = {.common = EXCHANGE_OPTIONS_DEFAULT};

        return exchange_run(&form, argc, argv, &options, &options.common, talk);
}

const struct subcommand subcommand_deploy = {"deploy", &form, run};
