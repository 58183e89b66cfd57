/* An agent that does nothing but hold lines and obey: for tests of the supervisor.
 *
 * It speaks through the real guard link. Lines are of a chip (--chip) or live in
 * memory (support/memory-lines.h), for a supervisor whose driver is a test's.
 * Commands come on stdin, a word a line; what happens is told on stdout. */
#include "agent/gpio/guard-link.h"

#include "base/attributes.h"
#include "loop/io.h"
#include "loop/signal.h"
#include "loop/timer.h"
#include "support/memory-lines.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/gpio.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

static const char usage[] =
        "usage: fake-agent [--chip PATH] [--line OFFSET:off|on|keep|input]... [--pwm FOLDER]\n"
        "                  [--memory MB] [--beat] [--stubborn] [--notify] [--exit STATUS]\n"
        "\n"
        "Commands: on (drives all lines away from their safe state), off, hang, freeze,\n"
        "stop, exit N, crash, free, nonsense, let-go, values.\n";

struct fake {
        const char *chip, *pwm;
        struct guard_hold hold;
        size_t memory;
        bool beat, stubborn, notify;

        struct loop *loop;
        struct guard_link *link;
        struct loop_io input;
        struct loop_timer beats;
        struct loop_signal terminate;
        int line_fd; /* -1: none */
        int pwm_fd;  /* its `enable`; -1: none */
};

static void say(const char *format, ...) PRINTF_LIKE(1, 2);

static void say(const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        vprintf(format, arguments);
        va_end(arguments);
        putchar('\n');
        fflush(stdout);
}

static uint64_t all_lines(const struct fake *fake)
{
        return fake->hold.lines_count == 64 ? UINT64_MAX
                                            : (UINT64_C(1) << fake->hold.lines_count) - 1;
}

static uint64_t safe_values(const struct fake *fake)
{
        uint64_t values = 0;

        for (size_t i = 0; i < fake->hold.lines_count; i++)
                if (fake->hold.actions[i] == GUARD_ON)
                        values |= UINT64_C(1) << i;
        return values;
}

static int set_lines(const struct fake *fake, uint64_t values)
{
        struct gpio_v2_line_values wanted = {.mask = all_lines(fake), .bits = values};

        if (!fake->chip)
                return memory_lines_driver.set_values(fake->line_fd, all_lines(fake), values);
        return ioctl(fake->line_fd, GPIO_V2_LINE_SET_VALUES_IOCTL, &wanted) < 0 ? -errno : 0;
}

static int get_lines(const struct fake *fake, uint64_t *ret)
{
        struct gpio_v2_line_values values = {.mask = all_lines(fake)};

        if (!fake->chip)
                return memory_lines_driver.get_values(fake->line_fd, all_lines(fake), ret);
        if (ioctl(fake->line_fd, GPIO_V2_LINE_GET_VALUES_IOCTL, &values) < 0)
                return -errno;
        *ret = values.bits & values.mask;
        return 0;
}

/* All lines outputs, with these levels. */
static void fill_config(const struct fake *fake, uint64_t values, struct gpio_v2_line_config *ret)
{
        *ret = (struct gpio_v2_line_config){.flags = GPIO_V2_LINE_FLAG_OUTPUT, .num_attrs = 1};
        ret->attrs[0].attr.id = GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES;
        ret->attrs[0].attr.values = values;
        ret->attrs[0].mask = all_lines(fake);
}

static int request_lines(struct fake *fake)
{
        struct gpio_v2_line_request request = {.num_lines = fake->hold.lines_count};
        int chip;

        if (!fake->chip) {
                fake->line_fd = memory_lines_new(all_lines(fake), safe_values(fake));
                return fake->line_fd < 0 ? fake->line_fd : 0;
        }
        chip = open(fake->chip, O_RDWR | O_CLOEXEC);
        if (chip < 0)
                return -errno;
        snprintf(request.consumer, sizeof(request.consumer), "%s", fake->hold.consumer);
        memcpy(request.offsets, fake->hold.offsets, sizeof(request.offsets));
        fill_config(fake, safe_values(fake), &request.config);
        if (ioctl(chip, GPIO_V2_GET_LINE_IOCTL, &request) < 0) {
                int r = -errno;

                close(chip);
                return r;
        }
        close(chip);
        fake->line_fd = request.fd;
        return 0;
}

static int drive_away(struct fake *fake)
{
        struct gpio_v2_line_config config;
        uint64_t values = ~safe_values(fake) & all_lines(fake);

        if (fake->pwm_fd >= 0 && pwrite(fake->pwm_fd, "1", 1, 0) != 1)
                return -errno;
        if (!fake->chip)
                return set_lines(fake, values);
        fill_config(fake, values, &config);
        return ioctl(fake->line_fd, GPIO_V2_LINE_SET_CONFIG_IOCTL, &config) < 0 ? -errno : 0;
}

