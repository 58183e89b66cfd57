#include "agent/gpio/pwm-software.h"

#include "agent/gpio/pwm-edges.h"
#include "base/attributes.h"
#include "base/clock.h"
#include "base/thread.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <time.h>

enum {
        STACK_BYTES = 256 << 10, /* arm64 takes no less than 128 KiB */
        PRIORITY = 10,           /* above everything ordinary, below the supervisor's */
        NS_PER_SECOND = 1000000000,
};

struct channel {
        struct gpio_pwm pwm;
        struct gpio_pwm_group *group;
        gpio_pwm_drive_fn *drive;
        void *context;
        bool runs; /* has edges */
        struct gpio_pwm_edges edges;
        int error;
};

struct gpio_pwm_group {
        pthread_t thread;
        bool has_thread;
        pthread_mutex_t lock; /* protects what follows, and who drives */
        pthread_cond_t changed;
        bool ends;
        struct channel *channels[GPIO_PWM_SOFTWARE_CHANNELS];
};

static struct channel *channel_of(struct gpio_pwm *pwm)
{
        return container_of(pwm, struct channel, pwm);
}

static int channel_drive(struct channel *channel, bool level)
{
        int r = channel->drive(channel->context, level);

        if (r < 0 && channel->error == 0)
                channel->error = r;
        return r;
}

/* When the next edge of any channel is due; UINT64_MAX: never. */
static uint64_t group_step(struct gpio_pwm_group *group)
{
        uint64_t next = UINT64_MAX, now = clock_monotonic_ns();

        for (size_t i = 0; i < GPIO_PWM_SOFTWARE_CHANNELS; i++) {
                struct channel *channel = group->channels[i];

                if (!channel || !channel->runs)
                        continue;
                if (channel->edges.due_ns <= now)
                        (void)channel_drive(channel, gpio_pwm_edges_step(&channel->edges, now));
                if (channel->edges.due_ns < next)
                        next = channel->edges.due_ns;
        }
        return next;
}

/* A wait on a condition with an absolute time rather than clock_nanosleep(): the
 * same timer of the kernel, but a channel that is set need not wait for the edge of
 * another. */
static void group_sleep(struct gpio_pwm_group *group, uint64_t until_ns)
{
        const struct timespec until = {.tv_sec = (time_t)(until_ns / NS_PER_SECOND),
                                       .tv_nsec = (long)(until_ns % NS_PER_SECOND)};

        if (until_ns == UINT64_MAX)
                pthread_cond_wait(&group->changed, &group->lock);
        else
                (void)pthread_cond_timedwait(&group->changed, &group->lock, &until);
}

static void *group_main(void *argument)
{
        const struct sched_param parameters = {.sched_priority = PRIORITY};
        struct gpio_pwm_group *group = argument;

        /* Both as far as we may: without them edges are later, and no less right. */
        (void)prctl(PR_SET_TIMERSLACK, 1);
        (void)pthread_setschedparam(pthread_self(), SCHED_FIFO | SCHED_RESET_ON_FORK, &parameters);
        pthread_mutex_lock(&group->lock);
        while (!group->ends) {
                uint64_t next = group_step(group);

                if (next > clock_monotonic_ns())
                        group_sleep(group, next);
        }
        pthread_mutex_unlock(&group->lock);
        return NULL;
}

static int group_start(struct gpio_pwm_group *group)
{
        int r;

        if (group->has_thread)
                return 0;
        r = thread_new("pwm", STACK_BYTES, group_main, group, &group->thread);
        group->has_thread = r == 0;
        return r;
}

/* So that whoever sets a channel does not hold up the edges of the others. */
static int init_lock(pthread_mutex_t *lock)
{
        pthread_mutexattr_t attributes;
        int r = pthread_mutexattr_init(&attributes);

        if (r != 0)
                return -r;
        (void)pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
        r = pthread_mutex_init(lock, &attributes);
        pthread_mutexattr_destroy(&attributes);
        return -r;
}

static int init_condition(pthread_cond_t *condition)
{
        pthread_condattr_t attributes;
        int r = pthread_condattr_init(&attributes);

        if (r != 0)
                return -r;
        r = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        if (r == 0)
                r = pthread_cond_init(condition, &attributes);
        pthread_condattr_destroy(&attributes);
        return -r;
}

