/* The port: checks what every backend would have to check, then hands over. */
#include "agent/gpio/chip-backend.h"

#include "agent/gpio/uapi.h"
#include "base/attributes.h"

#include <errno.h>
#include <string.h>

void gpio_chip_init(struct gpio_chip *chip, const struct gpio_chip_operations *operations,
                    unsigned lines, int fd)
{
        *chip = (struct gpio_chip){.operations = operations, .lines = lines, .fd = fd};
        list_init(&chip->requests);
}

void gpio_request_init(struct gpio_request *request, struct gpio_chip *chip,
                       const unsigned offsets[], size_t count, int fd)
{
        *request = (struct gpio_request){.chip = chip, .count = count, .fd = fd};
        memcpy(request->offsets, offsets, count * sizeof(*offsets));
        list_init(&request->link);
}

struct gpio_chip *gpio_chip_free(struct gpio_chip *chip)
{
        if (chip)
                chip->operations->free(chip);
        return NULL;
}

void gpio_chip_info(const struct gpio_chip *chip, struct gpio_chip_info *ret)
{
        chip->operations->info(chip, ret);
}

int gpio_chip_line_info(struct gpio_chip *chip, unsigned offset, struct gpio_line_info *ret)
{
        if (offset >= chip->lines)
                return -EINVAL;
        return chip->operations->line_info(chip, offset, ret);
}

/* --- watched lines ----------------------------------------------------------------------- */

static bool line_is_ours(const struct gpio_chip *chip, unsigned offset)
{
        list_for_each (&chip->requests, position) {
                const struct gpio_request *request =
                        container_of(position, struct gpio_request, link);

                for (size_t i = 0; i < request->count; i++)
                        if (request->offsets[i] == offset)
                                return true;
        }
        return false;
}

int gpio_chip_watch(struct gpio_chip *chip, unsigned offset)
{
        struct gpio_line_info info;
        int r;

        if (offset >= chip->lines)
                return -EINVAL;
        if (gpio_watches_find(&chip->watches, offset))
                return 0;
        if (chip->watches.count == GPIO_WATCHES_MAX)
                return -ENOSPC;
        r = chip->operations->watch(chip, offset);
        if (r < 0)
                return r;
        /* Asked once it is watched, so that nothing happens in between unseen. */
        r = chip->operations->line_info(chip, offset, &info);
        if (r < 0) {
                (void)chip->operations->unwatch(chip, offset);
                return r;
        }
        return gpio_watches_add(&chip->watches, offset, &info, line_is_ours(chip, offset));
}

int gpio_chip_unwatch(struct gpio_chip *chip, unsigned offset)
{
        if (!gpio_watches_find(&chip->watches, offset))
                return 0;
        gpio_watches_remove(&chip->watches, offset);
        return chip->operations->unwatch(chip, offset);
}

int gpio_chip_fd(const struct gpio_chip *chip)
{
        return chip->fd;
}

int gpio_chip_read_changes(struct gpio_chip *chip, struct gpio_info_change changes[], size_t max)
{
        unsigned offsets[GPIO_CHANGES_READ];
        size_t told = 0;
        int r = chip->operations->read_changed(chip, offsets);

        if (r < 0)
                return r;
        gpio_watches_report(&chip->watches, offsets, (size_t)r, r == GPIO_CHANGES_READ);
        for (size_t i = 0; i < chip->watches.count && told < max; i++) {
                struct gpio_watch *watch = &chip->watches.lines[i];
                struct gpio_line_info info;

                if (!watch->changed)
                        continue;
                r = chip->operations->line_info(chip, watch->offset, &info);
                if (r < 0)
                        return told > 0 ? (int)told : r;
                if (gpio_watch_look(watch, &info, line_is_ours(chip, watch->offset),
                                    &changes[told]))
                        told++;
        }
        return (int)told;
}

/* --- requests ---------------------------------------------------------------------------- */

/* The kernel's own rules (linux/gpio.h, GPIO_V2_GET_LINE_IOCTL, "Configuration
 * Rules"); those about two flags at once cannot be broken in our terms. */
