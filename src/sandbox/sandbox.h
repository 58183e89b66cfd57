/* sandbox/sandbox.h - start programs behind walls, kill all that came of them.
 *
 * This is the asker's side. A process of its own, pifleet-spawner, does the work
 * and answers; it knows nothing of what it runs. Nothing here waits but
 * sandbox_free(): the owner watches sandbox_descriptor(), and takes events from
 * sandbox_receive() until there is none. One thread at a time; no loop.
 *
 *     sandbox_start(id 7)   ->   STARTED 7   ...   ENDED 7
 *                           or   FAILED 7, and nothing was left behind
 *     sandbox_kill(7)       ->   ENDED 7 (soon); or FAILED 7 when it had not started
 *
 * Each start is answered by exactly one STARTED or FAILED, each STARTED by exactly
 * one ENDED, unless GONE comes first, after which nothing comes any more: with the
 * spawner, whoever ends it and how, everything it started has died.
 *
 * When a program ends, all its descendants are killed, those too that turned
 * their back on it (setsid(2), a double fork); ENDED follows when none is left.
 * A descendant may outlive calls and other descendants, but not the program. */
#pragma once

#include "base/cleanup.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
        SANDBOX_PROGRAMS_MAX = 256, /* at once; beyond: FAILED with -EAGAIN */
        SANDBOX_NAME_MAX = 72,      /* with its NUL */
        SANDBOX_DESCRIPTORS = 5,    /* what becomes 0, 1, 2, 3, 4 */
        SANDBOX_WORDS_MAX = 64,     /* of argv, of the environment */
        SANDBOX_PATHS_MAX = 32,     /* of each list of paths */
        SANDBOX_PATH_MAX = 256,     /* with its NUL */
        SANDBOX_GROUPS_MAX = 16,
        SANDBOX_BYTES_MAX = 64 * 1024, /* of all texts of a program together */
};

/* What stands between a program and the machine; bit 1 << wall in a set. */
enum sandbox_wall {
        SANDBOX_WALL_NO_NEW_PRIVS,
        SANDBOX_WALL_SECCOMP,
        SANDBOX_WALL_UID,               /* a user id that no other name has */
        SANDBOX_WALL_CAPABILITIES,      /* none, and none to be had */
        SANDBOX_WALL_MOUNT_VIEW,        /* read-only, with its own /dev, /tmp, /run, /home */
        SANDBOX_WALL_PID_NAMESPACE,     /* sees, and signals, its own processes only */
        SANDBOX_WALL_NETWORK_NAMESPACE, /* no interface; not for those granted the network */
        SANDBOX_WALL_LANDLOCK,          /* as far as its version goes */
        SANDBOX_WALL_RLIMITS,
        SANDBOX_WALL_CGROUP_KILL,
        SANDBOX_WALL_CGROUP_MEMORY, /* without it, resident memory is looked at each second */
        SANDBOX_WALL_CGROUP_PIDS,   /* without it, RLIMIT_NPROC where the uid is its own */
        SANDBOX_WALL_CGROUP_CPU,
        SANDBOX_WALLS,
};

struct sandbox_walls {
        uint32_t set;
        uint32_t landlock_abi; /* 0: none */
};

/* "mount_view"; NULL beyond the last. */
const char *sandbox_wall_name(enum sandbox_wall wall);
static inline bool sandbox_wall_stands(const struct sandbox_walls *walls, enum sandbox_wall wall)
{
        return walls->set & (UINT32_C(1) << wall);
}

/* 0: as it is by default, which is the spawner's to say. */
struct sandbox_limits {
        uint64_t memory_bytes;        /* of all processes together; no swap beyond it */
        uint64_t address_space_bytes; /* RLIMIT_AS of each process; default: none */
        uint64_t file_bytes;          /* RLIMIT_FSIZE; default: none */
        uint32_t cpu_seconds;         /* RLIMIT_CPU of each process; default: none */
        uint32_t cpu_percent;         /* of one processor, where there is a cpu cgroup */
        uint32_t tasks;               /* processes and threads together; default 64 */
        uint32_t open_files;          /* RLIMIT_NOFILE; default 64 */
        uint64_t storage_bytes; /* in its own folder, looked at every few seconds; default: none */
};

/* What is to run. Lists end with NULL; a NULL list is an empty one. Paths are
 * absolute and plain: no "..", ".", "//" or "/" at the end. All is copied.
 *
 * The program's user id, its own folder (working directory and $HOME, kept from
 * one start to the next, nobody else's) follow from `name`: [a-z0-9_.-], the
 * first a letter or digit. Two programs of one name share both. */
struct sandbox_program {
        const char *name;
        const char *const *argv; /* argv[0] is the path of the program */
        const char *const *environment;
        /* Stay the caller's. -1: 0 to 2 are /dev/null, 3 and 4 closed. Nothing else
         * is inherited. */
        int descriptors[SANDBOX_DESCRIPTORS];
        struct sandbox_limits limits;
        /* Made when missing; all programs that name it may write to it, and it is
         * there for everybody on the machine. A spawner that is not root shows a
         * folder of its own at that place. */
        const char *const *shared_dirs;
        const char *const *writable; /* beside its own folder, /tmp, /var/tmp, /dev/shm */
        const char *const *readable; /* below /home, /root and /run, where nothing is else */
        const char *const *hidden;   /* beside what the spawner hides */
        /* Patterns (glob(7)) of devices below /dev to be seen; what is missing is no
         * error. What the spawner does not allow is: FAILED with -EACCES. */
        const char *const *devices;
        /* By name. What the machine does not have is no error; what the spawner does
         * not allow is: FAILED with -EACCES. */
        const char *const *groups;
        bool network; /* false: AF_UNIX only, and no interface to talk over */
};

