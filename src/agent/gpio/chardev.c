#include "agent/gpio/chardev.h"

#include "agent/gpio/chip-backend.h"
#include "agent/gpio/chip-device.h"
#include "agent/gpio/uapi.h"
#include "base/attributes.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum { EVENTS_READ = 16 }; /* at a time */

struct chardev {
        struct gpio_chip chip;
        const struct gpio_system *system;
        struct gpio_chip_info info;
};

static struct chardev *chardev_of(const struct gpio_chip *chip)
{
        return container_of(chip, struct chardev, chip);
}

static int chip_ioctl(const struct gpio_chip *chip, unsigned long request, void *argument)
{
        const struct gpio_system *system = chardev_of(chip)->system;
        int r = system->ioctl(system->owner, chip->fd, request, argument);

        return r < 0 ? r : 0;
}

static int request_ioctl(const struct gpio_request *request, unsigned long number, void *argument)
{
        const struct gpio_system *system = chardev_of(request->chip)->system;
        int r = system->ioctl(system->owner, request->fd, number, argument);

        return r < 0 ? r : 0;
}

/* Whole records that were there: how many, 0 when none. */
static int read_records(const struct gpio_system *system, int fd, void *records, size_t size,
                        size_t max)
{
        ssize_t r = system->read(system->owner, fd, records, size * max);

        if (r == -EAGAIN || r == -EINTR)
                return 0;
        if (r < 0)
                return (int)r;
        /* Half a record is another language than ours. */
        if ((size_t)r % size != 0)
                return -EPROTO;
        return (int)((size_t)r / size);
}

/* --- the chip ---------------------------------------------------------------------------- */

static void chardev_free(struct gpio_chip *chip)
{
        struct chardev *chardev = chardev_of(chip);

        assert(list_is_empty(&chip->requests));
        chardev->system->close(chardev->system->owner, chip->fd);
        free(chardev);
}

static void chardev_info(const struct gpio_chip *chip, struct gpio_chip_info *ret)
{
        *ret = chardev_of(chip)->info;
}

/* By GPIO_V2_GET_LINEINFO_IOCTL, or _WATCH_ that is asked alike. */
static int ask_line(struct gpio_chip *chip, unsigned long number, unsigned offset,
                    struct gpio_line_info *ret)
{
        struct gpio_v2_line_info answer;
        int r;

        memset(&answer, 0, sizeof(answer));
        answer.offset = offset;
        r = chip_ioctl(chip, number, &answer);
        if (r == 0)
                gpio_uapi_line_info(&answer, ret);
        return r;
}

static int chardev_line_info(struct gpio_chip *chip, unsigned offset, struct gpio_line_info *ret)
{
        return ask_line(chip, GPIO_V2_GET_LINEINFO_IOCTL, offset, ret);
}

static int chardev_watch(struct gpio_chip *chip, unsigned offset)
{
        struct gpio_line_info ignored;

        return ask_line(chip, GPIO_V2_GET_LINEINFO_WATCH_IOCTL, offset, &ignored);
}

static int chardev_unwatch(struct gpio_chip *chip, unsigned offset)
{
        uint32_t argument = offset;

        return chip_ioctl(chip, GPIO_GET_LINEINFO_UNWATCH_IOCTL, &argument);
}

static int chardev_read_changed(struct gpio_chip *chip, unsigned offsets[])
{
        struct gpio_v2_line_info_changed records[GPIO_CHANGES_READ];
        int count = read_records(chardev_of(chip)->system, chip->fd, records, sizeof(*records),
                                 ARRAY_SIZE(records));

        for (int i = 0; i < count; i++)
                offsets[i] = records[i].info.offset;
        return count;
}

/* --- requests ---------------------------------------------------------------------------- */

static const struct gpio_chip_operations chardev_operations;

static int chardev_request(struct gpio_chip *chip, const char *consumer, const unsigned offsets[],
                           const struct gpio_line_config configs[], size_t count,
                           struct gpio_request **ret)
{
        const struct gpio_system *system = chardev_of(chip)->system;
        AUTO_FREE struct gpio_request *request = NULL;
        struct gpio_v2_line_request asked;
        int r;

