#include "sandbox/options.h"

#include "sandbox/specification.h"
#include "sandbox/walls.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POOL_MIN_UID = 1000, POOL_MAX = 65536 };

static const char usage[] =
        "usage: pifleet-spawner [OPTION...]\n"
        "\n"
        "Starts programs behind walls for the one at the other end of the socket that is\n"
        "its descriptor 3, and kills them all when that end is closed. pifleet-agent or\n"
        "systemd start it.\n"
        "\n"
        "  --state-dir DIR         folders of programs (/var/lib/pifleet-spawner)\n"
        "  --uids FIRST-LAST       user ids to give out (1900000000-1900001023)\n"
        "  --shared-group GROUP    owns shared folders (the first of these numbers)\n"
        "  --allow-device PATTERN  devices that may be granted, beside the usual\n"
        "  --allow-group NAME      groups that may be granted, beside the usual\n"
        "  --allow-shared PATTERN  folders that may be shared, beside the usual\n"
        "  --hide PATH             no program sees it\n"
        "  --cgroup auto|none|DIR  where to make control groups (auto: where delegated)\n"
        "  --without WALL          do not raise this wall\n"
        "  --version               print the version and exit\n"
        "  --help                  print this and exit\n";

/* Numbers that packages and people have are not to be given out. */
static int parse_uids(const char *text, struct spawner_options *options)
{
        unsigned long long first, last;
        char *end;

        if (text[0] < '0' || text[0] > '9')
                return -EINVAL;
        first = strtoull(text, &end, 10);
        if (end[0] != '-' || end[1] < '0' || end[1] > '9')
                return -EINVAL;
        last = strtoull(end + 1, &end, 10);
        if (*end != '\0' || first < POOL_MIN_UID || last < first || last >= UINT32_MAX - 1 ||
            last - first >= POOL_MAX)
                return -EINVAL;
        options->first_uid = (uid_t)first;
        options->last_uid = (uid_t)last;
        return 0;
}

static int take_wall(const char *name, struct spawner_options *options)
{
        int wall = walls_find(name);

        /* What is refused stands always; the rest is for machines that misbehave. */
        if (wall < 0 || wall == SANDBOX_WALL_NO_NEW_PRIVS || wall == SANDBOX_WALL_CAPABILITIES ||
            wall == SANDBOX_WALL_UID)
                return -EINVAL;
        options->without |= UINT32_C(1) << wall;
        return 0;
}

static int take_path(const char *path, struct policy_list *list)
{
        return sandbox_path_is_plain(path) ? policy_add(list, path) : -EINVAL;
}

static int take(struct spawner_options *options, int letter, const char *value)
{
        switch (letter) {
        case 's':
                options->state_dir = value;
                return 0;
        case 'u':
                return parse_uids(value, options);
        case 'g':
                options->shared_group = value;
                return 0;
        case 'd':
                return take_path(value, &options->policy.devices);
        case 'r':
                return policy_add(&options->policy.groups, value);
        case 'f':
                return take_path(value, &options->policy.shared);
        case 'i':
                return take_path(value, &options->policy.hidden);
        case 'c':
                options->cgroup = value;
                return 0;
        default:
                return take_wall(value, options);
        }
}

int spawner_options_parse(struct spawner_options *options, int argc, char *argv[],
                          struct error *error)
{
        static const struct option known[] = {
                {"state-dir", required_argument, NULL, 's'},
                {"uids", required_argument, NULL, 'u'},
                {"shared-group", required_argument, NULL, 'g'},
                {"allow-device", required_argument, NULL, 'd'},
                {"allow-group", required_argument, NULL, 'r'},
                {"allow-shared", required_argument, NULL, 'f'},
                {"hide", required_argument, NULL, 'i'},
                {"cgroup", required_argument, NULL, 'c'},
                {"without", required_argument, NULL, 'w'},
                {"version", no_argument, NULL, 'v'},
                {"help", no_argument, NULL, 'h'},
                {NULL, 0, NULL, 0},
        };
        int letter, which;

        *options = (struct spawner_options){.state_dir = "/var/lib/pifleet-spawner",
                                            .first_uid = 1900000000,
                                            .last_uid = 1900001023,
                                            .cgroup = "auto"};
        policy_init(&options->policy);
        optind = 0;
        opterr = 0;
        while ((letter = getopt_long(argc, argv, "+:", known, &which)) >= 0) {
                if (letter == 'v') {
                        puts("pifleet-spawner " PIFLEET_VERSION);
                        return SPAWNER_OPTIONS_DONE;
                }
                if (letter == 'h') {
                        fputs(usage, stdout);
                        return SPAWNER_OPTIONS_DONE;
                }
                if (letter == ':')
                        return error_set(error, -EINVAL, "%s needs a value", argv[optind - 1]);
                if (letter == '?')
                        return error_set(error, -EINVAL, "%s is no option; see --help",
                                         argv[optind - 1]);
                if (take(options, letter, optarg) < 0)
                        return error_set(error, -EINVAL, "--%s: %s will not do; see --help",
                                         known[which].name, optarg);
        }
        if (optind < argc)
                return error_set(error, -EINVAL, "%s: no arguments are taken; see --help",
                                 argv[optind]);
        return 0;
}
