/* blink.c - blinks a LED of the board itself: commands of a handler module in C.
 *
 *     $ pifleet deploy blink.c
 *     $ pifleet call blink_start period_ms=200
 *     $ pifleet call blink_status
 *     $ pifleet call blink_stop
 *
 * The LED is one below /sys/class/leds, "ACT" on a Raspberry Pi; blink_leds lists
 * them. To write to it, the module needs the LED's folder among its `directories` and a group
 * among its `groups` in the agent's config, and a udev rule that gives the file `brightness`,
 * which is root's, to that group. A thread blinks between the calls, and its state is in static
 * variables: both live as long as the module is deployed. */
#include <pifleet/handler.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PERIOD_MS_MIN = 20, PERIOD_MS_MAX = 60000 };

/* What the thread and the commands share. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t stop_asked = PTHREAD_COND_INITIALIZER;
static bool stop;
static int64_t blinks;

/* What only the commands use, of which one runs at a time. */
static pthread_t thread;
static bool blinking;
static int led = -1;
static int64_t period_ms;

static void set_led(bool on)
{
        if (pwrite(led, on ? "1" : "0", 1, 0) < 0)
                perror("blink"); /* is found in `pifleet logs blink.c` */
}

/* Sleeps, but not longer than until blink_stop. The mutex is locked. */
static void wait_ms(int64_t ms)
{
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += (time_t)(ms / 1000);
        until.tv_nsec += (long)(ms % 1000) * 1000000;
        if (until.tv_nsec >= 1000000000) {
                until.tv_nsec -= 1000000000;
                until.tv_sec++;
        }
        while (!stop && pthread_cond_timedwait(&stop_asked, &mutex, &until) == 0)
                ;
}

static void *blink(void *half_period)
{
        int64_t half_ms = *(int64_t *)half_period / 2;

        pthread_mutex_lock(&mutex);
        while (!stop) {
                set_led(true);
                wait_ms(half_ms);
                set_led(false);
                wait_ms(half_ms);
                blinks++;
        }
        pthread_mutex_unlock(&mutex);
        return NULL;
}

static void stop_blinking(void)
{
        if (!blinking)
                return;
        pthread_mutex_lock(&mutex);
        stop = true;
        pthread_cond_signal(&stop_asked);
        pthread_mutex_unlock(&mutex);
        pthread_join(thread, NULL);
        close(led);
        led = -1;
        blinking = false;
}

static int open_led(struct pifleet_call *call, const char *name)
{
        char path[300];

        if (strchr(name, '/') || strlen(name) > 64)
                return pifleet_fail(call, "\"%s\" is no name of a LED: see blink_leds", name);
        snprintf(path, sizeof(path), "/sys/class/leds/%s/brightness", name);
        led = open(path, O_WRONLY | O_CLOEXEC);
        if (led < 0)
                return pifleet_fail(call, "the LED %s can't be used: %s", name, strerror(errno));
        return 0;
}

static int blink_start(struct pifleet_call *call)
{
        int64_t wanted_ms = pifleet_get_integer(call, "period_ms", 1000);
        int r;

        if (wanted_ms < PERIOD_MS_MIN || wanted_ms > PERIOD_MS_MAX)
                return pifleet_fail(call, "period_ms is %d to %d", PERIOD_MS_MIN, PERIOD_MS_MAX);
        stop_blinking();
        r = open_led(call, pifleet_get_text(call, "led", "ACT"));
        if (r != 0)
                return r;
        period_ms = wanted_ms;
        stop = false;
        r = pthread_create(&thread, NULL, blink, &period_ms);
        if (r != 0) {
                close(led);
                return -r; /* an errno: its text is what the caller is told */
        }
        blinking = true;
        pifleet_put_integer(call, "period_ms", period_ms);
        return 0;
}

static int blink_stop(struct pifleet_call *call)
{
        pifleet_put_bool(call, "was_blinking", blinking);
        stop_blinking();
        return 0;
}

static int blink_status(struct pifleet_call *call)
{
        pifleet_put_bool(call, "blinking", blinking);
        pthread_mutex_lock(&mutex);
        pifleet_put_integer(call, "blinks", blinks);
        pthread_mutex_unlock(&mutex);
        return 0;
}

static int blink_leds(struct pifleet_call *call)
{
        DIR *folder = opendir("/sys/class/leds");
        struct dirent *entry;

        pifleet_put_list(call, "leds");
        while (folder && (entry = readdir(folder)))
                if (entry->d_name[0] != '.')
                        pifleet_put_text(call, NULL, entry->d_name);
        pifleet_put_end(call);
        if (folder)
                closedir(folder);
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("blink_start", blink_start,
                               "Blinks a LED: led (ACT), period_ms (1000)."),
               PIFLEET_COMMAND("blink_stop", blink_stop, "Stops blinking."),
               PIFLEET_COMMAND("blink_status", blink_status,
                               "Does it blink, and how often has it?"),
               PIFLEET_COMMAND("blink_leds", blink_leds, "The LEDs of this board."))
