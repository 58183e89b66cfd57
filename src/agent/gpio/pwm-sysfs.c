#include "agent/gpio/pwm-sysfs.h"

#include "base/attributes.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { CHIPS_MAX = 32, CELLS_MAX = 64 };

/* The header's PWM devices, by the end of their names, and the pins their
 * channels can reach. */
struct board {
        const char *device;
        struct {
                uint8_t pin, channel;
        } pins[6];
        size_t pins_count;
};

static const struct board boards[] = {
        {"20c000.pwm", {{12, 0}, {18, 0}, {13, 1}, {19, 1}}, 4},
        {"1f00098000.pwm", {{12, 0}, {13, 1}, {14, 2}, {18, 2}, {15, 3}, {19, 3}}, 6},
};

/* --- finding ----------------------------------------------------------------------------- */

/* Reads a small file whole. Returns its length. */
static ssize_t read_small(const char *path, void *ret, size_t size)
{
        AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t length;

        if (fd < 0)
                return -errno;
        length = read(fd, ret, size);
        return length < 0 ? -errno : length;
}

static bool ends_with(const char *text, const char *end)
{
        size_t length = strlen(text), end_length = strlen(end);

        return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static const struct board *board_of(const char *chip)
{
        char path[PATH_MAX], target[PATH_MAX];
        ssize_t length;

        if ((size_t)snprintf(path, sizeof(path), "%s/device", chip) >= sizeof(path))
                return NULL;
        length = readlink(path, target, sizeof(target) - 1);
        if (length < 0)
                return NULL;
        target[length] = '\0';
        for (size_t i = 0; i < ARRAY_SIZE(boards); i++)
                if (ends_with(target, boards[i].device))
                        return &boards[i];
        return NULL;
}

/* Does this node of the pin controller name the pin? By number (Pi 0 to 4:
 * brcm,pins) or as text (Pi 5: pins = "gpio12", "gpio13"). */
static bool node_has_pin(const char *node, unsigned pin)
{
        char path[PATH_MAX], name[16], texts[512] = {0};
        uint32_t cells[CELLS_MAX];
        ssize_t length;

        if ((size_t)snprintf(path, sizeof(path), "%s/brcm,pins", node) >= sizeof(path))
                return false;
        length = read_small(path, cells, sizeof(cells));
        for (ssize_t i = 0; i < length / 4; i++)
                if (be32toh(cells[i]) == pin)
                        return true;
        if ((size_t)snprintf(path, sizeof(path), "%s/pins", node) >= sizeof(path))
                return false;
        snprintf(name, sizeof(name), "gpio%u", pin);
        length = read_small(path, texts, sizeof(texts) - 1);
        for (ssize_t i = 0; i < length; i += (ssize_t)strlen(texts + i) + 1)
                if (strcmp(texts + i, name) == 0)
                        return true;
        return false;
}

static bool has_phandle(const char *node, const uint32_t wanted[], size_t count)
{
        char path[PATH_MAX];
        uint32_t phandle;

        if ((size_t)snprintf(path, sizeof(path), "%s/phandle", node) >= sizeof(path) ||
            read_small(path, &phandle, sizeof(phandle)) != sizeof(phandle))
                return false;
        for (size_t i = 0; i < count; i++)
                if (wanted[i] == phandle)
                        return true;
        return false;
}

/* Among the nodes of one pin controller, those of `wanted`. */
static bool controller_has_pin(const char *controller, const uint32_t wanted[], size_t count,
                               unsigned pin)
{
        DIR *folder = opendir(controller);
        const struct dirent *entry;
        bool found = false;

        if (!folder)
                return false;
        while (!found && (entry = readdir(folder)) != NULL) {
                char node[PATH_MAX];

                if (entry->d_name[0] == '.' ||
                    (size_t)snprintf(node, sizeof(node), "%s/%s", controller, entry->d_name) >=
                            sizeof(node))
                        continue;
                found = has_phandle(node, wanted, count) && node_has_pin(node, pin);
        }
        closedir(folder);
        return found;
}

/* The chip's pinctrl-0 names nodes of a pin controller, which is a GPIO chip too. */
static bool is_multiplexed(const char *root, const char *chip, unsigned pin)
{
        char path[PATH_MAX];
        uint32_t wanted[CELLS_MAX];
        const struct dirent *entry;
        bool found = false;
        ssize_t length;
        DIR *folder;

        if ((size_t)snprintf(path, sizeof(path), "%s/device/of_node/pinctrl-0", chip) >=
            sizeof(path))
                return false;
        length = read_small(path, wanted, sizeof(wanted));
        if (length < 4)
                return false;
        (void)snprintf(path, sizeof(path), "%s/sys/bus/gpio/devices", root);
        folder = opendir(path);
        if (!folder)
                return false;
        for (size_t i = 0; !found && i < CHIPS_MAX && (entry = readdir(folder)) != NULL; i++) {
                char controller[PATH_MAX];

                if ((size_t)snprintf(controller, sizeof(controller),
                                     "%s/sys/bus/gpio/devices/%s/of_node", root,
                                     entry->d_name) < sizeof(controller))
                        found = controller_has_pin(controller, wanted, (size_t)length / 4, pin);
        }
        closedir(folder);
        return found;
}

static bool chip_reaches(const char *root, const char *chip, unsigned pin, unsigned *ret_channel)
{
        const struct board *board = board_of(chip);

        for (size_t i = 0; board && i < board->pins_count; i++) {
                if (board->pins[i].pin != pin)
                        continue;
                *ret_channel = board->pins[i].channel;
                return is_multiplexed(root, chip, pin);
        }
        return false;
}

int gpio_pwm_sysfs_find(const char *root, unsigned pin, struct gpio_pwm_place *ret)
{
        char path[PATH_MAX];
        struct gpio_pwm_place place;
        const struct dirent *entry;
        bool found = false;
        DIR *folder;

        if ((size_t)snprintf(path, sizeof(path), "%s/sys/class/pwm", root) >= sizeof(path))
                return -ENAMETOOLONG;
        folder = opendir(path);
        if (!folder)
                return -errno;
        for (size_t i = 0; !found && i < CHIPS_MAX && (entry = readdir(folder)) != NULL; i++) {
                if (strncmp(entry->d_name, "pwmchip", 7) != 0 ||
                    (size_t)snprintf(place.chip, sizeof(place.chip), "%s/%s", path,
                                     entry->d_name) >= sizeof(place.chip))
                        continue;
                found = chip_reaches(root, place.chip, pin, &place.channel);
        }
        closedir(folder);
        if (!found)
                return -ENOENT;
        *ret = place;
        return 0;
}

/* --- driving ----------------------------------------------------------------------------- */

struct channel {
        struct gpio_pwm pwm;
        char folder[GPIO_PWM_FOLDER_MAX];
        int period, duty, enable;
        uint64_t period_ns; /* as written last; 0: not known */
};

static struct channel *channel_of(const struct gpio_pwm *pwm)
{
        return container_of(pwm, struct channel, pwm);
}

static int write_number(int fd, uint64_t number)
{
        char text[24];
        int length = snprintf(text, sizeof(text), "%" PRIu64, number);
        ssize_t written = pwrite(fd, text, (size_t)length, 0);

        if (written < 0)
                return -errno;
        return written == length ? 0 : -EIO;
}

/* The kernel refuses a duty that is longer than the period at any moment, so which
 * one is written first depends on where they go. */
static int sysfs_set(struct gpio_pwm *pwm, uint64_t period_ns, uint64_t high_ns)
{
        struct channel *channel = channel_of(pwm);
        int r = 0;

        if (period_ns > INT_MAX)
                return -ERANGE;
        if (period_ns != channel->period_ns) {
                if (channel->period_ns > period_ns || channel->period_ns == 0)
                        r = write_number(channel->duty, 0);
                /* A channel that never had a period has no duty to set either. */
                if (r == -EINVAL)
                        r = 0;
                if (r == 0)
                        r = write_number(channel->period, period_ns);
                if (r < 0)
                        return r;
                channel->period_ns = period_ns;
        }
        r = write_number(channel->duty, high_ns);
        return r < 0 ? r : write_number(channel->enable, 1);
}

static int sysfs_stop(struct gpio_pwm *pwm)
{
        struct channel *channel = channel_of(pwm);
        /* Some drivers leave the pin where it was when they are disabled. */
        int r = write_number(channel->duty, 0), disabled = write_number(channel->enable, 0);

        if (r == -EINVAL)
                r = 0; /* never had a period: was never on */
        return disabled == -EINVAL && channel->period_ns == 0 ? r : r < 0 ? r : disabled;
}

static void sysfs_free(struct gpio_pwm *pwm)
{
        struct channel *channel = channel_of(pwm);
        int fds[] = {channel->period, channel->duty, channel->enable};

        for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
                if (fds[i] >= 0)
                        close(fds[i]);
        free(channel);
}

static const struct gpio_pwm_operations sysfs_operations = {
        .set = sysfs_set, .stop = sysfs_stop, .free = sysfs_free, .hardware = true};

/* -EBUSY: by us in an earlier life, or by somebody who may not mind. */
static int export_channel(const struct gpio_pwm_place *place)
{
        AUTO_CLOSE int fd = -1;
        char path[GPIO_PWM_FOLDER_MAX];
        int r;

        (void)snprintf(path, sizeof(path), "%s/export", place->chip);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = write_number(fd, place->channel);
        return r == -EBUSY ? 0 : r;
}

static int open_file(const struct channel *channel, const char *name, int *ret)
{
        char path[GPIO_PWM_FOLDER_MAX + 16];
        int fd;

        (void)snprintf(path, sizeof(path), "%s/%s", channel->folder, name);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                /* The file is there before udev has given it to its group. */
                return errno == ENOENT || errno == EACCES ? -EAGAIN : -errno;
        *ret = fd;
        return 0;
}

/* 0: not to be read. */
static uint64_t read_number(const struct channel *channel, const char *name)
{
        char path[GPIO_PWM_FOLDER_MAX + 16], text[24] = "";
        unsigned long long number;
        char *end;

        (void)snprintf(path, sizeof(path), "%s/%s", channel->folder, name);
        if (read_small(path, text, sizeof(text) - 1) <= 0)
                return 0;
        errno = 0;
        number = strtoull(text, &end, 10);
        return errno != 0 || end == text || (*end != '\0' && *end != '\n') ? 0 : number;
}

/* What another left running, so that it can be changed without a step in between. */
static void find_signal(struct channel *channel)
{
        uint64_t period_ns = read_number(channel, "period");
        uint64_t high_ns = read_number(channel, "duty_cycle");

        if (read_number(channel, "enable") != 1 || period_ns == 0 || period_ns > INT_MAX ||
            high_ns > period_ns)
                return;
        channel->period_ns = period_ns;
        channel->pwm.frequency_hz = 1e9 / (double)period_ns;
        channel->pwm.duty = (double)high_ns / (double)period_ns;
}

int gpio_pwm_sysfs_open(const struct gpio_pwm_place *place, struct gpio_pwm **ret)
{
        struct channel *channel = calloc(1, sizeof(*channel));
        int r = 0;

        if (!channel)
                return -ENOMEM;
        *channel = (struct channel){
                .pwm.operations = &sysfs_operations, .period = -1, .duty = -1, .enable = -1};
        (void)snprintf(channel->folder, sizeof(channel->folder), "%s/pwm%u", place->chip,
                       place->channel);
        if (access(channel->folder, F_OK) < 0)
                r = export_channel(place);
        if (r == 0)
                r = open_file(channel, "period", &channel->period);
        if (r == 0)
                r = open_file(channel, "duty_cycle", &channel->duty);
        if (r == 0)
                r = open_file(channel, "enable", &channel->enable);
        if (r < 0) {
                sysfs_free(&channel->pwm);
                return r;
        }
        find_signal(channel);
        *ret = &channel->pwm;
        return 0;
}

int gpio_pwm_sysfs_enable_fd(const struct gpio_pwm *pwm)
{
        return channel_of(pwm)->enable;
}

const char *gpio_pwm_sysfs_folder(const struct gpio_pwm *pwm)
{
        return channel_of(pwm)->folder;
}
