#include "agent/handler/spawner.h"

#include "base/attributes.h"
#include "loop/io.h"
#include "loop/timer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ORPHANS_MAX = 512, EVENTS_A_ROUND = 64 };

/* Watches one sandbox; its memory outlives it by a round. */
struct watch {
        struct loop_io io;
        struct spawner *spawner;
};

struct spawner {
        struct loop *loop;
        const struct sandbox_options *options;
        spawner_state_fn *on_state;
        void *owner;
        struct sandbox *sandbox; /* NULL: gone, and the timer is set */
        struct watch *watch;
        struct sandbox_walls walls;
        bool up;
        struct list programs;
        uint64_t last_id;
        uint64_t orphans[ORPHANS_MAX]; /* forgotten while their kill was not taken */
        size_t orphans_count;
        struct loop_timer retry_start, retry_kill;
        uint64_t wait_ms; /* before the next start; 0: at once */
};

static void watch_free(struct loop_io *io)
{
        free(container_of(io, struct watch, io));
}

static void close_sandbox(struct spawner *spawner)
{
        if (spawner->watch)
                loop_io_close(&TAKE(spawner->watch)->io, watch_free);
        spawner->sandbox = sandbox_free(spawner->sandbox);
        spawner->up = false;
        spawner->walls = (struct sandbox_walls){0};
        spawner->orphans_count = 0;
}

static void program_leave(struct spawner_program *program)
{
        list_remove(&program->link);
        program->id = 0;
        program->kill_wanted = false;
}

/* Everything that ran has died with it. */
static void spawner_lost(struct spawner *spawner, int error)
{
        const struct sandbox_event gone = {.kind = SANDBOX_GONE, .error = error};
        struct list lost, *link;
        bool was_up = spawner->up;

        close_sandbox(spawner);
        loop_timer_start(&spawner->retry_start, spawner->wait_ms);
        spawner->wait_ms = spawner->wait_ms == 0 ? 1000 : 2 * spawner->wait_ms;
        if (spawner->wait_ms > SPAWNER_RETRY_MAX_MS)
                spawner->wait_ms = SPAWNER_RETRY_MAX_MS;
        list_init(&lost);
        list_splice(&lost, &spawner->programs);
        while ((link = list_take_first(&lost))) {
                struct spawner_program *program = container_of(link, struct spawner_program, link);

                program_leave(program);
                program->on_event(program, &gone);
        }
        if (was_up || error != -EPIPE)
                spawner->on_state(spawner->owner, false, strerror(-error));
}

static void deliver(struct spawner *spawner, const struct sandbox_event *event)
{
        list_for_each (&spawner->programs, position) {
                struct spawner_program *program =
                        container_of(position, struct spawner_program, link);

                if (program->id != event->id)
                        continue;
                if (event->kind == SANDBOX_ENDED || event->kind == SANDBOX_FAILED)
                        program_leave(program);
                program->on_event(program, event);
                return;
        }
}

static void spawner_on_ready(struct loop_io *io, unsigned events)
{
        struct spawner *spawner = container_of(io, struct watch, io)->spawner;
        struct sandbox_event event;

        (void)events;
        for (unsigned i = 0; i < EVENTS_A_ROUND && spawner->sandbox &&
                             sandbox_receive(spawner->sandbox, &event) > 0;
             i++) {
                switch (event.kind) {
                case SANDBOX_READY:
                        spawner->walls = event.walls;
                        spawner->up = true;
                        spawner->on_state(spawner->owner, true, "");
                        break;
                case SANDBOX_GONE:
                        spawner_lost(spawner, event.error);
                        return;
                default:
                        spawner->wait_ms = 0;
                        deliver(spawner, &event);
                }
        }
}

static int try_open(struct spawner *spawner)
{
        struct watch *watch = calloc(1, sizeof(*watch));
        int r;

        if (!watch)
                return -ENOMEM;
        watch->spawner = spawner;
        r = sandbox_new(spawner->options, &spawner->sandbox, NULL);
        if (r == 0) {
                r = loop_io_open(&watch->io, spawner->loop, sandbox_descriptor(spawner->sandbox),
                                 spawner_on_ready);
                if (r == 0) {
                        loop_io_watch(&watch->io, LOOP_READABLE);
                        spawner->watch = watch;
                        return 0;
                }
                spawner->sandbox = sandbox_free(spawner->sandbox);
        }
        free(watch);
        return r;
}

static void on_retry_start(struct loop_timer *timer)
{
        struct spawner *spawner = container_of(timer, struct spawner, retry_start);
        int r = try_open(spawner);

        if (r < 0)
                spawner_lost(spawner, r);
}

static int ask_kill(struct spawner *spawner, uint64_t id)
{
        int r = spawner->sandbox ? sandbox_kill(spawner->sandbox, id) : 0;

        /* Of a spawner that is gone, nothing lives. */
        return r == -EPIPE ? 0 : r;
}

