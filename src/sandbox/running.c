#include "sandbox/running.h"

#include "sandbox/preparation.h"
#include "sandbox/process-tree.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { PATIENCE_MS = 3000, PROCESSES_MAX = 4096 };

static bool stands(const struct running *r, enum sandbox_wall wall)
{
        return r->walls & UINT32_C(1) << wall;
}

static void fail(struct running *r, enum sandbox_step step, int error, const char *where)
{
        if (r->error == 0) {
                r->error = error;
                r->step = step;
                snprintf(r->where, sizeof(r->where), "%s", where);
        }
}

void running_start(struct running *r, const struct site *site, struct preparation *what,
                   unsigned number, uint64_t id)
{
        struct launch *launch = &what->launch;
        enum sandbox_step step = SANDBOX_STEP_CGROUP;
        int error = 0;

        *r = (struct running){.used = true,
                              .id = id,
                              .number = number,
                              .walls = launch->walls,
                              .limits = launch->limits,
                              .cgroup_fd = -1,
                              .process = {.pidfd = -1, .report_fd = -1}};
        snprintf(r->name, sizeof(r->name), "%s", launch->program->name);
        if (site->cgroup)
                error = cgroup_add(site->cgroup, number, &r->limits, &r->cgroup_fd);
        launch->cgroup_fd = r->cgroup_fd;
        if (error == 0)
                error = launch_start(launch, &r->process, &step);
        if (error < 0) {
                fail(r, step, error, "");
                if (r->cgroup_fd >= 0) {
                        close(TAKE_FD(r->cgroup_fd));
                        (void)cgroup_remove(site->cgroup, number);
                }
                r->gone = true;
                r->owes = OWES_FAILED;
        }
}

void running_refuse(struct running *r, uint64_t id, const char *name, enum sandbox_step step,
                    int error, const char *where)
{
        *r = (struct running){.used = true,
                              .id = id,
                              .cgroup_fd = -1,
                              .process = {.pidfd = -1, .report_fd = -1},
                              .gone = true,
                              .owes = OWES_FAILED};
        snprintf(r->name, sizeof(r->name), "%s", name);
        fail(r, step, error, where);
}

int running_descriptor(const struct running *r)
{
        return r->process.report_fd >= 0 ? r->process.report_fd : r->process.pidfd;
}

static void take_report(struct running *r, const struct report *report, pid_t sender)
{
        switch (report->kind) {
        case REPORT_HERE:
                r->pid = sender;
                break;
        case REPORT_RUNNING:
                if (r->pid > 0 && r->error == 0) {
                        r->started = true;
                        r->owes |= OWES_STARTED;
                }
                break;
        case REPORT_FAILED:
                if (!r->started && report->error < 0 && report->error > -4096 &&
                    report->step < SANDBOX_STEPS)
                        fail(r, (enum sandbox_step)report->step, report->error, report->where);
                break;
        case REPORT_ENDED:
                r->reported = true;
                r->wait_status = report->wait_status;
                r->children = report->children;
                r->cpu_us = report->cpu_us;
                break;
        default:
                break;
        }
}

static void read_reports(struct running *r)
{
        struct report report = {0};
        pid_t sender;
        int got;

        while ((got = launch_receive(&r->process, &report, &sender)) > 0)
                take_report(r, &report, sender);
        if (got != -EAGAIN)
                close(TAKE_FD(r->process.report_fd));
}

static void remove_cgroup(struct running *r, const struct site *site)
{
        struct sandbox_usage usage = {.memory_peak_bytes = r->memory_peak_bytes,
                                      .cpu_us = r->cpu_us};

        if (r->cgroup_fd < 0)
                return;
        (void)cgroup_kill(site->cgroup, r->cgroup_fd);
        cgroup_measure(site->cgroup, r->cgroup_fd, &usage);
        r->memory_peak_bytes = usage.memory_peak_bytes;
        r->cpu_us = usage.cpu_us;
        if (r->end == SANDBOX_END_ITSELF && cgroup_ran_out_of_memory(site->cgroup, r->cgroup_fd))
                r->end = SANDBOX_END_MEMORY;
        close(TAKE_FD(r->cgroup_fd));
        (void)cgroup_remove(site->cgroup, r->number);
}

