#include "agent/gpio/fake-kernel-internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DIRECTIONS (GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_OUTPUT)
#define DRIVES (GPIO_V2_LINE_FLAG_OPEN_DRAIN | GPIO_V2_LINE_FLAG_OPEN_SOURCE)
#define EDGES (GPIO_V2_LINE_FLAG_EDGE_RISING | GPIO_V2_LINE_FLAG_EDGE_FALLING)
#define BIASES                                                                                     \
        (GPIO_V2_LINE_FLAG_BIAS_PULL_UP | GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN |                       \
         GPIO_V2_LINE_FLAG_BIAS_DISABLED)
#define VALID (GPIO_V2_LINE_FLAG_ACTIVE_LOW | DIRECTIONS | DRIVES | EDGES | BIASES)

bool fake_all_zero(const void *bytes, size_t count)
{
        for (size_t i = 0; i < count; i++)
                if (((const char *)bytes)[i] != 0)
                        return false;
        return true;
}

static bool several(uint64_t flags)
{
        return (flags & (flags - 1)) != 0;
}

/* --- lines ------------------------------------------------------------------------------- */

void fake_line_info(const struct fake_chip *chip, uint32_t offset, struct gpio_v2_line_info *ret)
{
        const struct fake_line *line = &chip->lines[offset];

        memset(ret, 0, sizeof(*ret));
        memcpy(ret->name, line->name, sizeof(ret->name));
        memcpy(ret->consumer, line->consumer, sizeof(ret->consumer));
        ret->offset = offset;
        ret->flags = line->flags | (line->used ? GPIO_V2_LINE_FLAG_USED : 0);
        if (line->debounce_us > 0) {
                ret->num_attrs = 1;
                ret->attrs[0].id = GPIO_V2_LINE_ATTR_ID_DEBOUNCE;
                ret->attrs[0].debounce_period_us = line->debounce_us;
        }
}

void fake_line_changed(struct fake_kernel *kernel, struct fake_chip *chip, uint32_t offset,
                       uint32_t type)
{
        for (size_t i = 0; i < FAKE_FILES_MAX; i++) {
                struct fake_file *file = &kernel->files[i];
                struct gpio_v2_line_info_changed *change;

                if (file->fd < 0 || file->chip != chip || !file->watched[offset] ||
                    file->waiting == FAKE_CHANGES_MAX)
                        continue;
                change = &file->changes[(file->first + file->waiting++) % FAKE_CHANGES_MAX];
                memset(change, 0, sizeof(*change));
                fake_line_info(chip, offset, &change->info);
                change->event_type = type;
                change->timestamp_ns = kernel->now_ns;
                fake_file_signal(file, true);
        }
}

static bool line_drives(const struct fake_line *line)
{
        if ((line->flags & GPIO_V2_LINE_FLAG_OUTPUT) == 0)
                return false;
        if (line->flags & GPIO_V2_LINE_FLAG_OPEN_DRAIN)
                return !line->value;
        if (line->flags & GPIO_V2_LINE_FLAG_OPEN_SOURCE)
                return line->value;
        return true;
}

static bool line_logical(const struct fake_line *line)
{
        return line->level != ((line->flags & GPIO_V2_LINE_FLAG_ACTIVE_LOW) != 0);
}

static void put_event(struct fake_kernel *kernel, struct fake_request *request, uint32_t offset,
                      uint32_t id)
{
        struct fake_line *line = &request->chip->lines[offset];
        struct gpio_v2_line_event *event;

        if (request->waiting == request->capacity) {
                request->first = (request->first + 1) % request->capacity;
                request->waiting--;
        }
        event = &request->events[(request->first + request->waiting++) % request->capacity];
        memset(event, 0, sizeof(*event));
        event->timestamp_ns = kernel->now_ns;
        event->id = id;
        event->offset = offset;
        event->line_seqno = ++line->sequence;
        event->seqno = ++request->sequence;
        fake_request_signal(kernel, request, true);
}

void fake_line_settle(struct fake_kernel *kernel, struct fake_chip *chip, uint32_t offset)
{
        struct fake_line *line = &chip->lines[offset];
        bool level = line_drives(line) ? line->value : line->outside;
        bool edge = level != line->level;

        line->level = level;
        if (!edge || !line->request)
                return;
        if (line_logical(line) && line->flags & GPIO_V2_LINE_FLAG_EDGE_RISING)
                put_event(kernel, line->request, offset, GPIO_V2_LINE_EVENT_RISING_EDGE);
        if (!line_logical(line) && line->flags & GPIO_V2_LINE_FLAG_EDGE_FALLING)
                put_event(kernel, line->request, offset, GPIO_V2_LINE_EVENT_FALLING_EDGE);
}