static void on_retry_kill(struct loop_timer *timer)
{
        struct spawner *spawner = container_of(timer, struct spawner, retry_kill);
        bool again = false;

        list_for_each (&spawner->programs, position) {
                struct spawner_program *program =
                        container_of(position, struct spawner_program, link);

                if (program->kill_wanted) {
                        program->kill_wanted = ask_kill(spawner, program->id) < 0;
                        again |= program->kill_wanted;
                }
        }
        while (spawner->orphans_count > 0 &&
               ask_kill(spawner, spawner->orphans[spawner->orphans_count - 1]) == 0)
                spawner->orphans_count--;
        if (again || spawner->orphans_count > 0)
                loop_timer_start(timer, SPAWNER_KILL_RETRY_MS);
}

int spawner_new(struct loop *loop, const struct sandbox_options *options,
                spawner_state_fn *on_state, void *owner, struct spawner **ret)
{
        struct spawner *spawner = calloc(1, sizeof(*spawner));
        int r;

        if (!spawner)
                return -ENOMEM;
        spawner->loop = loop;
        spawner->options = options;
        spawner->on_state = on_state;
        spawner->owner = owner;
        list_init(&spawner->programs);
        loop_timer_init(&spawner->retry_start, loop, on_retry_start);
        loop_timer_init(&spawner->retry_kill, loop, on_retry_kill);
        r = try_open(spawner);
        if (r == -ENOMEM) {
                free(spawner);
                return r;
        }
        /* A device without a spawner still serves its built-in commands. */
        *ret = spawner;
        if (r < 0)
                spawner_lost(spawner, r);
        return 0;
}

struct spawner *spawner_free(struct spawner *spawner)
{
        struct list *link;

        if (!spawner)
                return NULL;
        while ((link = list_take_first(&spawner->programs)))
                program_leave(container_of(link, struct spawner_program, link));
        loop_timer_stop(&spawner->retry_start);
        loop_timer_stop(&spawner->retry_kill);
        close_sandbox(spawner);
        free(spawner);
        return NULL;
}

bool spawner_is_up(const struct spawner *spawner)
{
        return spawner->up;
}

const struct sandbox_walls *spawner_walls(const struct spawner *spawner)
{
        return &spawner->walls;
}

int spawner_start(struct spawner *spawner, struct spawner_program *program,
                  const struct sandbox_program *what, spawner_event_fn *on_event)
{
        int r;

        if (!spawner->sandbox)
                return -EPIPE;
        r = sandbox_start(spawner->sandbox, spawner->last_id + 1, what);
        if (r < 0)
                return r;
        *program = (struct spawner_program){
                .spawner = spawner, .id = ++spawner->last_id, .on_event = on_event};
        list_append(&spawner->programs, &program->link);
        return 0;
}

void spawner_kill(struct spawner_program *program)
{
        if (program->id == 0 || program->kill_wanted)
                return;
        if (ask_kill(program->spawner, program->id) < 0) {
                program->kill_wanted = true;
                loop_timer_start(&program->spawner->retry_kill, SPAWNER_KILL_RETRY_MS);
        }
}

void spawner_forget(struct spawner_program *program)
{
        struct spawner *spawner = program->spawner;

        if (program->id == 0)
                return;
        /* No room for the id of one more: its descendants end with its channel, or with the
         * spawner, at the latest. */
        if (ask_kill(spawner, program->id) < 0 && spawner->orphans_count < ORPHANS_MAX) {
                spawner->orphans[spawner->orphans_count++] = program->id;
                loop_timer_start(&spawner->retry_kill, SPAWNER_KILL_RETRY_MS);
        }
        program_leave(program);
}

void spawner_forget_name(struct spawner *spawner, const char *name)
{
        if (spawner->sandbox)
                (void)sandbox_forget(spawner->sandbox, name);
}

void spawner_ask_usage(struct spawner_program *program)
{
        /* One that cannot be asked now is answered with what is known of it. */
        if (program->id != 0 && program->spawner->sandbox)
                (void)sandbox_ask_usage(program->spawner->sandbox, program->id);
}

/* What the spawner refuses by its policy, and which option widens that; NULL: something else. */
static const char *remedy_of(const struct sandbox_event *event)
{
        if (event->error == -EUSERS)
                return "; no user id is left: remove what nobody needs from data/ in the "
                       "spawner's folder, or start pifleet-spawner with more --uids";
        if (event->step == SANDBOX_STEP_DIRECTORIES && event->error == -EROFS)
                return "; if systemd starts pifleet-spawner, its unit needs ReadWritePaths= "
                       "with that folder";
        if (event->error != -EACCES || event->where[0] == '\0')
                return NULL;
        switch (event->step) {
        case SANDBOX_STEP_DIRECTORIES:
                return "; give modules a folder below /home, /srv, /mnt or /media, or start "
                       "pifleet-spawner with --allow-shared (and ReadWritePaths= in its unit)";
        case SANDBOX_STEP_DEVICES:
                return "; to grant it, start pifleet-spawner with --allow-device";
        case SANDBOX_STEP_IDENTITY:
                return "; to grant it, start pifleet-spawner with --allow-group";
        default:
                return NULL;
        }
}

void spawner_failure_text(const struct sandbox_event *event, char *ret, size_t size)
{
        const char *remedy = remedy_of(event);

        snprintf(ret, size, "%s (%s%s%.80s)%s", strerror(-event->error),
                 sandbox_step_name(event->step), event->where[0] != '\0' ? " " : "", event->where,
                 remedy ? remedy : "");
}