static void notify_ready(void)
{
        const char *path = getenv("NOTIFY_SOCKET");
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        if (fd < 0 || !path || strlen(path) >= sizeof(address.sun_path))
                exit(EXIT_FAILURE);
        strcpy(address.sun_path, path);
        if (sendto(fd, "READY=1", 7, 0, (struct sockaddr *)&address, sizeof(address)) < 0)
                exit(EXIT_FAILURE);
        close(fd);
}

static void on_held(void *context, int error)
{
        struct fake *fake = context;

        if (error < 0)
                say("refused %d", error);
        else
                say("held %u", fake->hold.lines_count);
}

static void on_pwm_held(void *context, int error)
{
        say("pwm held %d", error);
}

static int hold_pwm(struct fake *fake)
{
        struct guard_hold hold = {.kind = GUARD_KIND_PWM, .lines_count = 1};
        char path[256];

        if (!fake->pwm)
                return 0;
        snprintf(path, sizeof(path), "%s/enable", fake->pwm);
        fake->pwm_fd = open(path, O_RDWR | O_CLOEXEC);
        if (fake->pwm_fd < 0)
                return -errno;
        snprintf(hold.consumer, sizeof(hold.consumer), "pifleet:fake");
        snprintf(hold.chip, sizeof(hold.chip), "%s", fake->pwm);
        hold.id = guard_link_new_id(fake->link);
        return guard_link_hold(fake->link, &hold, fake->pwm_fd, on_pwm_held, fake);
}

static void on_let_go(void *context, int error)
{
        struct fake *fake = context;

        close(fake->line_fd);
        fake->line_fd = -1;
        say("let go %d", error);
}

static void on_returned(void *owner, const struct guard_hold *hold, int descriptor)
{
        struct fake *fake = owner;
        uint64_t values = 0;
        int r;

        if (hold->kind == GUARD_KIND_PWM) {
                fake->pwm_fd = descriptor;
                return;
        }
        fake->hold = *hold;
        fake->line_fd = descriptor;
        r = get_lines(fake, &values);
        say("returned %u values=%llx result=%d", hold->lines_count, (unsigned long long)values, r);
}

static void on_ready(void *owner)
{
        struct fake *fake = owner;
        int r;

        say("ready %d", (int)getpid());
        if (fake->notify)
                notify_ready();
        if (fake->beat)
                guard_link_beat(fake->link);
        if (fake->hold.lines_count == 0 || fake->line_fd >= 0)
                return;
        r = hold_pwm(fake);
        if (r == 0)
                r = request_lines(fake);
        if (r == 0) {
                fake->hold.id = guard_link_new_id(fake->link);
                r = guard_link_hold(fake->link, &fake->hold, fake->line_fd, on_held, fake);
        }
        if (r < 0)
                say("cannot hold %d", r);
}

static void on_lost(void *owner, int reason)
{
        say("lost %d", reason);
}

static void on_beat(struct loop_timer *timer)
{
        struct fake *fake = container_of(timer, struct fake, beats);

        if (fake->beat && fake->link)
                guard_link_beat(fake->link);
        loop_timer_start(timer, GUARD_BEAT_MS / 2);
}

static void stop(struct fake *fake)
{
        if (fake->line_fd >= 0)
                (void)set_lines(fake, safe_values(fake));
        if (fake->link)
                (void)guard_link_stopping(fake->link);
        loop_stop(fake->loop, 0);
}

static void on_terminate(struct loop_signal *signal)
{
        struct fake *fake = container_of(signal, struct fake, terminate);

        say("terminated");
        if (!fake->stubborn)
                stop(fake);
}

static void freeze(void)
{
        say("frozen");
        for (;;)
                pause();
}

/* As the kernel sees it, without what a sanitizer makes of it. */
static void crash(void)
{
        (void)signal(SIGSEGV, SIG_DFL);
        (void)raise(SIGSEGV);
}

static void say_nonsense(void)
{
        /* The descriptors of a real agent are its link's: what is said here is said over
         * its head, by whatever socket there is. */
        for (int fd = 3; fd < 64; fd++) {
                int type = 0;
                socklen_t length = sizeof(type);

                if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 &&
                    type == SOCK_SEQPACKET)
                        (void)!write(fd, "nonsense", 8);
        }
}

static void say_values(struct fake *fake)
{
        uint64_t values = 0;
        int r = get_lines(fake, &values);

        say("values %llx result=%d", (unsigned long long)values, r);
}

static void obey(struct fake *fake, const char *command)
{
        int status;

        if (strcmp(command, "on") == 0)
                say("on %d", drive_away(fake));
        else if (strcmp(command, "off") == 0)
                say("off %d", set_lines(fake, safe_values(fake)));
        else if (strcmp(command, "values") == 0)
                say_values(fake);
        else if (strcmp(command, "hang") == 0)
                fake->beat = false;
        else if (strcmp(command, "freeze") == 0)
                freeze();
        else if (strcmp(command, "stop") == 0)
                stop(fake);
        else if (strcmp(command, "crash") == 0)
                crash();
        else if (strcmp(command, "free") == 0)
                fake->link = guard_link_free(fake->link);
        else if (strcmp(command, "nonsense") == 0)
                say_nonsense();
        else if (strcmp(command, "let-go") == 0)
                (void)guard_link_let_go(fake->link, fake->hold.id, on_let_go, fake);
        else if (sscanf(command, "exit %d", &status) == 1)
                _exit(status);
        else
                say("unknown command: %s", command);
}

