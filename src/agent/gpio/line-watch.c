#include "agent/gpio/line-watch.h"

#include <errno.h>
#include <string.h>

struct gpio_watch *gpio_watches_find(struct gpio_watches *watches, unsigned offset)
{
        for (size_t i = 0; i < watches->count; i++)
                if (watches->lines[i].offset == offset)
                        return &watches->lines[i];
        return NULL;
}

int gpio_watches_add(struct gpio_watches *watches, unsigned offset,
                     const struct gpio_line_info *info, bool ours)
{
        if (watches->count == GPIO_WATCHES_MAX)
                return -ENOSPC;
        watches->lines[watches->count++] =
                (struct gpio_watch){.offset = offset, .ours = ours, .info = *info};
        return 0;
}

void gpio_watches_remove(struct gpio_watches *watches, unsigned offset)
{
        struct gpio_watch *watch = gpio_watches_find(watches, offset);

        if (watch)
                *watch = watches->lines[--watches->count];
}

void gpio_watches_report(struct gpio_watches *watches, const unsigned offsets[], size_t count,
                         bool all)
{
        for (size_t i = 0; i < count; i++) {
                struct gpio_watch *watch = gpio_watches_find(watches, offsets[i]);

                if (watch)
                        watch->changed = true;
        }
        for (size_t i = 0; all && i < watches->count; i++)
                watches->lines[i].changed = true;
}

static bool same_config(const struct gpio_line_config *one, const struct gpio_line_config *other)
{
        return one->direction == other->direction && one->bias == other->bias &&
               one->drive == other->drive && one->edges == other->edges &&
               one->active_low == other->active_low && one->debounce_us == other->debounce_us;
}

bool gpio_watch_look(struct gpio_watch *watch, const struct gpio_line_info *info, bool ours,
                     struct gpio_info_change *ret)
{
        bool theirs = info->used && !ours;
        bool were_theirs = watch->info.used && !watch->ours;
        struct gpio_info_change change = {.offset = watch->offset, .info = *info};
        bool told = true;

        if (theirs && (!were_theirs || strcmp(info->consumer, watch->info.consumer) != 0))
                change.change = GPIO_CHANGE_REQUESTED;
        else if (!info->used && were_theirs)
                change.change = GPIO_CHANGE_RELEASED;
        else if (theirs && !same_config(&info->config, &watch->info.config))
                change.change = GPIO_CHANGE_CONFIGURED;
        else
                told = false;
        watch->changed = false;
        watch->ours = ours;
        watch->info = *info;
        if (told)
                *ret = change;
        return told;
}