/* --- configurations ---------------------------------------------------------------------- */

static const struct gpio_v2_line_attribute *find_attribute(const struct gpio_v2_line_config *config,
                                                           uint32_t id, uint32_t index)
{
        for (uint32_t i = 0; i < config->num_attrs; i++)
                if (config->attrs[i].attr.id == id && config->attrs[i].mask >> index & 1)
                        return &config->attrs[i].attr;
        return NULL;
}

static uint64_t config_flags(const struct gpio_v2_line_config *config, uint32_t index)
{
        const struct gpio_v2_line_attribute *attribute =
                find_attribute(config, GPIO_V2_LINE_ATTR_ID_FLAGS, index);

        return attribute ? attribute->flags : config->flags;
}

static int check_flags(uint64_t flags, bool debounced)
{
        if (flags & ~(uint64_t)VALID || several(flags & DIRECTIONS) || several(flags & DRIVES) ||
            several(flags & BIASES))
                return -EINVAL;
        if ((flags & EDGES || debounced) && !(flags & GPIO_V2_LINE_FLAG_INPUT))
                return -EINVAL;
        if (flags & DRIVES && !(flags & GPIO_V2_LINE_FLAG_OUTPUT))
                return -EINVAL;
        if (flags & BIASES && !(flags & DIRECTIONS))
                return -EINVAL;
        return 0;
}

static int check_config(const struct gpio_v2_line_config *config, uint32_t count)
{
        if (config->num_attrs > GPIO_V2_LINE_NUM_ATTRS_MAX ||
            !fake_all_zero(config->padding, sizeof(config->padding)))
                return -EINVAL;
        /* The kernel lets these pass, but they are ours to keep clean. */
        for (uint32_t i = 0; i < GPIO_V2_LINE_NUM_ATTRS_MAX; i++)
                if (i < config->num_attrs
                            ? config->attrs[i].attr.padding != 0 || config->attrs[i].mask == 0
                            : !fake_all_zero(&config->attrs[i], sizeof(config->attrs[i])))
                        return -EINVAL;
        for (uint32_t i = 0; i < count; i++) {
                int r = check_flags(config_flags(config, i),
                                    find_attribute(config, GPIO_V2_LINE_ATTR_ID_DEBOUNCE, i));

                if (r < 0)
                        return r;
        }
        return 0;
}

static int apply_config(struct fake_kernel *kernel, struct fake_chip *chip, uint32_t offset,
                        const struct gpio_v2_line_config *config, uint32_t index)
{
        struct fake_line *line = &chip->lines[offset];
        uint64_t flags = config_flags(config, index);
        const struct gpio_v2_line_attribute *debounce =
                find_attribute(config, GPIO_V2_LINE_ATTR_ID_DEBOUNCE, index);
        const struct gpio_v2_line_attribute *values =
                find_attribute(config, GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES, index);

        if ((flags & EDGES || debounce) && line->without_interrupt)
                return -ENXIO;
        /* Without a direction the flags are forgotten, the direction is not. */
        if ((flags & DIRECTIONS) == 0)
                flags |= line->flags & DIRECTIONS;
        else
                line->debounce_us = debounce ? debounce->debounce_period_us : 0;
        if (config_flags(config, index) & GPIO_V2_LINE_FLAG_OUTPUT)
                line->value = (values && values->values >> index & 1) !=
                              ((flags & GPIO_V2_LINE_FLAG_ACTIVE_LOW) != 0);
        /* A new detector begins with the level it finds. */
        line->flags = flags & ~(uint64_t)EDGES;
        fake_line_settle(kernel, chip, offset);
        line->flags = flags;
        return 0;
}

/* --- requests ---------------------------------------------------------------------------- */

void fake_line_release(struct fake_kernel *kernel, struct fake_chip *chip, uint32_t offset)
{
        struct fake_line *line = &chip->lines[offset];

        line->used = false;
        line->request = NULL;
        line->flags &= DIRECTIONS;
        line->debounce_us = 0;
        line->sequence = 0;
        memset(line->consumer, 0, sizeof(line->consumer));
        fake_line_changed(kernel, chip, offset, GPIO_V2_LINE_CHANGED_RELEASED);
}

void fake_request_release(struct fake_kernel *kernel, struct fake_request *request, uint32_t lines)
{
        for (uint32_t i = 0; i < lines; i++)
                fake_line_release(kernel, request->chip, request->offsets[i]);
}