static void on_input(struct loop_io *io, unsigned events)
{
        struct fake *fake = container_of(io, struct fake, input);
        char text[256];
        ssize_t count = read(STDIN_FILENO, text, sizeof(text) - 1);

        if (count <= 0) {
                loop_io_watch(io, 0);
                return;
        }
        text[count] = '\0';
        for (char *rest = text, *line; (line = strtok_r(rest, "\n", &rest));)
                obey(fake, line);
}

static void add_line(struct fake *fake, const char *text)
{
        static const char *const actions[] = {"off", "on", "keep", "input"};
        struct guard_hold *hold = &fake->hold;
        unsigned offset;
        char word[16];

        if (hold->lines_count == GUARD_LINES_MAX || sscanf(text, "%u:%15s", &offset, word) != 2)
                exit(2);
        for (uint8_t i = 0; i < ARRAY_SIZE(actions); i++) {
                if (strcmp(word, actions[i]) != 0)
                        continue;
                hold->offsets[hold->lines_count] = offset;
                hold->actions[hold->lines_count] = i;
                hold->flags[hold->lines_count++] = GPIO_V2_LINE_FLAG_OUTPUT;
                return;
        }
        exit(2);
}

static void parse(struct fake *fake, int argc, char *argv[])
{
        static const struct option known[] = {
                {"chip", required_argument, NULL, 'c'},
                {"line", required_argument, NULL, 'l'},
                {"memory", required_argument, NULL, 'm'},
                {"beat", no_argument, NULL, 'b'},
                {"stubborn", no_argument, NULL, 's'},
                {"notify", no_argument, NULL, 'n'},
                {"exit", required_argument, NULL, 'e'},
                {"pwm", required_argument, NULL, 'p'},
                {NULL, 0, NULL, 0},
        };
        int letter;

        while ((letter = getopt_long(argc, argv, "", known, NULL)) >= 0) {
                if (letter == 'c')
                        fake->chip = optarg;
                else if (letter == 'p')
                        fake->pwm = optarg;
                else if (letter == 'l')
                        add_line(fake, optarg);
                else if (letter == 'm')
                        fake->memory = (size_t)atoi(optarg) << 20;
                else if (letter == 'b')
                        fake->beat = true;
                else if (letter == 's')
                        fake->stubborn = true;
                else if (letter == 'n')
                        fake->notify = true;
                else if (letter == 'e')
                        exit(atoi(optarg));
                else {
                        fputs(usage, stderr);
                        exit(2);
                }
        }
        fake->hold.kind = GUARD_KIND_LINES;
        snprintf(fake->hold.consumer, sizeof(fake->hold.consumer), "pifleet:fake");
        snprintf(fake->hold.chip, sizeof(fake->hold.chip), "%s",
                 fake->chip ? fake->chip : "/dev/null");
}

static int fake_open(struct fake *fake)
{
        const struct guard_link_owner owner = {fake, on_returned, on_ready, on_lost};
        int r;

        r = guard_link_open(&fake->link);
        if (r == 0)
                r = loop_new(&fake->loop);
        if (r == 0)
                r = loop_signal_open(&fake->terminate, fake->loop, SIGTERM, on_terminate);
        if (r == 0)
                r = loop_io_open(&fake->input, fake->loop, STDIN_FILENO, on_input);
        if (r == 0)
                r = guard_link_start(fake->link, fake->loop, &owner);
        if (r < 0)
                return r;
        loop_io_watch(&fake->input, LOOP_READABLE);
        loop_timer_init(&fake->beats, fake->loop, on_beat);
        loop_timer_start(&fake->beats, GUARD_BEAT_MS / 2);
        return 0;
}

int main(int argc, char *argv[])
{
        static struct fake fake = {.line_fd = -1, .pwm_fd = -1};
        char *ballast = NULL;
        int r;

        parse(&fake, argc, argv);
        if (fake.memory > 0) {
                ballast = malloc(fake.memory);
                if (!ballast)
                        return EXIT_FAILURE;
                memset(ballast, 1, fake.memory);
        }
        r = fake_open(&fake);
        if (r < 0) {
                say("cannot start %d", r);
                return EXIT_FAILURE;
        }
        r = loop_run(fake.loop);
        loop_timer_stop(&fake.beats);
        guard_link_free(fake.link);
        loop_io_close(&fake.input, NULL);
        loop_signal_close(&fake.terminate);
        loop_free(fake.loop);
        if (fake.line_fd >= 0)
                close(fake.line_fd);
        if (fake.pwm_fd >= 0)
                close(fake.pwm_fd);
        free(ballast);
        return r;
}
