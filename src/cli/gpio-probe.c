#include "cli/gpio-probe.h"

#include "base/attributes.h"
#include "base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

enum { DESCRIPTORS_MAX = 65536 /* that are looked at, of all processes */ };

static const char *const header_labels[] = {
        "pinctrl-bcm2835", /* Pi 0 to 3 */
        "pinctrl-bcm2711", /* Pi 4 */
        "pinctrl-rp1",     /* Pi 5 */
};

static int kernel_open(const char *path)
{
        int fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

        return fd < 0 ? -errno : fd;
}

static int kernel_ioctl(int fd, unsigned long request, void *argument)
{
        return ioctl(fd, request, argument) < 0 ? -errno : 0;
}

const struct gpio_probe_system gpio_probe_kernel = {kernel_open, kernel_ioctl};

static void copy_name(char to[GPIO_PROBE_NAME_MAX], const char *from)
{
        snprintf(to, GPIO_PROBE_NAME_MAX, "%.*s", GPIO_PROBE_NAME_MAX - 1, from);
}

void gpio_probe_chip(const struct gpio_probe_system *system, const char *path,
                     struct gpio_probe_chip *ret)
{
        struct gpiochip_info info = {.lines = 0};
        AUTO_CLOSE int fd = system->open(path);

        *ret = (struct gpio_probe_chip){.error = fd < 0 ? fd : 0};
        snprintf(ret->path, sizeof(ret->path), "%s", path);
        if (ret->error == 0)
                ret->error = system->ioctl(fd, GPIO_GET_CHIPINFO_IOCTL, &info);
        if (ret->error < 0)
                return;
        copy_name(ret->name, info.name);
        copy_name(ret->label, info.label);
        ret->lines = info.lines;
}

bool gpio_probe_is_header(const struct gpio_probe_chip *chip)
{
        for (size_t i = 0; i < ARRAY_SIZE(header_labels); i++) {
                if (strcmp(chip->label, header_labels[i]) == 0)
                        return true;
        }
        return false;
}

int gpio_probe_lines(const struct gpio_probe_system *system, const struct gpio_probe_chip *chip,
                     struct gpio_probe_line lines[], size_t count)
{
        AUTO_CLOSE int fd = system->open(chip->path);

        if (fd < 0)
                return fd;
        for (size_t i = 0; i < count; i++) {
                struct gpio_v2_line_info info = {.offset = (uint32_t)i};
                int r = system->ioctl(fd, GPIO_V2_GET_LINEINFO_IOCTL, &info);

                if (r < 0)
                        return r;
                copy_name(lines[i].name, info.name);
                copy_name(lines[i].consumer, info.consumer);
                lines[i].used = (info.flags & GPIO_V2_LINE_FLAG_USED) != 0;
        }
        return 0;
}

/* --- who holds them ---------------------------------------------------------------------- */

static bool is_number(const char *text)
{
        return text[0] != '\0' && strspn(text, "0123456789") == strlen(text);
}

/* One descriptor of a process: "gpio-chip:\tgpiochip0\ngpio-line:\t17\n..." */
static void note_lines(const char *path, const struct gpio_probe_chip *chip, int64_t pid,
                       int64_t pids[], size_t count)
{
        FILE *file = fopen(path, "re");
        char line[128], name[64];
        bool ours = false;
        unsigned offset;

        if (!file)
                return;
        while (fgets(line, sizeof(line), file)) {
                if (sscanf(line, "gpio-chip: %63s", name) == 1)
                        ours = strcmp(name, chip->name) == 0;
                else if (ours && sscanf(line, "gpio-line: %9u", &offset) == 1 && offset < count)
                        pids[offset] = pid;
        }
        fclose(file);
}

static void note_process(const char *processes, const char *process,
                         const struct gpio_probe_chip *chip, int64_t pids[], size_t count,
                         unsigned *budget)
{
        char path[512], target[32];
        const struct dirent *entry;
        DIR *directory;

        snprintf(path, sizeof(path), "%s/%s/fd", processes, process);
        directory = opendir(path);
        while (directory && *budget > 0 && (entry = readdir(directory))) {
                ssize_t length;

                if (!is_number(entry->d_name))
                        continue;
                (*budget)--;
                snprintf(path, sizeof(path), "%s/%s/fd/%.20s", processes, process, entry->d_name);
                length = readlink(path, target, sizeof(target) - 1);
                if (length < 0)
                        continue;
                target[length] = '\0';
                if (strcmp(target, "anon_inode:gpio-line") != 0)
                        continue;
                snprintf(path, sizeof(path), "%s/%s/fdinfo/%.20s", processes, process,
                         entry->d_name);
                note_lines(path, chip, strtoll(process, NULL, 10), pids, count);
        }
        if (directory)
                closedir(directory);
}

void gpio_probe_holders(const char *processes, const struct gpio_probe_chip *chip, int64_t pids[],
                        size_t count)
{
        DIR *directory = opendir(processes);
        unsigned budget = DESCRIPTORS_MAX;
        const struct dirent *entry;

        memset(pids, 0, count * sizeof(pids[0]));
        while (directory && (entry = readdir(directory))) {
                if (is_number(entry->d_name))
                        note_process(processes, entry->d_name, chip, pids, count, &budget);
        }
        if (directory)
                closedir(directory);
}
