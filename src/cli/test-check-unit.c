#include "cli/check.h"

#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct machine {
        char root[64];
        struct check_place place;
        struct findings findings;
};

static void machine_init(struct machine *m)
{
        memset(m, 0, sizeof(*m));
        strcpy(m->root, "/tmp/test-check-XXXXXX");
        CHECK(mkdtemp(m->root));
        m->place = (struct check_place){.root = m->root};
}

static void machine_done(struct machine *m)
{
        char command[128];

        snprintf(command, sizeof(command), "rm -rf '%s'", m->root);
        CHECK_EQ(system(command), 0);
}

static void add_file(const struct machine *m, const char *path, const char *text)
{
        char whole[512];
        FILE *file;

        snprintf(whole, sizeof(whole), "%s/%s", m->root, path);
        for (char *slash = whole + 1; (slash = strchr(slash, '/')); slash++) {
                *slash = '\0';
                CHECK(mkdir(whole, 0755) == 0 || errno == EEXIST);
                *slash = '/';
        }
        file = fopen(whole, "we");
        CHECK(file);
        CHECK(fputs(text, file) >= 0);
        CHECK_EQ(fclose(file), 0);
}

TEST(an_agent_without_its_supervisor_is_told)
{
        struct machine m;

        machine_init(&m);
        check_supervisor(&m.place, &m.findings);
        CHECK_EQ(m.findings.count, 0);
        add_file(&m, "proc/12/comm", "bash\n");
        add_file(&m, "proc/irq/comm", "pifleet-supervi\n");
        add_file(&m, "proc/40/comm", "pifleet-agent\n");
        check_supervisor(&m.place, &m.findings);
        CHECK_EQ(m.findings.count, 1);
        CHECK_EQ(m.findings.items[0].level, FINDING_WARNING);
        CHECK(strstr(m.findings.items[0].advice, "pifleet-supervisor -- pifleet-agent"));
        add_file(&m, "proc/39/comm", "pifleet-supervi\n");
        check_supervisor(&m.place, &m.findings);
        CHECK_EQ(m.findings.items[1].level, FINDING_OK);
        CHECK(strstr(m.findings.items[1].text, "process 39"));
        machine_done(&m);
}

TEST(the_unit_is_told_by_what_is_installed_enabled_and_running)
{
        static const struct {
                const char *path, *text;
                enum finding_level level;
        } steps[] = {
                {"etc/hostname", NULL, FINDING_OK}, /* another system than systemd's */
                {"run/systemd/system/x", "not installed", FINDING_OK},
                {"usr/lib/systemd/system/pifleet-agent.service", "does not run", FINDING_WARNING},
                {"sys/fs/cgroup/system.slice/pifleet-agent.service/cgroup.procs",
                 "not after a restart", FINDING_WARNING},
                {"etc/systemd/system/multi-user.target.wants/pifleet-agent.service",
                 "is started with the machine", FINDING_OK},
        };
        struct machine m;

        machine_init(&m);
        for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
                m.findings.count = 0;
                add_file(&m, steps[i].path, "");
                check_unit(&m.place, &m.findings);
                CHECK_EQ(m.findings.count, steps[i].text != NULL);
                if (!steps[i].text)
                        continue;
                if (!strstr(m.findings.items[0].text, steps[i].text))
                        FAIL("%s: %s", steps[i].path, m.findings.items[0].text);
                CHECK_EQ(m.findings.items[0].level, steps[i].level);
        }
        machine_done(&m);
}
