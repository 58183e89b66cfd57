#include "mqtt/journal-clock.h"

#include "base/clock.h"
#include "base/crc32c.h"

#include <fcntl.h>
#include <unistd.h>

/* 2026-01-01, when there was no journal yet. */
#define PLAUSIBLE_MS UINT64_C(1767225600000)

enum {
        NS = 1000000,
        DUE_MS = 60000, /* so much of our time is lost when no clock knows what passed */
        STEP_MS = 2000, /* so much the wall clock may differ and was not set */
};

uint64_t mqtt_clock_passed_ms(const struct mqtt_clock_reading *then,
                              const struct mqtt_clock_reading *now)
{
        if (then->boot != 0 && then->boot == now->boot)
                return now->boot_ms > then->boot_ms ? now->boot_ms - then->boot_ms : 0;
        if (then->wall_ms < PLAUSIBLE_MS || now->wall_ms < then->wall_ms)
                return 0;
        return now->wall_ms - then->wall_ms;
}

/* 0: this kernel has none, or /proc is not there. */
static uint64_t read_boot(void)
{
        char text[64];
        int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
        ssize_t n;

        if (fd < 0)
                return 0;
        n = read(fd, text, sizeof(text));
        close(fd);
        if (n <= 0)
                return 0;
        return UINT64_C(1) << 32 | crc32c_extend(0, text, (size_t)n);
}

void mqtt_journal_clock_init(struct mqtt_journal_clock *clock, struct loop *loop)
{
        *clock = (struct mqtt_journal_clock){.loop = loop, .boot = read_boot()};
}

struct mqtt_clock_reading mqtt_journal_clock_read(const struct mqtt_journal_clock *clock)
{
        int64_t wall_ns = loop_wall_ns(clock->loop);

        return (struct mqtt_clock_reading){
                .time_ms = loop_now_ms(clock->loop) + clock->offset_ms,
                .wall_ms = wall_ns > 0 ? (uint64_t)wall_ns / NS : 0,
                .boot_ms = clock_boottime_ns() / NS,
                .boot = clock->boot,
        };
}

void mqtt_journal_clock_start(struct mqtt_journal_clock *clock,
                              const struct mqtt_clock_reading *last)
{
        struct mqtt_clock_reading now = mqtt_journal_clock_read(clock);

        clock->offset_ms =
                last->time_ms + mqtt_clock_passed_ms(last, &now) - loop_now_ms(clock->loop);
        clock->written = *last;
}

uint64_t mqtt_journal_clock_since(const struct mqtt_journal_clock *clock, uint64_t time_ms)
{
        uint64_t now = loop_now_ms(clock->loop) + clock->offset_ms;

        return time_ms < now ? now - time_ms : 0;
}

uint64_t mqtt_journal_clock_from(const struct mqtt_journal_clock *clock, uint64_t time_ms)
{
        uint64_t now = loop_now_ms(clock->loop), our = now + clock->offset_ms;

        if (time_ms == UINT64_MAX)
                return time_ms;
        if (time_ms <= our)
                return now;
        /* What lies beyond all time is a number that nobody wrote. */
        return time_ms - our < UINT64_MAX - now ? now + (time_ms - our) : UINT64_MAX - 1;
}

bool mqtt_journal_clock_is_due(const struct mqtt_journal_clock *clock,
                               const struct mqtt_clock_reading *now)
{
        const struct mqtt_clock_reading *then = &clock->written;
        uint64_t ours = now->time_ms - then->time_ms, walls = now->wall_ms - then->wall_ms;

        return then->boot_ms == 0 || then->boot != now->boot || ours >= DUE_MS ||
               walls + STEP_MS - ours > 2 * STEP_MS;
}
