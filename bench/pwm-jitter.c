/* bench-pwm-jitter - how late the edges of software PWM are.
 *
 * Unlike the other programs here it is built from what it measures: there is no
 * other way to see an edge of a simulated chip. Each edge is timed when the line
 * has been set, against the ideal grid that begins with the first edge; whole
 * periods that were skipped count as lost. One line of JSON, times in us. */
#include "agent/gpio/pwm-software.h"
#include "agent/gpio/sim.h"
#include "base/clock.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { CHANNELS_MAX = 28 };

struct line {
        struct gpio_request *request;
        struct gpio_pwm *pwm;
        uint64_t *edges_ns;
        size_t count, capacity;
};

static int line_drive(void *context, bool value)
{
        struct line *line = context;
        int r = gpio_request_set(line->request, 1, value);

        if (line->count < line->capacity)
                line->edges_ns[line->count++] = clock_monotonic_ns();
        return r;
}

static int by_size(const void *a, const void *b)
{
        uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

        return x < y ? -1 : x > y;
}

static void line_open(struct line *line, struct gpio_chip *chip, struct gpio_pwm_group *group,
                      unsigned offset, size_t capacity)
{
        const struct gpio_line_config output = {.direction = GPIO_DIRECTION_OUTPUT};
        int r;

        line->capacity = capacity;
        line->edges_ns = calloc(capacity, sizeof(*line->edges_ns));
        if (!line->edges_ns)
                err(1, "edges");
        r = gpio_chip_request(chip, "jitter", &offset, &output, 1, &line->request);
        if (r == 0)
                r = gpio_pwm_software_new(group, line_drive, line, &line->pwm);
        if (r < 0)
                errx(1, "GPIO%u: %s", offset, strerror(-r));
}

/* How late each edge came, appended to `late`. The edges of one period are two. */
static size_t line_lateness(const struct line *line, uint64_t period_ns, uint64_t high_ns,
                            uint64_t *late)
{
        for (size_t i = 0; i < line->count; i++) {
                uint64_t since = line->edges_ns[i] - line->edges_ns[0];

                if (i % 2 == 1)
                        since = since > high_ns ? since - high_ns : 0;
                late[i] = since % period_ns;
        }
        return line->count;
}

static void report(const struct line lines[], unsigned channels, double frequency_hz, double duty,
                   double seconds)
{
        uint64_t period_ns = (uint64_t)(1e9 / frequency_hz);
        uint64_t high_ns = (uint64_t)(duty * (double)period_ns + 0.5);
        size_t total = 0, count = 0, ideal = 0;
        uint64_t *late;

        for (unsigned i = 0; i < channels; i++)
                total += lines[i].count;
        late = calloc(total + 1, sizeof(*late));
        if (!late)
                err(1, "edges");
        for (unsigned i = 0; i < channels; i++) {
                uint64_t span = lines[i].edges_ns[lines[i].count - 1] - lines[i].edges_ns[0];

                ideal += (size_t)(span / period_ns) * 2 + 1;
                count += line_lateness(&lines[i], period_ns, high_ns, late + count);
        }
        qsort(late, count, sizeof(*late), by_size);
        printf("{\"channels\":%u,\"frequency\":%g,\"duty\":%g,\"seconds\":%g,\"edges\":%zu,"
               "\"lost\":%zu,\"late_us\":{\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f}}\n",
               channels, frequency_hz, duty, seconds, count, ideal > count ? ideal - count : 0,
               (double)late[count / 2] / 1e3, (double)late[count * 99 / 100] / 1e3,
               (double)late[count - 1] / 1e3);
        free(late);
}

static double number(const char *text, double minimum, double maximum)
{
        char *end;
        double value = strtod(text, &end);

        if (end == text || *end != '\0' || !(value >= minimum && value <= maximum))
                errx(2, "%s: expected a number from %g to %g", text, minimum, maximum);
        return value;
}

int main(int argc, char *argv[])
{
        double seconds = argc > 1 ? number(argv[1], 0.1, 600) : 10;
        double frequency_hz = argc > 2 ? number(argv[2], 1, GPIO_PWM_SOFTWARE_MAX_HZ) : 100;
        unsigned channels = argc > 3 ? (unsigned)number(argv[3], 1, CHANNELS_MAX) : 1;
        double duty = argc > 4 ? number(argv[4], 0.01, 0.99) : 0.25;
        struct line lines[CHANNELS_MAX] = {0};
        struct gpio_pwm_group *group;
        struct gpio_chip *chip;
        struct timespec wait;
        int r;

        if (argc > 5 || (argc > 1 && argv[1][0] == '-')) {
                fputs("usage: bench-pwm-jitter [SECONDS [HZ [CHANNELS [DUTY]]]]\n", stderr);
                return 2;
        }
        wait.tv_sec = (time_t)seconds;
        wait.tv_nsec = (long)((seconds - (double)wait.tv_sec) * 1e9);
        r = gpio_sim_new(NULL, &chip);
        if (r == 0)
                r = gpio_pwm_group_new(&group);
        if (r < 0)
                errx(1, "%s", strerror(-r));
        for (unsigned i = 0; i < channels; i++)
                line_open(&lines[i], chip, group, i, (size_t)(seconds * frequency_hz * 2) + 64);
        for (unsigned i = 0; i < channels; i++) {
                r = gpio_pwm_set(lines[i].pwm, duty, frequency_hz);
                if (r < 0)
                        errx(1, "%s", strerror(-r));
        }
        while (nanosleep(&wait, &wait) < 0 && errno == EINTR)
                continue;
        for (unsigned i = 0; i < channels; i++) {
                gpio_pwm_free(lines[i].pwm);
                /* What the end adds is no edge of the signal. */
                lines[i].count--;
        }
        report(lines, channels, frequency_hz, duty, seconds);
        for (unsigned i = 0; i < channels; i++) {
                gpio_request_free(lines[i].request);
                free(lines[i].edges_ns);
        }
        gpio_pwm_group_free(group);
        gpio_chip_free(chip);
        return 0;
}