static int check_config(const struct gpio_line_config *config)
{
        if (config->direction < GPIO_DIRECTION_AS_IS || config->direction > GPIO_DIRECTION_OUTPUT ||
            config->bias < GPIO_BIAS_AS_IS || config->bias > GPIO_BIAS_PULL_DOWN ||
            config->drive < GPIO_DRIVE_PUSH_PULL || config->drive > GPIO_DRIVE_OPEN_SOURCE ||
            (config->edges & ~GPIO_EDGE_BOTH) != 0)
                return -EINVAL;
        if (config->edges != GPIO_EDGE_NONE && config->direction != GPIO_DIRECTION_INPUT)
                return -EINVAL;
        if (config->debounce_us > 0 && config->direction != GPIO_DIRECTION_INPUT)
                return -EINVAL;
        if (config->drive != GPIO_DRIVE_PUSH_PULL && config->direction != GPIO_DIRECTION_OUTPUT)
                return -EINVAL;
        if (config->bias != GPIO_BIAS_AS_IS && config->direction == GPIO_DIRECTION_AS_IS)
                return -EINVAL;
        return 0;
}

static int check_configs(const struct gpio_line_config configs[], size_t count)
{
        struct gpio_v2_line_config encoded;

        for (size_t i = 0; i < count; i++) {
                int r = check_config(&configs[i]);

                if (r < 0)
                        return r;
        }
        return gpio_uapi_encode(configs, count, &encoded);
}

static int check_offsets(const struct gpio_chip *chip, const unsigned offsets[], size_t count)
{
        for (size_t i = 0; i < count; i++) {
                if (offsets[i] >= chip->lines)
                        return -EINVAL;
                for (size_t other = 0; other < i; other++)
                        if (offsets[other] == offsets[i])
                                return -EINVAL;
        }
        return 0;
}

/* What a request and an adoption are asked alike. */
static int check_request(const struct gpio_chip *chip, const unsigned offsets[],
                         const struct gpio_line_config configs[], size_t count)
{
        int r;

        if (count == 0 || count > GPIO_REQUEST_LINES)
                return -EINVAL;
        r = check_configs(configs, count);
        return r < 0 ? r : check_offsets(chip, offsets, count);
}

static void copy_consumer(char name[GPIO_NAME_MAX], const char *consumer)
{
        memset(name, 0, GPIO_NAME_MAX);
        if (consumer)
                memcpy(name, consumer, strnlen(consumer, GPIO_NAME_MAX - 1));
}

static void request_note_configs(struct gpio_request *request,
                                 const struct gpio_line_config configs[])
{
        for (size_t i = 0; i < request->count; i++) {
                request->configs[i] = configs[i];
                gpio_read_back_configure(&request->read_back, i, &configs[i]);
        }
}

int gpio_chip_request(struct gpio_chip *chip, const char *consumer, const unsigned offsets[],
                      const struct gpio_line_config configs[], size_t count,
                      struct gpio_request **ret)
{
        char name[GPIO_NAME_MAX];
        struct gpio_request *request;
        int r = check_request(chip, offsets, configs, count);

        if (r < 0)
                return r;
        copy_consumer(name, consumer);
        r = chip->operations->request(chip, name, offsets, configs, count, &request);
        if (r < 0)
                return r;
        request_note_configs(request, configs);
        request->sequence_known = true;
        list_append(&chip->requests, &request->link);
        *ret = request;
        return 0;
}

int gpio_chip_adopt(struct gpio_chip *chip, int fd, const char *consumer, const unsigned offsets[],
                    const struct gpio_line_config configs[], size_t count,
                    struct gpio_request **ret)
{
        char name[GPIO_NAME_MAX];
        struct gpio_request *request;
        uint64_t values;
        int r;

        if (!chip->operations->adopt)
                return -EOPNOTSUPP;
        r = check_request(chip, offsets, configs, count);
        if (r < 0)
                return r;
        for (size_t i = 0; i < count; i++)
                if (line_is_ours(chip, offsets[i]))
                        return -EBUSY;
        copy_consumer(name, consumer);
        r = chip->operations->adopt(chip, fd, name, offsets, configs, count, &request, &values);
        if (r < 0)
                return r;
        request_note_configs(request, configs);
        gpio_read_back_set(&request->read_back, request->read_back.given, values);
        list_append(&chip->requests, &request->link);
        *ret = request;
        return 0;
}

