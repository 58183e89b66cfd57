#include "agent/gpio/pwm-software.h"
#include "base/attributes.h"
#include "base/clock.h"

#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <time.h>

enum { EDGES_MAX = 4096 };

/* A line that writes down when it was driven. */
struct line {
        pthread_mutex_t lock;
        size_t count;
        bool levels[EDGES_MAX];
        uint64_t times_ns[EDGES_MAX];
        int result;
};

#define LINE                                                                                       \
        {                                                                                          \
                .lock = PTHREAD_MUTEX_INITIALIZER                                                  \
        }

static int line_drive(void *context, bool value)
{
        struct line *line = context;
        int r;

        pthread_mutex_lock(&line->lock);
        if (line->count < EDGES_MAX) {
                line->levels[line->count] = value;
                line->times_ns[line->count++] = clock_monotonic_ns();
        }
        r = line->result;
        pthread_mutex_unlock(&line->lock);
        return r;
}

static size_t line_count(struct line *line)
{
        size_t count;

        pthread_mutex_lock(&line->lock);
        count = line->count;
        pthread_mutex_unlock(&line->lock);
        return count;
}

static void await_edges(struct line *line, size_t count)
{
        const struct timespec pause = {.tv_nsec = 1000000};

        for (unsigned i = 0; i < 20000 && line_count(line) < count; i++)
                nanosleep(&pause, NULL);
        CHECK(line_count(line) >= count);
}

TEST(edges_alternate_and_keep_to_their_times_in_the_long_run)
{
        AUTO(gpio_pwm_group) struct gpio_pwm_group *group = NULL;
        static struct line line = LINE;
        struct gpio_pwm *pwm;
        uint64_t span_ns, late_ns;

        CHECK_EQ(gpio_pwm_group_new(&group), 0);
        CHECK_EQ(gpio_pwm_software_new(group, line_drive, &line, &pwm), 0);
        CHECK_EQ(gpio_pwm_set(pwm, 0.25, 200), 0);
        CHECK(!pwm->operations->hardware);
        await_edges(&line, 101);
        CHECK_EQ(gpio_pwm_software_error(pwm), 0);
        gpio_pwm_free(pwm);
        for (size_t i = 0; i < 101; i++)
                CHECK_EQ(line.levels[i], i % 2 == 0);
        /* Fifty periods of 5 ms: no edge is early, and lateness does not add up. */
        span_ns = line.times_ns[100] - line.times_ns[0];
        CHECK(span_ns >= UINT64_C(249900000));
        late_ns = span_ns - UINT64_C(250000000);
        CHECK(span_ns < UINT64_C(250000000) || late_ns % 5000000 < 4000000);
        CHECK(!line.levels[line.count - 1]);
}

TEST(nothing_and_everything_have_no_edges)
{
        AUTO(gpio_pwm_group) struct gpio_pwm_group *group = NULL;
        const struct timespec pause = {.tv_nsec = 30000000};
        static struct line line = LINE;
        struct gpio_pwm *pwm;

        CHECK_EQ(gpio_pwm_group_new(&group), 0);
        CHECK_EQ(gpio_pwm_software_new(group, line_drive, &line, &pwm), 0);
        CHECK_EQ(gpio_pwm_set(pwm, 1, 1000), 0);
        CHECK_EQ(gpio_pwm_set(pwm, 0, 0), 0);
        CHECK(pwm->frequency_hz == 1000);
        nanosleep(&pause, NULL);
        CHECK_EQ(line_count(&line), 2);
        CHECK(line.levels[0] && !line.levels[1]);
        gpio_pwm_free(pwm);
        CHECK_EQ(line_count(&line), 3);
        CHECK(!line.levels[2]);
}