        memset(&asked, 0, sizeof(asked));
        r = gpio_uapi_encode(configs, count, &asked.config);
        if (r < 0)
                return r;
        asked.num_lines = (uint32_t)count;
        for (size_t i = 0; i < count; i++)
                asked.offsets[i] = offsets[i];
        memcpy(asked.consumer, consumer, strnlen(consumer, sizeof(asked.consumer) - 1));

        /* All that can fail for want of memory comes before the lines move. */
        request = calloc(1, sizeof(*request));
        if (!request)
                return -ENOMEM;
        r = chip_ioctl(chip, GPIO_V2_GET_LINE_IOCTL, &asked);
        if (r < 0)
                return r;
        gpio_request_init(request, chip, offsets, count, asked.fd);
        r = system->set_nonblocking(system->owner, asked.fd);
        if (r < 0) {
                system->close(system->owner, asked.fd);
                return r;
        }
        *ret = TAKE(request);
        return 0;
}

static void chardev_request_free(struct gpio_request *request)
{
        const struct gpio_system *system = chardev_of(request->chip)->system;

        system->close(system->owner, request->fd);
        free(request);
}

static int chardev_get(struct gpio_request *request, uint64_t mask, uint64_t *ret_values)
{
        struct gpio_v2_line_values values = {.mask = mask};
        int r = request_ioctl(request, GPIO_V2_LINE_GET_VALUES_IOCTL, &values);

        if (r == 0)
                *ret_values = values.bits & mask;
        return r;
}

static int chardev_set(struct gpio_request *request, uint64_t mask, uint64_t values)
{
        struct gpio_v2_line_values asked = {.mask = mask, .bits = values & mask};

        return request_ioctl(request, GPIO_V2_LINE_SET_VALUES_IOCTL, &asked);
}

static int chardev_reconfigure(struct gpio_request *request,
                               const struct gpio_line_config configs[])
{
        struct gpio_v2_line_config asked;
        int r = gpio_uapi_encode(configs, request->count, &asked);

        return r < 0 ? r : request_ioctl(request, GPIO_V2_LINE_SET_CONFIG_IOCTL, &asked);
}

/* An event of neither direction, from a kernel newer than we are, is passed over;
 * its number then counts as lost. */
static int chardev_read_events(struct gpio_request *request, struct gpio_edge_event events[],
                               size_t max)
{
        const struct gpio_system *system = chardev_of(request->chip)->system;
        struct gpio_v2_line_event records[EVENTS_READ];
        size_t taken = 0;

        while (taken < max) {
                size_t room = max - taken < EVENTS_READ ? max - taken : EVENTS_READ;
                int count = read_records(system, request->fd, records, sizeof(*records), room);

                /* What was taken is told first; the failure will be there again. */
                if (count < 0 && taken == 0)
                        return count;
                if (count <= 0)
                        break;
                for (int i = 0; i < count; i++) {
                        const struct gpio_v2_line_event *record = &records[i];

                        if (record->id != GPIO_V2_LINE_EVENT_RISING_EDGE &&
                            record->id != GPIO_V2_LINE_EVENT_FALLING_EDGE)
                                continue;
                        events[taken++] = (struct gpio_edge_event){
                                .timestamp_ns = record->timestamp_ns,
                                .offset = record->offset,
                                .edge = record->id == GPIO_V2_LINE_EVENT_RISING_EDGE
                                                ? GPIO_EDGE_RISING
                                                : GPIO_EDGE_FALLING,
                                .sequence = record->seqno,
                                .line_sequence = record->line_seqno,
                        };
                }
        }
        return (int)taken;
}

/* --- a request that was another process's ------------------------------------------------ */

/* The kernel reads a request's first lines and passes over bits beyond them, but a
 * mask with no line in it is -EINVAL: so the number of lines can be told. */
