#include "sandbox/sandbox.h"

#include "sandbox/protocol.h"
#include "sandbox/specification.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

enum {
        CHANNEL_FD = 3,       /* of the spawner, as systemd hands it over too */
        CHILD_ENDS_MS = 5000, /* how long sandbox_free() waits */
};

struct sandbox {
        struct ipc_channel channel;
        pid_t child; /* 0: the spawner is not ours */
        int pidfd;
        bool gone;
};

static int connect_to(const char *path, struct ipc_channel *ret)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        AUTO_CLOSE int fd = -1;

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        strcpy(address.sun_path, path);
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                return -errno;
        *ret = (struct ipc_channel){.fd = TAKE_FD(fd), .version = SANDBOX_PROTOCOL_VERSION};
        return 0;
}

/* Nothing of ours but the channel and standard error, and no signal blocked. In a process group
 * of its own: Ctrl-C in a terminal reaches the whole group, and the spawner is to end after us. */
static int spawn_child(const char *const argv[], int channel, pid_t *ret)
{
        extern char **environ;
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        sigset_t none, all;
        int error;

        error = posix_spawn_file_actions_init(&actions);
        if (error != 0)
                return -error;
        error = posix_spawnattr_init(&attributes);
        if (error != 0) {
                posix_spawn_file_actions_destroy(&actions);
                return -error;
        }
        sigemptyset(&none);
        sigfillset(&all);
        error = posix_spawn_file_actions_adddup2(&actions, channel, CHANNEL_FD);
        if (error == 0)
                error = posix_spawn_file_actions_addclosefrom_np(&actions, CHANNEL_FD + 1);
        if (error == 0)
                error = posix_spawnattr_setsigmask(&attributes, &none);
        if (error == 0)
                error = posix_spawnattr_setsigdefault(&attributes, &all);
        if (error == 0)
                error = posix_spawnattr_setpgroup(&attributes, 0);
        if (error == 0)
                error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP |
                                                                      POSIX_SPAWN_SETSIGMASK |
                                                                      POSIX_SPAWN_SETSIGDEF);
        if (error == 0)
                error = posix_spawn(ret, argv[0], &actions, &attributes, (char *const *)argv,
                                    environ);
        posix_spawnattr_destroy(&attributes);
        posix_spawn_file_actions_destroy(&actions);
        return -error;
}

static int start_child(struct sandbox *s, const char *const argv[])
{
        struct ipc_channel theirs = {.fd = -1};
        int r = ipc_channel_pair(SANDBOX_PROTOCOL_VERSION, &s->channel, &theirs);

        if (r == 0)
                r = spawn_child(argv, theirs.fd, &s->child);
        ipc_channel_close(&theirs);
        if (r < 0) {
                s->child = 0;
                return r;
        }
        s->pidfd = (int)syscall(SYS_pidfd_open, s->child, 0);
        return s->pidfd < 0 ? -errno : 0;
}

int sandbox_new(const struct sandbox_options *options, struct sandbox **ret, struct error *error)
{
        AUTO(sandbox) struct sandbox *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return error_set(error, -ENOMEM, "not enough memory");
        s->channel.fd = -1;
        s->pidfd = -1;
        if (options->path) {
                r = connect_to(options->path, &s->channel);
                if (r < 0)
                        return error_set(error, r, "cannot reach the spawner at %s: %s",
                                         options->path, strerror(-r));
        } else {
                r = start_child(s, options->spawner);
                if (r < 0)
                        return error_set(error, r, "cannot start %s: %s", options->spawner[0],
                                         strerror(-r));
        }
        *ret = TAKE(s);
        return 0;
}

struct sandbox *sandbox_free(struct sandbox *s)
{
        struct pollfd child;

        if (!s)
                return NULL;
        ipc_channel_close(&s->channel);
        if (s->child > 0) {
                child = (struct pollfd){.fd = s->pidfd, .events = POLLIN};
                if (s->pidfd < 0 || poll(&child, 1, CHILD_ENDS_MS) <= 0)
                        kill(s->child, SIGKILL);
                while (waitpid(s->child, NULL, 0) < 0 && errno == EINTR)
                        continue;
        }
        if (s->pidfd >= 0)
                close(s->pidfd);
        free(s);
        return NULL;
}

int sandbox_descriptor(const struct sandbox *s)
{
        return s->channel.fd;
}