struct gpio_request *gpio_request_free(struct gpio_request *request)
{
        if (request) {
                list_remove(&request->link);
                request->chip->operations->request_free(request);
        }
        return NULL;
}

int gpio_request_guardable_fd(const struct gpio_request *request)
{
        return request->chip->operations->adopt ? request->fd : -EOPNOTSUPP;
}

static int check_mask(const struct gpio_request *request, uint64_t mask)
{
        uint64_t all = UINT64_MAX >> (GPIO_REQUEST_LINES - request->count);

        return mask == 0 || (mask & ~all) != 0 ? -EINVAL : 0;
}

int gpio_request_get(struct gpio_request *request, uint64_t mask, uint64_t *ret_values)
{
        int r = check_mask(request, mask);

        return r < 0 ? r : request->chip->operations->get(request, mask, ret_values);
}

int gpio_request_set(struct gpio_request *request, uint64_t mask, uint64_t values)
{
        int r = check_mask(request, mask);

        if (r < 0)
                return r;
        r = request->chip->operations->set(request, mask, values);
        if (r < 0)
                return r;
        gpio_read_back_set(&request->read_back, mask, values);
        return 0;
}

int gpio_request_reconfigure(struct gpio_request *request, const struct gpio_line_config configs[])
{
        struct gpio_line_config whole[GPIO_REQUEST_LINES];
        int r = check_configs(configs, request->count);

        if (r < 0)
                return r;
        /* Kernels differ in what they do with a line that is not told its
         * direction again: some forget its flags. So each is told. */
        for (size_t i = 0; i < request->count; i++) {
                whole[i] = configs[i];
                if (configs[i].direction == GPIO_DIRECTION_AS_IS) {
                        whole[i] = request->configs[i];
                        whole[i].value = request->read_back.values >> i & 1;
                }
        }
        r = check_configs(whole, request->count);
        if (r < 0)
                return r;
        r = request->chip->operations->reconfigure(request, whole);
        if (r < 0)
                return r;
        request_note_configs(request, whole);
        return 0;
}

int gpio_request_verify(struct gpio_request *request, uint64_t *ret_mismatches)
{
        uint64_t driven = gpio_read_back_driven(&request->read_back);
        uint64_t values = 0;
        int r = 0;

        if (driven != 0)
                r = request->chip->operations->get(request, driven, &values);
        if (r < 0)
                return r;
        *ret_mismatches = gpio_read_back_mismatches(&request->read_back, values);
        return 0;
}

/* --- events ------------------------------------------------------------------------------ */

int gpio_request_fd(const struct gpio_request *request)
{
        return request->fd;
}

/* Numbers may come a little out of order: the kernel gives them out in the interrupt
 * and queues the events in a thread for each line. One that comes late was counted
 * as lost, and is taken back. */
static void count_lost(struct gpio_request *request, struct gpio_edge_event *event)
{
        uint32_t gap = event->sequence - request->sequence - 1;

        event->lost = 0;
        if (request->sequence_known && gap > INT32_MAX) {
                request->lost -= request->lost > 0;
                return;
        }
        if (request->sequence_known && gap > 0) {
                event->lost = gap;
                request->lost += gap;
                request->recover = true;
        }
        request->sequence_known = true;
        request->sequence = event->sequence;
}

int gpio_request_read_events(struct gpio_request *request, struct gpio_edge_event events[],
                             size_t max)
{
        int r = request->chip->operations->read_events(request, events, max);

        for (int i = 0; i < r; i++)
                count_lost(request, &events[i]);
        return r;
}

uint64_t gpio_request_lost(const struct gpio_request *request)
{
        return request->lost;
}

int gpio_request_recover(struct gpio_request *request, uint64_t *ret_values)
{
        uint64_t all = UINT64_MAX >> (GPIO_REQUEST_LINES - request->count);
        int r;

        if (!request->recover)
                return 0;
        r = request->chip->operations->get(request, all, ret_values);
        if (r < 0)
                return r;
        request->recover = false;
        return 1;
}