TEST(channels_of_one_group_keep_their_own_times)
{
        AUTO(gpio_pwm_group) struct gpio_pwm_group *group = NULL;
        static struct line fast = LINE, slow = LINE;
        struct gpio_pwm *first, *second;
        size_t fast_count, slow_count;

        CHECK_EQ(gpio_pwm_group_new(&group), 0);
        CHECK_EQ(gpio_pwm_software_new(group, line_drive, &slow, &first), 0);
        CHECK_EQ(gpio_pwm_software_new(group, line_drive, &fast, &second), 0);
        CHECK_EQ(gpio_pwm_set(first, 0.5, 50), 0);
        CHECK_EQ(gpio_pwm_set(second, 0.5, 500), 0);
        await_edges(&slow, 21);
        gpio_pwm_stop(first);
        gpio_pwm_stop(second);
        slow_count = line_count(&slow);
        fast_count = line_count(&fast);
        /* A busy machine may lose some of the fast ones. */
        CHECK(fast_count > 3 * slow_count && fast_count < 12 * slow_count);
        gpio_pwm_free(first);
        gpio_pwm_free(second);
}

static const struct {
        double duty, frequency_hz;
        int result;
} bad[] = {
        {-0.1, 100, -EINVAL}, {1.1, 100, -EINVAL},  {NAN, 100, -EINVAL},  {0.5, -1, -EINVAL},
        {0.5, NAN, -EINVAL},  {0.5, 1001, -ERANGE}, {0.5, 1e12, -ERANGE}, {0.5, 1e-9, -ERANGE},
};

TEST(what_is_no_signal_is_refused_and_changes_nothing)
{
        AUTO(gpio_pwm_group) struct gpio_pwm_group *group = NULL;
        static struct line line = LINE;
        struct gpio_pwm *pwm;

        CHECK_EQ(gpio_pwm_group_new(&group), 0);
        CHECK_EQ(gpio_pwm_software_new(group, line_drive, &line, &pwm), 0);
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                CHECK_EQ(gpio_pwm_set(pwm, bad[i].duty, bad[i].frequency_hz), bad[i].result);
        CHECK_EQ(line_count(&line), 0);
        CHECK(pwm->frequency_hz == 0);
        gpio_pwm_free(pwm);
        CHECK_NULL(gpio_pwm_free(NULL));
}

TEST(a_line_that_fails_is_told_of)
{
        AUTO(gpio_pwm_group) struct gpio_pwm_group *group = NULL;
        static struct line line = LINE;
        struct gpio_pwm *pwm;

        CHECK_EQ(gpio_pwm_group_new(&group), 0);
        CHECK_EQ(gpio_pwm_software_new(group, line_drive, &line, &pwm), 0);
        line.result = -EIO;
        CHECK_EQ(gpio_pwm_set(pwm, 0.5, 100), -EIO);
        CHECK_EQ(gpio_pwm_software_error(pwm), -EIO);
        CHECK_EQ(gpio_pwm_software_error(pwm), 0);
        gpio_pwm_free(pwm);
}

TEST(there_is_a_bound_and_without_memory_nothing)
{
        AUTO(gpio_pwm_group) struct gpio_pwm_group *group = NULL;
        struct gpio_pwm *channels[GPIO_PWM_SOFTWARE_CHANNELS], *more = NULL;
        static struct line line = LINE;

        allocation_fail_at(1);
        CHECK_EQ(gpio_pwm_group_new(&group), -ENOMEM);
        (void)allocation_end();
        CHECK_EQ(gpio_pwm_group_new(&group), 0);
        allocation_fail_at(1);
        CHECK_EQ(gpio_pwm_software_new(group, line_drive, &line, &more), -ENOMEM);
        (void)allocation_end();
        for (size_t i = 0; i < GPIO_PWM_SOFTWARE_CHANNELS; i++)
                CHECK_EQ(gpio_pwm_software_new(group, line_drive, &line, &channels[i]), 0);
        CHECK_EQ(gpio_pwm_software_new(group, line_drive, &line, &more), -ENOSPC);
        for (size_t i = 0; i < GPIO_PWM_SOFTWARE_CHANNELS; i++)
                gpio_pwm_free(channels[i]);
}
