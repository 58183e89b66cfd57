/* Who looks after the agent: its supervisor, and systemd. */
#include "cli/check.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the kernel keeps of a program's name. */
enum { COMM_MAX = 15 };

/* The first process of this name; 0: none. */
static int64_t find_process(const char *root, const char *name)
{
        char path[512], comm[32];
        const struct dirent *entry;
        int64_t found = 0;
        DIR *directory;

        snprintf(path, sizeof(path), "%s/proc", root);
        directory = opendir(path);
        while (directory && found == 0 && (entry = readdir(directory))) {
                FILE *file;

                if (strspn(entry->d_name, "0123456789") != strlen(entry->d_name))
                        continue;
                snprintf(path, sizeof(path), "%s/proc/%.20s/comm", root, entry->d_name);
                file = fopen(path, "re");
                if (!file)
                        continue;
                if (fgets(comm, sizeof(comm), file)) {
                        comm[strcspn(comm, "\n")] = '\0';
                        if (strncmp(comm, name, COMM_MAX) == 0 && strlen(comm) <= COMM_MAX)
                                found = strtoll(entry->d_name, NULL, 10);
                }
                fclose(file);
        }
        if (directory)
                closedir(directory);
        return found;
}

void check_supervisor(const struct check_place *place, struct findings *findings)
{
        int64_t supervisor = find_process(place->root, "pifleet-supervisor");

        if (supervisor > 0)
                finding_add(findings, FINDING_OK, "supervisor", "runs, process %" PRId64,
                            supervisor);
        else if (find_process(place->root, "pifleet-agent") > 0)
                finding_advise(finding_add(findings, FINDING_WARNING, "supervisor",
                                           "the agent runs without its supervisor: pins stay as "
                                           "they are when it is killed"),
                               "start it by systemd, or as pifleet-supervisor -- pifleet-agent");
}

static bool exists(const char *root, const char *path)
{
        char whole[512];

        snprintf(whole, sizeof(whole), "%s%s", root, path);
        return access(whole, F_OK) == 0;
}

/* A symlink that leads out of `root` is there all the same. */
static bool link_exists(const char *root, const char *path)
{
        char whole[512], target[8];

        snprintf(whole, sizeof(whole), "%s%s", root, path);
        return readlink(whole, target, sizeof(target)) > 0 || access(whole, F_OK) == 0;
}

void check_unit(const struct check_place *place, struct findings *findings)
{
        bool enabled = link_exists(
                place->root, "/etc/systemd/system/multi-user.target.wants/pifleet-agent.service");
        bool installed = enabled;

        if (!exists(place->root, "/run/systemd/system"))
                return; /* systemd is not what runs this machine */
        installed |= link_exists(place->root, "/etc/systemd/system/pifleet-agent.service") ||
                     exists(place->root, "/usr/lib/systemd/system/pifleet-agent.service") ||
                     exists(place->root, "/lib/systemd/system/pifleet-agent.service");
        if (!installed)
                finding_add(findings, FINDING_OK, "unit", "pifleet-agent.service is not installed");
        /* A unit has a control group as long as something of it runs. */
        else if (!exists(place->root, "/sys/fs/cgroup/system.slice/pifleet-agent.service"))
                finding_advise(finding_add(findings, FINDING_WARNING, "unit",
                                           "pifleet-agent.service does not run"),
                               "systemctl status pifleet-agent says why; sudo systemctl %s "
                               "pifleet-agent",
                               enabled ? "restart" : "enable --now");
        else if (!enabled)
                finding_advise(finding_add(findings, FINDING_WARNING, "unit",
                                           "pifleet-agent.service runs, but not after a restart"),
                               "sudo systemctl enable pifleet-agent");
        else
                finding_add(findings, FINDING_OK, "unit",
                            "pifleet-agent.service runs, and is started with the machine");
}