int gpio_pwm_group_new(struct gpio_pwm_group **ret)
{
        AUTO_FREE struct gpio_pwm_group *group = calloc(1, sizeof(*group));
        int r;

        if (!group)
                return -ENOMEM;
        r = init_lock(&group->lock);
        if (r < 0)
                return r;
        r = init_condition(&group->changed);
        if (r < 0) {
                pthread_mutex_destroy(&group->lock);
                return r;
        }
        *ret = TAKE(group);
        return 0;
}

struct gpio_pwm_group *gpio_pwm_group_free(struct gpio_pwm_group *group)
{
        if (!group)
                return NULL;
        pthread_mutex_lock(&group->lock);
        group->ends = true;
        pthread_cond_signal(&group->changed);
        pthread_mutex_unlock(&group->lock);
        if (group->has_thread)
                pthread_join(group->thread, NULL);
        pthread_cond_destroy(&group->changed);
        pthread_mutex_destroy(&group->lock);
        free(group);
        return NULL;
}

/* Without edges: the level is set and stays. */
static int channel_hold(struct channel *channel, bool level)
{
        int r;

        pthread_mutex_lock(&channel->group->lock);
        channel->runs = false;
        r = channel_drive(channel, level);
        pthread_mutex_unlock(&channel->group->lock);
        return r;
}

static int software_set(struct gpio_pwm *pwm, uint64_t period_ns, uint64_t high_ns)
{
        struct channel *channel = channel_of(pwm);
        struct gpio_pwm_group *group = channel->group;
        int r = 0;

        if (period_ns < NS_PER_SECOND / GPIO_PWM_SOFTWARE_MAX_HZ)
                return -ERANGE;
        if (high_ns == 0 || high_ns == period_ns)
                return channel_hold(channel, high_ns > 0);
        pthread_mutex_lock(&group->lock);
        channel->edges.period_ns = period_ns;
        channel->edges.high_ns = high_ns;
        /* One that runs takes the new times with its next edge: no short pulse. */
        if (!channel->runs) {
                gpio_pwm_edges_start(&channel->edges, clock_monotonic_ns());
                r = channel_drive(channel, channel->edges.level);
                channel->runs = r == 0;
                pthread_cond_signal(&group->changed);
        }
        pthread_mutex_unlock(&group->lock);
        return r;
}

static int software_stop(struct gpio_pwm *pwm)
{
        return channel_hold(channel_of(pwm), false);
}

static void software_free(struct gpio_pwm *pwm)
{
        struct channel *channel = channel_of(pwm);
        struct gpio_pwm_group *group = channel->group;

        pthread_mutex_lock(&group->lock);
        for (size_t i = 0; i < GPIO_PWM_SOFTWARE_CHANNELS; i++)
                if (group->channels[i] == channel)
                        group->channels[i] = NULL;
        pthread_mutex_unlock(&group->lock);
        free(channel);
}

static const struct gpio_pwm_operations software_operations = {
        .set = software_set, .stop = software_stop, .free = software_free, .hardware = false};

int gpio_pwm_software_new(struct gpio_pwm_group *group, gpio_pwm_drive_fn *drive, void *context,
                          struct gpio_pwm **ret)
{
        AUTO_FREE struct channel *channel = calloc(1, sizeof(*channel));
        size_t place = 0;
        int r;

        if (!channel)
                return -ENOMEM;
        *channel = (struct channel){.pwm.operations = &software_operations,
                                    .group = group,
                                    .drive = drive,
                                    .context = context};
        r = group_start(group);
        if (r < 0)
                return r;
        pthread_mutex_lock(&group->lock);
        while (place < GPIO_PWM_SOFTWARE_CHANNELS && group->channels[place])
                place++;
        if (place < GPIO_PWM_SOFTWARE_CHANNELS)
                group->channels[place] = channel;
        pthread_mutex_unlock(&group->lock);
        if (place == GPIO_PWM_SOFTWARE_CHANNELS)
                return -ENOSPC;
        *ret = &TAKE(channel)->pwm;
        return 0;
}

int gpio_pwm_software_error(struct gpio_pwm *pwm)
{
        struct channel *channel = channel_of(pwm);
        int error;

        pthread_mutex_lock(&channel->group->lock);
        error = channel->error;
        channel->error = 0;
        pthread_mutex_unlock(&channel->group->lock);
        return error;
}
