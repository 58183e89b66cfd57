/* sandbox/launch.h - from a plan to a program that runs behind its walls.
 *
 *     spawner
 *       init of program 7     sets the view up, waits, kills what is left
 *         the program
 *           what came of it
 *
 * Each program has a first process of its own, which is us still: in a PID
 * namespace its end takes everything along, elsewhere it is the subreaper that
 * finds what turned its back. When the spawner dies, it notices and ends too. */
#pragma once

#include "sandbox/wall-identity.h"
#include "sandbox/wall-landlock.h"
#include "sandbox/wall-mounts.h"
#include "sandbox/wall-seccomp.h"

struct launch {
        const struct sandbox_program *program;
        char *const *environment;
        int descriptors[SANDBOX_DESCRIPTORS]; /* 5 or above; -1 as in the program */
        int null_fd;                          /* of /dev/null */
        struct sandbox_limits limits;         /* with defaults */
        uint32_t walls;                       /* to be raised, 1 << enum sandbox_wall */
        const char *folder;                   /* its own */
        struct identity identity;
        struct mount_plan mounts;
        struct landlock_plan landlock;
        const struct seccomp_filter *filter;
        int cgroup_fd; /* of its folder; -1: none */
};

struct launched {
        pid_t init;
        int pidfd;     /* of init; readable: nothing is left */
        int report_fd; /* reports come here; -1 once closed */
};

enum report_kind {
        REPORT_HERE = 1, /* sent by the program, so that the kernel says who it is */
        REPORT_RUNNING,
        REPORT_FAILED,
        REPORT_ENDED,
};

struct report {
        uint32_t kind;
        int32_t error;       /* FAILED: -errno */
        uint32_t step;       /* FAILED: enum sandbox_step */
        int32_t wait_status; /* ENDED */
        uint32_t children;   /* ENDED: how many were left and were killed */
        uint32_t reserved;   /* 0 */
        uint64_t cpu_us;     /* ENDED */
        char where[256];     /* FAILED: the path or so; terminated */
};

/* -errno; *ret_step says of what, and nothing is left. The descriptors stay the
 * caller's. After 0, what goes wrong is reported. */
int launch_start(const struct launch *launch, struct launched *ret, enum sandbox_step *ret_step);

/* 1: *ret, and who sent it as we number processes; 0: it is closed; -EAGAIN;
 * -EPROTO: no report. */
int launch_receive(const struct launched *launched, struct report *ret, pid_t *ret_sender);
/* Asks init to kill everything and report the end. */
void launch_ask_to_end(const struct launched *launched);
/* When that was not heard. */
void launch_kill_init(const struct launched *launched);
/* Reaps init, which has ended (pidfd is readable). */
void launch_done(struct launched *launched);