/* Where a start stopped; for people: sandbox_step_name(). */
enum sandbox_step {
        SANDBOX_STEP_SPECIFICATION, /* not as described above */
        SANDBOX_STEP_PROGRAMS,      /* -EAGAIN: too many; -EEXIST: the id is taken */
        SANDBOX_STEP_IDENTITY,      /* -EUSERS: no user id is left; -EACCES: group */
        SANDBOX_STEP_DIRECTORIES,   /* its own folder, shared ones */
        SANDBOX_STEP_DEVICES,
        SANDBOX_STEP_CGROUP,
        SANDBOX_STEP_PROCESS, /* fork(2) and namespaces */
        SANDBOX_STEP_MOUNT_VIEW,
        SANDBOX_STEP_LIMITS,
        SANDBOX_STEP_LANDLOCK,
        SANDBOX_STEP_CAPABILITIES,
        SANDBOX_STEP_SECCOMP,
        SANDBOX_STEP_EXEC,
        SANDBOX_STEP_KILLED, /* -ECANCELED: sandbox_kill() came first */
        SANDBOX_STEPS,
};

/* "mount view"; "?" beyond the last. */
const char *sandbox_step_name(enum sandbox_step step);

struct sandbox_usage {
        uint64_t memory_bytes;      /* now: the cgroup's, else resident, of all together */
        uint64_t private_bytes;     /* now: no other process has it; the spawner's share included.
                                     * Where it may not look so closely: resident, and backed
                                     * by no file, of the program's own processes */
        uint64_t memory_peak_bytes; /* the cgroup's, else the highest that was seen */
        uint64_t cpu_us;            /* all together; children that ended included */
        uint32_t tasks;             /* processes and threads, without the spawner's */
        uint64_t storage_bytes;     /* in its own folder, at the last look; 0 without that limit */
};

enum sandbox_end {
        SANDBOX_END_ITSELF,  /* exited, crashed, or was killed by somebody */
        SANDBOX_END_KILLED,  /* by sandbox_kill() */
        SANDBOX_END_MEMORY,  /* went beyond its memory */
        SANDBOX_END_TASKS,   /* went beyond its tasks, where no kernel says no */
        SANDBOX_END_STORAGE, /* filled its own folder */
};

enum sandbox_event_kind {
        SANDBOX_READY, /* once, first: `walls` are those that can be had here */
        SANDBOX_STARTED,
        SANDBOX_FAILED,
        SANDBOX_ENDED,
        SANDBOX_USAGE,
        SANDBOX_GONE, /* the spawner ended; `error` */
};

struct sandbox_event {
        enum sandbox_event_kind kind;
        uint64_t id;                  /* STARTED, FAILED, ENDED, USAGE */
        struct sandbox_walls walls;   /* READY; STARTED: those around this one */
        pid_t pid;                    /* STARTED: of the program itself */
        int error;                    /* FAILED, GONE: -errno */
        enum sandbox_step step;       /* FAILED */
        char where[SANDBOX_PATH_MAX]; /* FAILED: about which path, pattern or group; "": none */
        enum sandbox_end end;         /* ENDED */
        int wait_status;              /* ENDED: of the program itself, as of waitpid(2) */
        uint32_t children_killed;     /* ENDED: descendants that were left then */
        struct sandbox_usage usage;   /* USAGE; ENDED: peak and CPU time */
};

/* How to come by a spawner. */
struct sandbox_options {
        /* Of the socket of an installed one; NULL: start `spawner` as our child. */
        const char *path;
        const char *const *spawner; /* argv, with its options; argv[0] is a path */
};

struct sandbox;

/* READY comes as an event. Copies the options' texts as far as it needs them.
 * -errno, with words. */
int sandbox_new(const struct sandbox_options *options, struct sandbox **ret, struct error *error);
/* Ends the spawner, and with it all programs. When it is our child: waits until
 * it is gone, at most 5 s, then kills it. NULL is fine. Returns NULL. */
struct sandbox *sandbox_free(struct sandbox *sandbox);
DEFINE_CLEANUP(sandbox)

/* Readable: sandbox_receive() has something. Stays the sandbox's; the same for its
 * whole life. */
int sandbox_descriptor(const struct sandbox *sandbox);

/* `id` is the caller's, not one that is under way or running. -EINVAL: not as
 * described (the spawner looks again, and closer); -E2BIG: beyond a limit above;
 * -EAGAIN: the spawner takes nothing now, try again after the next event or a
 * while; -EPIPE: gone, GONE says so. */
int sandbox_start(struct sandbox *sandbox, uint64_t id, const struct sandbox_program *program);
/* SIGKILL for the program and all that came of it. An id that is not known (it may
 * have ended just now) is no error. -EAGAIN, -EPIPE as above. */
int sandbox_kill(struct sandbox *sandbox, uint64_t id);
/* The name is not to come back: once none of its programs runs, its user id and own folder
 * can be others', unless something lies in the folder, which nobody but people throw away. -EINVAL:
 * no name; -EAGAIN, -EPIPE as above. */
int sandbox_forget(struct sandbox *sandbox, const char *name);
/* Asks for a USAGE event; none comes for an id that is not running. -EAGAIN,
 * -EPIPE as above. */
int sandbox_ask_usage(struct sandbox *sandbox, uint64_t id);

/* 1: *ret is an event; 0: none now. GONE comes once, and 0 after it for good. */
int sandbox_receive(struct sandbox *sandbox, struct sandbox_event *ret);
