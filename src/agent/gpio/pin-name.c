#include "agent/gpio/pin-name.h"

#include "base/utf8.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum { HEADER_PINS = 40, SHOWN_MAX = 40, NUMBER_MAX = 9999 };

/* What stands at a position that is no GPIO. */
enum { POWER_3V3 = -1, POWER_5V = -2, GROUND = -3 };

/* By position on the header, from 1: a BCM number or one of the above. */
static const signed char header[HEADER_PINS + 1] = {
        [1] = POWER_3V3, [2] = POWER_5V,   [3] = 2,   [4] = POWER_5V, [5] = 3,
        [6] = GROUND,    [7] = 4,          [8] = 14,  [9] = GROUND,   [10] = 15,
        [11] = 17,       [12] = 18,        [13] = 27, [14] = GROUND,  [15] = 22,
        [16] = 23,       [17] = POWER_3V3, [18] = 24, [19] = 10,      [20] = GROUND,
        [21] = 9,        [22] = 25,        [23] = 11, [24] = 8,       [25] = GROUND,
        [26] = 7,        [27] = 0,         [28] = 1,  [29] = 5,       [30] = GROUND,
        [31] = 6,        [32] = 12,        [33] = 13, [34] = GROUND,  [35] = 19,
        [36] = 16,       [37] = 26,        [38] = 20, [39] = GROUND,  [40] = 21,
};

/* By wiringPi number: the position; 17 to 20 were on a header of the first
 * boards. */
static const unsigned char wiring_pi[] = {11, 12, 13, 15, 16, 18, 22, 7,  3,  5, 24,
                                          26, 19, 21, 23, 8,  10, 0,  0,  0,  0, 29,
                                          31, 33, 35, 37, 32, 36, 38, 40, 27, 28};

static int refuse(struct error *error, const char *name, const char *why)
{
        size_t length = utf8_valid_prefix(name, strnlen(name, SHOWN_MAX));

        return error_set(error, -EINVAL, "\"%.*s%s\" %s", (int)length, name,
                         name[length] ? "..." : "", why);
}

/* Digits and nothing else after `prefix`. */
static bool numbered(const char *name, const char *prefix, unsigned *ret)
{
        size_t length = strlen(prefix);
        unsigned number = 0;

        if (strncasecmp(name, prefix, length) != 0 || name[length] == '\0')
                return false;
        for (const char *digit = name + length; *digit; digit++) {
                if (*digit < '0' || *digit > '9')
                        return false;
                number = number * 10 + (unsigned)(*digit - '0');
                if (number > NUMBER_MAX)
                        number = NUMBER_MAX;
        }
        *ret = number;
        return true;
}

static int at_position(const char *name, unsigned position, unsigned *ret, struct error *error)
{
        if (position == 0 || position > HEADER_PINS)
                return refuse(error, name, "is not on the header, whose pins are 1 to 40");
        switch (header[position]) {
        case POWER_3V3:
                return refuse(error, name, "is a 3.3 V power pin, not a GPIO");
        case POWER_5V:
                return refuse(error, name, "is a 5 V power pin, not a GPIO");
        case GROUND:
                return refuse(error, name, "is a ground pin, not a GPIO");
        default:
                *ret = (unsigned)header[position];
                return 0;
        }
}

int gpio_pin_check(int64_t number, unsigned *ret, struct error *error)
{
        if (number < 0 || number >= GPIO_PINS)
                return error_set(error, -EINVAL,
                                 "there is no GPIO%lld on the 40-pin header, which has GPIO0 to "
                                 "GPIO27",
                                 (long long)number);
        *ret = (unsigned)number;
        return 0;
}

int gpio_pin_parse(const char *name, unsigned *ret, struct error *error)
{
        unsigned number;

        if (numbered(name, "", &number) || numbered(name, "GPIO", &number) ||
            numbered(name, "BCM", &number))
                return number < GPIO_PINS
                               ? gpio_pin_check(number, ret, error)
                               : refuse(error, name,
                                        "is not on the 40-pin header, which has GPIO0 to GPIO27");
        if (numbered(name, "BOARD", &number) || numbered(name, "J8:", &number))
                return at_position(name, number, ret, error);
        if (numbered(name, "WPI", &number)) {
                if (number >= sizeof(wiring_pi) || wiring_pi[number] == 0)
                        return refuse(error, name,
                                      "is not on the 40-pin header, which has WPI0 to WPI16 and "
                                      "WPI21 to WPI31");
                return at_position(name, wiring_pi[number], ret, error);
        }
        if (strcasecmp(name, "3V3") == 0 || strcasecmp(name, "5V") == 0 ||
            strcasecmp(name, "GND") == 0)
                return refuse(error, name, "is a power pin, not a GPIO");
        return refuse(error, name,
                      "is not a pin: use a BCM number (17), \"GPIO17\", \"BOARD11\", \"J8:11\" or "
                      "\"WPI0\"");
}