static int take_line(struct fake_kernel *kernel, struct fake_request *request, uint32_t index,
                     const struct gpio_v2_line_request *asked)
{
        uint32_t offset = asked->offsets[index];
        struct fake_line *line;
        int r;

        if (offset >= request->chip->lines_count)
                return -EINVAL;
        line = &request->chip->lines[offset];
        if (line->used)
                return -EBUSY;
        line->used = true;
        snprintf(line->consumer, sizeof(line->consumer), "%.31s",
                 asked->consumer[0] ? asked->consumer : "?");
        request->offsets[index] = offset;
        r = apply_config(kernel, request->chip, offset, &asked->config, index);
        if (r < 0) {
                fake_line_release(kernel, request->chip, offset);
                return r;
        }
        line->request = request;
        fake_line_changed(kernel, request->chip, offset, GPIO_V2_LINE_CHANGED_REQUESTED);
        return 0;
}

static struct fake_request *free_request(struct fake_kernel *kernel)
{
        for (size_t i = 0; i < FAKE_FILES_MAX; i++)
                if (kernel->requests[i].files == 0)
                        return &kernel->requests[i];
        return NULL;
}

int fake_request_take(struct fake_kernel *kernel, struct fake_chip *chip,
                      struct gpio_v2_line_request *asked)
{
        struct fake_request *request = free_request(kernel);
        int r;

        if (!request)
                return -ENOMEM;
        if (asked->num_lines == 0 || asked->num_lines > GPIO_V2_LINES_MAX ||
            !fake_all_zero(asked->padding, sizeof(asked->padding)))
                return -EINVAL;
        r = check_config(&asked->config, asked->num_lines);
        if (r < 0)
                return r;
        memset(request, 0, sizeof(*request));
        request->chip = chip;
        request->count = asked->num_lines;
        request->capacity =
                asked->event_buffer_size > 0 ? asked->event_buffer_size : request->count * 16;
        if (request->capacity > FAKE_EVENTS_MAX)
                request->capacity = FAKE_EVENTS_MAX;
        for (uint32_t i = 0; i < request->count; i++) {
                r = take_line(kernel, request, i, asked);
                if (r < 0) {
                        fake_request_release(kernel, request, i);
                        return r;
                }
        }
        r = fake_add_file(kernel, NULL, request);
        if (r < 0) {
                fake_request_release(kernel, request, request->count);
                return r;
        }
        asked->fd = r;
        return 0;
}

int fake_request_get(const struct fake_request *request, struct gpio_v2_line_values *asked)
{
        uint64_t bits = 0;
        unsigned lines = 0;

        for (uint32_t i = 0; i < request->count; i++) {
                if ((asked->mask >> i & 1) == 0)
                        continue;
                lines++;
                if (line_logical(&request->chip->lines[request->offsets[i]]))
                        bits |= UINT64_C(1) << i;
        }
        if (lines == 0)
                return -EINVAL;
        asked->bits = bits;
        return 0;
}

int fake_request_set(struct fake_kernel *kernel, struct fake_request *request,
                     const struct gpio_v2_line_values *asked)
{
        unsigned lines = 0;

        for (uint32_t i = 0; i < request->count; i++) {
                if ((asked->mask >> i & 1) == 0)
                        continue;
                lines++;
                if (!(request->chip->lines[request->offsets[i]].flags & GPIO_V2_LINE_FLAG_OUTPUT))
                        return -EPERM;
        }
        if (lines == 0)
                return -EINVAL;
        for (uint32_t i = 0; i < request->count; i++) {
                struct fake_line *line = &request->chip->lines[request->offsets[i]];

                if ((asked->mask >> i & 1) == 0)
                        continue;
                line->value = (asked->bits >> i & 1) !=
                              ((line->flags & GPIO_V2_LINE_FLAG_ACTIVE_LOW) != 0);
                fake_line_settle(kernel, request->chip, request->offsets[i]);
        }
        return 0;
}

int fake_request_configure(struct fake_kernel *kernel, struct fake_request *request,
                           const struct gpio_v2_line_config *config)
{
        int r = check_config(config, request->count);

        for (uint32_t i = 0; r == 0 && i < request->count; i++) {
                r = apply_config(kernel, request->chip, request->offsets[i], config, i);
                fake_line_changed(kernel, request->chip, request->offsets[i],
                                  GPIO_V2_LINE_CHANGED_CONFIG);
        }
        kernel->set_configs += r == 0;
        return r;
}