/* Init has ended, and with it all that was in its namespace or that it could see. */
static void bury(struct running *r, const struct site *site)
{
        launch_done(&r->process);
        remove_cgroup(r, site);
        r->gone = true;
        if (r->started) {
                if (!r->reported)
                        r->wait_status = SIGKILL;
                r->owes |= OWES_ENDED;
                return;
        }
        if (r->ending && r->end == SANDBOX_END_KILLED)
                fail(r, SANDBOX_STEP_KILLED, -ECANCELED, "");
        fail(r, SANDBOX_STEP_PROCESS, -EIO, "");
        r->owes |= OWES_FAILED;
}

void running_on_ready(struct running *r, const struct site *site)
{
        if (r->process.report_fd >= 0)
                read_reports(r);
        else
                bury(r, site);
}

void running_end(struct running *r, enum sandbox_end end, uint64_t now_ms)
{
        if (r->ending || r->gone)
                return;
        r->ending = true;
        r->end = end;
        r->kill_ms = now_ms + PATIENCE_MS;
        launch_ask_to_end(&r->process);
}

void running_insist(struct running *r, const struct site *site, uint64_t now_ms)
{
        launch_kill_init(&r->process);
        if (r->cgroup_fd >= 0)
                (void)cgroup_kill(site->cgroup, r->cgroup_fd);
        r->kill_ms = now_ms + PATIENCE_MS;
}

bool running_wants_watching(const struct running *r)
{
        if (!r->started || r->gone || r->ending)
                return false;
        return (r->limits.memory_bytes > 0 && !stands(r, SANDBOX_WALL_CGROUP_MEMORY)) ||
               (!stands(r, SANDBOX_WALL_CGROUP_PIDS) && !stands(r, SANDBOX_WALL_UID));
}

static size_t list_processes(const struct running *r, const struct site *site,
                             const struct process_table *table, pid_t pids[])
{
        int count = 0;

        if (r->cgroup_fd < 0)
                return table ? process_table_descendants(table, r->process.init, pids,
                                                         PROCESSES_MAX)
                             : 0;
        count = cgroup_processes(site->cgroup, r->cgroup_fd, pids, PROCESSES_MAX);
        for (int i = 0; i < count; i++)
                if (pids[i] == r->process.init) {
                        pids[i] = pids[count - 1];
                        return (size_t)count - 1;
                }
        return count > 0 ? (size_t)count : 0;
}

static void measure(struct running *r, const struct site *site, const struct process_table *table,
                    bool closely, struct sandbox_usage *ret)
{
        AUTO_FREE pid_t *pids = malloc(PROCESSES_MAX * sizeof(*pids));
        size_t count;

        *ret = (struct sandbox_usage){.storage_bytes = r->storage_bytes};
        if (!pids)
                return;
        count = list_processes(r, site, table, pids);
        process_tree_measure(pids, count, ret);
        /* Init began as a copy of us: without a closer look, what it has of us would count. */
        if (closely)
                ret->private_bytes =
                        process_tree_private(pids, count) + process_private(r->process.init);
        ret->cpu_us += process_children_cpu_us(r->process.init);
        if (r->memory_peak_bytes < ret->memory_bytes)
                r->memory_peak_bytes = ret->memory_bytes;
        ret->memory_peak_bytes = r->memory_peak_bytes;
        if (r->cgroup_fd >= 0)
                cgroup_measure(site->cgroup, r->cgroup_fd, ret);
}

void running_measure(struct running *r, const struct site *site, const struct process_table *table,
                     struct sandbox_usage *ret)
{
        measure(r, site, table, true, ret);
}

void running_watch(struct running *r, const struct site *site, const struct process_table *table,
                   uint64_t now_ms)
{
        struct sandbox_usage usage;

        measure(r, site, table, false, &usage);
        if (r->limits.memory_bytes > 0 && !stands(r, SANDBOX_WALL_CGROUP_MEMORY) &&
            usage.memory_bytes > r->limits.memory_bytes)
                running_end(r, SANDBOX_END_MEMORY, now_ms);
        else if (!stands(r, SANDBOX_WALL_CGROUP_PIDS) && !stands(r, SANDBOX_WALL_UID) &&
                 usage.tasks > r->limits.tasks)
                running_end(r, SANDBOX_END_TASKS, now_ms);
}
