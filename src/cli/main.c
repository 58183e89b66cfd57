/* pifleet - the command line: finds the subcommand and lets it run. */
#include "base/spelling.h"
#include "cli/console.h"
#include "cli/subcommand.h"

#include <signal.h>
#include <string.h>

static const struct subcommand *const subcommands[] = {
        &subcommand_call,   &subcommand_status,  &subcommand_setup,    &subcommand_passwd,
        &subcommand_doctor, &subcommand_deploy,  &subcommand_rollback, &subcommand_handlers,
        &subcommand_logs,   &subcommand_sign,    &subcommand_pub,      &subcommand_sub,
        &subcommand_rpc,    &subcommand_clients, &subcommand_kick,
};

static const char *const words[] = {"call",     "status",   "setup", "passwd", "doctor", "deploy",
                                    "rollback", "handlers", "logs",  "sign",   "pub",    "sub",
                                    "rpc",      "clients",  "kick",  "help"};

static int overview(struct buffer *out)
{
        int r = buffer_append_text(out, "pifleet - control a Raspberry Pi, or a fleet of them\n\n"
                                        "Usage: pifleet SUBCOMMAND [OPTIONS]\n\n");

        for (size_t i = 0; i < ARRAY_SIZE(subcommands) && r == 0; i++)
                r = buffer_printf(out, "  %-8s %s\n", subcommands[i]->name,
                                  subcommands[i]->form->summary);
        if (r == 0)
                r = buffer_append_text(
                        out, "  help     explain a subcommand: pifleet help call\n\n"
                             "Try:\n"
                             "  pifleet status               is the agent there, and how is it?\n"
                             "  pifleet call list_commands   what it can do\n"
                             "  pifleet doctor               what is wrong here, and what to do\n");
        return r;
}

static enum exit_status print_overview(enum exit_status status)
{
        struct buffer out;
        int r;

        buffer_init(&out, 64 << 10);
        r = overview(&out);
        if (r == 0)
                r = console_write(&out);
        buffer_done(&out);
        return r < 0 ? EXIT_REFUSED : status;
}

static enum exit_status print_version(void)
{
        struct buffer out;
        int r;

        buffer_init(&out, 128);
        r = buffer_append_text(&out, "pifleet " PIFLEET_VERSION "\n");
        if (r == 0)
                r = console_write(&out);
        buffer_done(&out);
        return r < 0 ? EXIT_REFUSED : EXIT_OK;
}

static const struct subcommand *find(const char *name)
{
        for (size_t i = 0; i < ARRAY_SIZE(subcommands); i++)
                if (strcmp(subcommands[i]->name, name) == 0)
                        return subcommands[i];
        return NULL;
}

static enum exit_status refuse(const char *name)
{
        const char *best;

        if (strlen(name) < SPELLING_WORD_MAX &&
            spelling_near(name, words, ARRAY_SIZE(words), &best, 1) > 0)
                console_complain(NULL, "there is no subcommand \"%s\"; did you mean \"%s\"?", name,
                                 best);
        else
                console_complain(NULL,
                                 "there is no subcommand \"%s\"; pifleet --help lists them. An "
                                 "agent's command is sent by: pifleet call COMMAND",
                                 name);
        return EXIT_USAGE;
}

static enum exit_status help(int argc, char *argv[])
{
        const struct subcommand *subcommand;

        if (argc == 0)
                return print_overview(EXIT_OK);
        subcommand = find(argv[0]);
        return subcommand ? subcommand_help(subcommand->form) : refuse(argv[0]);
}

static enum exit_status dispatch(int argc, char *argv[])
{
        const struct subcommand *subcommand;

        if (argc < 2)
                return print_overview(EXIT_USAGE);
        if (strcmp(argv[1], "--version") == 0)
                return print_version();
        if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
                return print_overview(EXIT_OK);
        if (strcmp(argv[1], "help") == 0)
                return help(argc - 2, argv + 2);
        subcommand = find(argv[1]);
        return subcommand ? subcommand->run(argc - 2, argv + 2) : refuse(argv[1]);
}

int main(int argc, char *argv[])
{
        /* A reader that has seen enough (| head) is no reason to die silently. */
        signal(SIGPIPE, SIG_IGN);
        return (int)dispatch(argc, argv);
}
