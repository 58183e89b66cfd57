#include "agent/gpio/chip-finder.h"

#include "agent/gpio/chip-device.h"
#include "agent/gpio/uapi.h"
#include "base/attributes.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Raspberry Pi 0 to 3, 4, 5 with their compute modules and keyboards. */
static const char *const header_labels[] = {
        "pinctrl-bcm2835",
        "pinctrl-bcm2711",
        "pinctrl-rp1",
};

enum { HEADER_LINE = 17 };
static const char header_line_name[] = "GPIO17";

struct candidate {
        struct gpio_chip_info info;
        dev_t device;
        bool named; /* has a line of the header */
};

struct finder {
        const struct gpio_system *system;
        struct candidate *candidates;
        size_t count;
        struct error unreadable; /* the first device that could not be opened */
};

static const char prefix[] = "gpiochip";

static int is_chip_name(const struct dirent *entry)
{
        const char *number = entry->d_name + sizeof(prefix) - 1;

        return strncmp(entry->d_name, prefix, sizeof(prefix) - 1) == 0 && *number != '\0' &&
               strspn(number, "0123456789") == strlen(number);
}

static bool has_header_line(const struct gpio_system *system, int fd,
                            const struct gpio_chip_info *info)
{
        struct gpio_v2_line_info line;

        if (info->lines <= HEADER_LINE)
                return false;
        memset(&line, 0, sizeof(line));
        line.offset = HEADER_LINE;
        return system->ioctl(system->owner, fd, GPIO_V2_GET_LINEINFO_IOCTL, &line) >= 0 &&
               strncmp(line.name, header_line_name, sizeof(line.name)) == 0;
}

/* A device that cannot be asked does not keep us from asking the others. */
static void look_at(struct finder *finder, const char *name)
{
        const struct gpio_system *system = finder->system;
        struct candidate *candidate = &finder->candidates[finder->count];
        char path[GPIO_PATH_MAX];
        struct stat status;
        struct error error;
        int fd, r;

        if (snprintf(path, sizeof(path), "%s/%s", system->devices, name) >= (int)sizeof(path) ||
            system->stat(system->owner, path, &status) < 0)
                return;
        /* Some systems keep an old name alive by a link. */
        for (size_t i = 0; i < finder->count; i++)
                if (finder->candidates[i].device == status.st_rdev)
                        return;
        r = gpio_chip_device_open(system, path, &fd, &candidate->info, &error);
        if (r < 0) {
                if (r != -ENODEV && finder->unreadable.code == 0)
                        finder->unreadable = error;
                return;
        }
        candidate->device = status.st_rdev;
        candidate->named = has_header_line(system, fd, &candidate->info);
        system->close(system->owner, fd);
        finder->count++;
}

static int look_around(struct finder *finder)
{
        struct dirent **entries;
        int count = scandir(finder->system->devices, &entries, is_chip_name, versionsort);

        if (count < 0)
                return -errno;
        for (int i = 0; i < count; i++) {
                if (finder->count < GPIO_FINDER_DEVICES_MAX)
                        look_at(finder, entries[i]->d_name);
                free(entries[i]);
        }
        free(entries);
        return 0;
}

static bool label_fits(const struct candidate *candidate, const char *wanted)
{
        if (wanted)
                return strcmp(candidate->info.label, wanted) == 0;
        for (size_t i = 0; i < ARRAY_SIZE(header_labels); i++)
                if (strcmp(candidate->info.label, header_labels[i]) == 0)
                        return true;
        return false;
}

static bool name_fits(const struct candidate *candidate, const char *wanted)
{
        return !wanted && candidate->named;
}

/* How many fit; *ret is the first of them. */
static size_t choose(const struct finder *finder, const char *wanted,
                     bool (*fits)(const struct candidate *, const char *),
                     const struct candidate **ret)
{
        size_t fitting = 0;

        for (size_t i = 0; i < finder->count; i++) {
                if (!fits(&finder->candidates[i], wanted))
                        continue;
                if (fitting++ == 0)
                        *ret = &finder->candidates[i];
        }
        return fitting;
}

static void list_chips(const struct finder *finder, char *text, size_t size)
{
        size_t used = 0;

        snprintf(text, size, "there are no GPIO chips");
        for (size_t i = 0; i < finder->count && used < size; i++) {
                const struct gpio_chip_info *info = &finder->candidates[i].info;
                int n = snprintf(text + used, size - used, "%s%s \"%s\"",
                                 i == 0 ? "there are: " : ", ", info->path, info->label);

                used += n > 0 ? (size_t)n : 0;
        }
}

static int refuse(const struct finder *finder, const char *wanted, size_t fitting,
                  struct error *error)
{
        char chips[ERROR_TEXT_MAX], what[64] = "the 40-pin header";

        if (wanted)
                snprintf(what, sizeof(what), "label \"%.32s\"", wanted);
        list_chips(finder, chips, sizeof(chips));
        if (fitting > 1)
                return error_set(error, -ENOTUNIQ,
                                 "several GPIO chips with %s; name one by its path (%s)", what,
                                 chips);
        if (finder->unreadable.code != 0)
                return error_set(error, finder->unreadable.code, "%s", finder->unreadable.text);
        return error_set(error, -ENODEV, "no GPIO chip with %s; %s", what, chips);
}

int gpio_chip_find(const struct gpio_system *system, const char *wanted,
                   char ret_path[GPIO_PATH_MAX], struct error *error)
{
        AUTO_FREE struct candidate *candidates = NULL;
        struct finder finder = {.system = system};
        const struct candidate *chosen = NULL;
        size_t fitting;
        int r;

        if (wanted && *wanted == '/') {
                if (strlen(wanted) >= GPIO_PATH_MAX)
                        return error_set(error, -ENAMETOOLONG, "%s: longer than a path may be",
                                         wanted);
                strcpy(ret_path, wanted);
                return 0;
        }
        candidates = calloc(GPIO_FINDER_DEVICES_MAX, sizeof(*candidates));
        if (!candidates)
                return error_set(error, -ENOMEM, "not enough memory");
        finder.candidates = candidates;
        r = look_around(&finder);
        if (r < 0)
                return error_set(error, r, "%s: %s", system->devices, strerror(-r));
        fitting = choose(&finder, wanted, label_fits, &chosen);
        if (fitting == 0)
                fitting = choose(&finder, wanted, name_fits, &chosen);
        if (fitting != 1)
                return refuse(&finder, wanted, fitting, error);
        strcpy(ret_path, chosen->info.path);
        return 0;
}