static int check_lines_count(struct gpio_request *request)
{
        uint64_t ignored;
        int r = chardev_get(request, UINT64_C(1) << (request->count - 1), &ignored);

        if (r < 0 || request->count == GPIO_REQUEST_LINES)
                return r;
        r = chardev_get(request, UINT64_C(1) << request->count, &ignored);
        if (r == 0)
                return -EBADF;
        return r == -EINVAL ? 0 : r;
}

/* Lines that nobody holds, or somebody else, cannot be behind the descriptor. */
static int check_lines_held(struct gpio_request *request, const char *consumer,
                            const struct gpio_line_config configs[])
{
        for (size_t i = 0; i < request->count; i++) {
                struct gpio_line_info info;
                int r = chardev_line_info(request->chip, request->offsets[i], &info);

                if (r < 0)
                        return r;
                if (!info.used || strcmp(info.consumer, *consumer ? consumer : "?") != 0)
                        return -EBADF;
                if (configs[i].direction != GPIO_DIRECTION_AS_IS &&
                    configs[i].direction != info.config.direction)
                        return -EBADF;
        }
        return 0;
}

static int chardev_adopt(struct gpio_chip *chip, int fd, const char *consumer,
                         const unsigned offsets[], const struct gpio_line_config configs[],
                         size_t count, struct gpio_request **ret, uint64_t *ret_values)
{
        const struct gpio_system *system = chardev_of(chip)->system;
        AUTO_FREE struct gpio_request *request = calloc(1, sizeof(*request));
        uint64_t values;
        int r;

        if (!request)
                return -ENOMEM;
        gpio_request_init(request, chip, offsets, count, fd);
        r = check_lines_count(request);
        if (r == -EINVAL || r == -ENOTTY)
                return -EBADF;
        if (r < 0)
                return r;
        r = check_lines_held(request, consumer, configs);
        if (r < 0)
                return r;
        r = chardev_get(request, UINT64_MAX >> (GPIO_REQUEST_LINES - count), &values);
        if (r < 0)
                return r;
        r = system->set_nonblocking(system->owner, fd);
        if (r < 0)
                return r;
        *ret = TAKE(request);
        *ret_values = values;
        return 0;
}

static const struct gpio_chip_operations chardev_operations = {
        .free = chardev_free,
        .info = chardev_info,
        .line_info = chardev_line_info,
        .request = chardev_request,
        .adopt = chardev_adopt,
        .watch = chardev_watch,
        .unwatch = chardev_unwatch,
        .read_changed = chardev_read_changed,
        .request_free = chardev_request_free,
        .get = chardev_get,
        .set = chardev_set,
        .reconfigure = chardev_reconfigure,
        .read_events = chardev_read_events,
};

/* Kernels before 5.10 have the first version of the interface only, which knows
 * neither debouncing nor sequence numbers. Line 0 is on every chip. */
static int check_version(struct gpio_chip *chip)
{
        struct gpio_line_info ignored;
        int r = chardev_line_info(chip, 0, &ignored);

        return r == -EINVAL || r == -ENOTTY ? -EOPNOTSUPP : r;
}

int gpio_chardev_open(const struct gpio_system *system, const char *path, struct gpio_chip **ret,
                      struct error *error)
{
        AUTO_FREE struct chardev *chardev = calloc(1, sizeof(*chardev));
        int fd, r;

        if (!chardev)
                return error_set(error, -ENOMEM, "not enough memory");
        r = gpio_chip_device_open(system, path, &fd, &chardev->info, error);
        if (r < 0)
                return r;
        chardev->system = system;
        gpio_chip_init(&chardev->chip, &chardev_operations, chardev->info.lines, fd);
        r = check_version(&chardev->chip);
        if (r < 0) {
                system->close(system->owner, fd);
                if (r == -EOPNOTSUPP)
                        return error_set(error, r,
                                         "%s: the kernel has only the first version of the GPIO "
                                         "interface; Linux 5.10 or later is needed",
                                         path);
                return error_set(error, r, "%s: %s", path, strerror(-r));
        }
        *ret = &TAKE(chardev)->chip;
        return 0;
}
