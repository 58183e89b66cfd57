#include "agent/gpio/pwm-software.h"
#include "base/attributes.h"
#include "base/clock.h"

#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <time.h>

enum { EDGES_MAX = 4096, PATIENCE_S = 60 };

/* A line that writes down when it was driven. */
struct line {
        pthread_mutex_t lock;
        pthread_cond_t driven;
        size_t count;
        bool levels[EDGES_MAX];
        uint64_t times_ns[EDGES_MAX];
        int result;
};

#define LINE                                                                                       \
        {                                                                                          \
                .lock = PTHREAD_MUTEX_INITIALIZER, .driven = PTHREAD_COND_INITIALIZER              \
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
        pthread_cond_signal(&line->driven);
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
        struct timespec until;
        int r = 0;

        CHECK_EQ(clock_gettime(CLOCK_REALTIME, &until), 0);
        until.tv_sec += PATIENCE_S;
        pthread_mutex_lock(&line->lock);
        while (line->count < count && r == 0)
                r = pthread_cond_timedwait(&line->driven, &line->lock, &until);
        pthread_mutex_unlock(&line->lock);
        CHECK_EQ(r, 0);
}

/* However slow the machine is, an edge may be late, and never early. That they keep to
 * their times in the long run is for test-pwm-edges.c, whose clock is its own. */
static void check_none_is_early(const struct line *line, uint64_t start_ns, uint64_t high_ns,
                                uint64_t period_ns)
{
        for (size_t i = 0; i < line->count; i++) {
                CHECK_EQ(line->levels[i], i % 2 == 0);
                CHECK(line->times_ns[i] >= start_ns + i / 2 * period_ns + i % 2 * high_ns);
        }
}

TEST(edges_alternate_and_none_is_early)
{
        AUTO(gpio_pwm_group) struct gpio_pwm_group *group = NULL;
        static struct line line = LINE;
        struct gpio_pwm *pwm;
        uint64_t start_ns;

        CHECK_EQ(gpio_pwm_group_new(&group), 0);
        CHECK_EQ(gpio_pwm_software_new(group, line_drive, &line, &pwm), 0);
        start_ns = clock_monotonic_ns();
        CHECK_EQ(gpio_pwm_set(pwm, 0.25, 200), 0);
        CHECK(!pwm->operations->hardware);
        await_edges(&line, 101);
        CHECK_EQ(gpio_pwm_software_error(pwm), 0);
        gpio_pwm_free(pwm);
        CHECK(!line.levels[--line.count]);
        check_none_is_early(&line, start_ns, 1250000, 5000000);
}

TEST(nothing_and_everything_have_no_edges)
{
        AUTO(gpio_pwm_group) struct gpio_pwm_group *group = NULL;
        static struct line line = LINE, other = LINE;
        struct gpio_pwm *pwm, *running;

        CHECK_EQ(gpio_pwm_group_new(&group), 0);
        CHECK_EQ(gpio_pwm_software_new(group, line_drive, &line, &pwm), 0);
        CHECK_EQ(gpio_pwm_software_new(group, line_drive, &other, &running), 0);
        CHECK_EQ(gpio_pwm_set(pwm, 1, 1000), 0);
        CHECK_EQ(gpio_pwm_set(running, 0.5, 500), 0);
        await_edges(&other, 11);
        CHECK_EQ(line_count(&line), 1);
        CHECK_EQ(gpio_pwm_set(pwm, 0, 0), 0);
        CHECK(pwm->frequency_hz == 1000);
        await_edges(&other, line_count(&other) + 10);
        CHECK_EQ(line_count(&line), 2);
        CHECK(line.levels[0] && !line.levels[1]);
        gpio_pwm_free(pwm);
        CHECK_EQ(line_count(&line), 3);
        CHECK(!line.levels[2]);
        gpio_pwm_free(running);
}

TEST(a_stopped_channel_has_no_edges_and_the_others_go_on)
{
        AUTO(gpio_pwm_group) struct gpio_pwm_group *group = NULL;
        static struct line line = LINE, other = LINE;
        struct gpio_pwm *pwm, *running;
        size_t count;

        CHECK_EQ(gpio_pwm_group_new(&group), 0);
        CHECK_EQ(gpio_pwm_software_new(group, line_drive, &line, &pwm), 0);
        CHECK_EQ(gpio_pwm_software_new(group, line_drive, &other, &running), 0);
        CHECK_EQ(gpio_pwm_set(pwm, 0.5, 500), 0);
        CHECK_EQ(gpio_pwm_set(running, 0.5, 500), 0);
        await_edges(&line, 5);
        CHECK_EQ(gpio_pwm_stop(pwm), 0);
        count = line_count(&line);
        CHECK(!line.levels[count - 1]);
        await_edges(&other, line_count(&other) + 10);
        CHECK_EQ(line_count(&line), count);
        gpio_pwm_free(pwm);
        gpio_pwm_free(running);
}

TEST(channels_of_one_group_keep_their_own_times)
{
        AUTO(gpio_pwm_group) struct gpio_pwm_group *group = NULL;
        static struct line fast = LINE, slow = LINE;
        struct gpio_pwm *first, *second;
        uint64_t start_ns;

        CHECK_EQ(gpio_pwm_group_new(&group), 0);
        CHECK_EQ(gpio_pwm_software_new(group, line_drive, &slow, &first), 0);
        CHECK_EQ(gpio_pwm_software_new(group, line_drive, &fast, &second), 0);
        start_ns = clock_monotonic_ns();
        CHECK_EQ(gpio_pwm_set(first, 0.5, 50), 0);
        CHECK_EQ(gpio_pwm_set(second, 0.5, 500), 0);
        await_edges(&slow, 11);
        await_edges(&fast, 101);
        gpio_pwm_free(first);
        gpio_pwm_free(second);
        slow.count--, fast.count--;
        check_none_is_early(&slow, start_ns, 10000000, 20000000);
        check_none_is_early(&fast, start_ns, 1000000, 2000000);
}

TEST(a_channel_does_not_wait_for_the_edge_of_another)
{
        AUTO(gpio_pwm_group) struct gpio_pwm_group *group = NULL;
        static struct line fast = LINE, slow = LINE;
        struct gpio_pwm *first, *second;

        CHECK_EQ(gpio_pwm_group_new(&group), 0);
        CHECK_EQ(gpio_pwm_software_new(group, line_drive, &slow, &first), 0);
        CHECK_EQ(gpio_pwm_software_new(group, line_drive, &fast, &second), 0);
        CHECK_EQ(gpio_pwm_set(first, 0.5, 0.0001), 0);
        CHECK_EQ(gpio_pwm_set(second, 0.5, 500), 0);
        await_edges(&fast, 21);
        CHECK_EQ(line_count(&slow), 1);
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