int sandbox_start(struct sandbox *s, uint64_t id, const struct sandbox_program *program)
{
        struct sandbox_message_start start = {.id = id};
        int descriptors[1 + SANDBOX_DESCRIPTORS];
        AUTO_CLOSE int specification = -1;
        size_t count = 1;
        int r;

        if (s->gone)
                return -EPIPE;
        r = sandbox_specification_write(program, &specification);
        if (r < 0)
                return r;
        descriptors[0] = specification;
        for (unsigned i = 0; i < SANDBOX_DESCRIPTORS; i++) {
                if (program->descriptors[i] < 0)
                        continue;
                start.slots |= 1U << i;
                descriptors[count++] = program->descriptors[i];
        }
        return ipc_send(&s->channel, SANDBOX_MESSAGE_START, &start, sizeof(start), descriptors,
                        count);
}

static int send_id(struct sandbox *s, uint16_t type, uint64_t id)
{
        struct sandbox_message_id message = {.id = id};

        if (s->gone)
                return -EPIPE;
        return ipc_send(&s->channel, type, &message, sizeof(message), NULL, 0);
}

int sandbox_kill(struct sandbox *s, uint64_t id)
{
        return send_id(s, SANDBOX_MESSAGE_KILL, id);
}

int sandbox_forget(struct sandbox *s, const char *name)
{
        struct sandbox_message_forget message = {.name = ""};

        if (!sandbox_name_is_valid(name))
                return -EINVAL;
        if (s->gone)
                return -EPIPE;
        snprintf(message.name, sizeof(message.name), "%s", name);
        return ipc_send(&s->channel, SANDBOX_MESSAGE_FORGET, &message, sizeof(message), NULL, 0);
}

int sandbox_ask_usage(struct sandbox *s, uint64_t id)
{
        return send_id(s, SANDBOX_MESSAGE_ASK_USAGE, id);
}

static struct sandbox_event failure_of(const struct sandbox_message_failed *failed)
{
        struct sandbox_event event = {.kind = SANDBOX_FAILED,
                                      .id = failed->id,
                                      .error = failed->error,
                                      .step = (enum sandbox_step)failed->step};

        snprintf(event.where, sizeof(event.where), "%s", failed->where);
        return event;
}

static struct sandbox_event event_of(const struct ipc_message *message)
{
        const void *payload = message->payload;
        const struct sandbox_message_welcome *welcome = payload;
        const struct sandbox_message_started *started = payload;
        const struct sandbox_message_failed *failed = payload;
        const struct sandbox_message_ended *ended = payload;
        const struct sandbox_message_usage *usage = payload;

        switch (message->type) {
        case SANDBOX_MESSAGE_WELCOME:
                return (struct sandbox_event){.kind = SANDBOX_READY,
                                              .walls = {welcome->walls, welcome->landlock_abi}};
        case SANDBOX_MESSAGE_STARTED:
                return (struct sandbox_event){.kind = SANDBOX_STARTED,
                                              .id = started->id,
                                              .walls = {started->walls, started->landlock_abi},
                                              .pid = started->pid};
        case SANDBOX_MESSAGE_FAILED:
                return failure_of(failed);
        case SANDBOX_MESSAGE_ENDED:
                return (struct sandbox_event){
                        .kind = SANDBOX_ENDED,
                        .id = ended->id,
                        .end = (enum sandbox_end)ended->end,
                        .wait_status = ended->wait_status,
                        .children_killed = ended->children_killed,
                        .usage = {.memory_peak_bytes = ended->memory_peak_bytes,
                                  .cpu_us = ended->cpu_us}};
        default:
                return (struct sandbox_event){.kind = SANDBOX_USAGE,
                                              .id = usage->id,
                                              .usage = {usage->memory_bytes, usage->private_bytes,
                                                        usage->memory_peak_bytes, usage->cpu_us,
                                                        usage->tasks, usage->storage_bytes}};
        }
}

static bool is_question(uint16_t type)
{
        return type == SANDBOX_MESSAGE_START || type == SANDBOX_MESSAGE_KILL ||
               type == SANDBOX_MESSAGE_ASK_USAGE || type == SANDBOX_MESSAGE_FORGET;
}

int sandbox_receive(struct sandbox *s, struct sandbox_event *ret)
{
        struct ipc_message message;
        int r;

        if (s->gone)
                return 0;
        r = ipc_receive(&s->channel, &message);
        if (r == -EAGAIN)
                return 0;
        if (r > 0) {
                r = sandbox_message_check(&message);
                if (r == 0 && !is_question(message.type)) {
                        *ret = event_of(&message);
                        return 1;
                }
                ipc_message_discard(&message);
                r = -EPROTO;
        }
        /* A spawner that talks nonsense ends as one that died: it notices. The
         * descriptor keeps its number, which the owner may still be watching. */
        s->gone = true;
        (void)shutdown(s->channel.fd, SHUT_RDWR);
        *ret = (struct sandbox_event){.kind = SANDBOX_GONE, .error = r < 0 ? r : -EPIPE};
        return 1;
}
