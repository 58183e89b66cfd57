#include "agent/gpio/pin-name.h"
#include "base/attributes.h"

#include "support/test.h"

#include <errno.h>
#include <stdio.h>

/* The whole header, as printed on every pinout: position, BCM, wiringPi. */
static const struct {
        unsigned position, bcm, wiring_pi;
} pins[] = {
        {3, 2, 8},    {5, 3, 9},    {7, 4, 7},    {8, 14, 15},  {10, 15, 16}, {11, 17, 0},
        {12, 18, 1},  {13, 27, 2},  {15, 22, 3},  {16, 23, 4},  {18, 24, 5},  {19, 10, 12},
        {21, 9, 13},  {22, 25, 6},  {23, 11, 14}, {24, 8, 10},  {26, 7, 11},  {27, 0, 30},
        {28, 1, 31},  {29, 5, 21},  {31, 6, 22},  {32, 12, 26}, {33, 13, 23}, {35, 19, 24},
        {36, 16, 27}, {37, 26, 25}, {38, 20, 28}, {40, 21, 29},
};

static void check_name(const char *format, unsigned number, unsigned expected)
{
        char name[32];
        struct error error = {0};
        unsigned pin = 99;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(name, sizeof(name), format, number);
#pragma GCC diagnostic pop
        if (gpio_pin_parse(name, &pin, &error) != 0 || pin != expected)
                FAIL("%s: expected GPIO%u, got %u (%s)", name, expected, pin, error.text);
}

TEST(every_pin_is_known_by_each_of_its_names)
{
        CHECK_EQ(ARRAY_SIZE(pins), GPIO_PINS);
        for (size_t i = 0; i < ARRAY_SIZE(pins); i++) {
                check_name("%u", pins[i].bcm, pins[i].bcm);
                check_name("GPIO%u", pins[i].bcm, pins[i].bcm);
                check_name("BCM%u", pins[i].bcm, pins[i].bcm);
                check_name("BOARD%u", pins[i].position, pins[i].bcm);
                check_name("J8:%u", pins[i].position, pins[i].bcm);
                check_name("WPI%u", pins[i].wiring_pi, pins[i].bcm);
        }
}

TEST(case_does_not_count_and_zeros_may_stand_in_front)
{
        static const char *const names[] = {"gpio17",  "Gpio17",  "bcm17",    "board11",
                                            "Board11", "j8:11",   "wpi0",     "wPi00",
                                            "017",     "GPIO017", "BOARD011", "J8:0011"};

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                struct error error = {0};
                unsigned pin = 99;

                if (gpio_pin_parse(names[i], &pin, &error) != 0 || pin != 17)
                        FAIL("%s: got %u (%s)", names[i], pin, error.text);
        }
}

TEST(every_number_of_the_header_and_no_other_is_a_pin)
{
        static const int64_t refused[] = {-1, 28, 53, 54, INT64_MAX, INT64_MIN};
        struct error error;
        unsigned pin;

        for (unsigned number = 0; number < GPIO_PINS; number++) {
                CHECK_EQ(gpio_pin_check(number, &pin, &error), 0);
                CHECK_EQ(pin, number);
        }
        for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
                pin = 99;
                CHECK_EQ(gpio_pin_check(refused[i], &pin, &error), -EINVAL);
                CHECK_EQ(pin, 99);
        }
        CHECK_EQ(gpio_pin_check(28, &pin, &error), -EINVAL);
        CHECK_TEXT(error.text,
                   "there is no GPIO28 on the 40-pin header, which has GPIO0 to GPIO27");
}

#define NO_GPIO "is not on the 40-pin header, which has GPIO0 to GPIO27"
#define NO_BOARD "is not on the header, whose pins are 1 to 40"
#define NO_WPI "is not on the 40-pin header, which has WPI0 to WPI16 and WPI21 to WPI31"
#define NO_PIN "is not a pin: use a BCM number (17), \"GPIO17\", \"BOARD11\", \"J8:11\" or \"WPI0\""

static const struct {
        const char *name, *why;
} refusals[] = {
        {"BOARD1", "is a 3.3 V power pin, not a GPIO"},
        {"BOARD17", "is a 3.3 V power pin, not a GPIO"},
        {"J8:2", "is a 5 V power pin, not a GPIO"},
        {"j8:4", "is a 5 V power pin, not a GPIO"},
        {"BOARD6", "is a ground pin, not a GPIO"},
        {"BOARD9", "is a ground pin, not a GPIO"},
        {"BOARD14", "is a ground pin, not a GPIO"},
        {"J8:20", "is a ground pin, not a GPIO"},
        {"J8:25", "is a ground pin, not a GPIO"},
        {"J8:30", "is a ground pin, not a GPIO"},
        {"J8:34", "is a ground pin, not a GPIO"},
        {"BOARD39", "is a ground pin, not a GPIO"},
        {"GND", "is a power pin, not a GPIO"},
        {"3V3", "is a power pin, not a GPIO"},
        {"5v", "is a power pin, not a GPIO"},
        {"28", NO_GPIO},
        {"GPIO28", NO_GPIO},
        {"BCM53", NO_GPIO},
        {"99999999999999999999", NO_GPIO},
        {"4294967313", NO_GPIO}, /* 2^32 + 17 */
        {"BOARD0", NO_BOARD},
        {"BOARD41", NO_BOARD},
        {"J8:4294967307", NO_BOARD},
        {"WPI17", NO_WPI},
        {"WPI20", NO_WPI},
        {"WPI32", NO_WPI},
        {"WPI4294967296", NO_WPI},
        {"", NO_PIN},
        {"GPIO", NO_PIN},
        {"BCM", NO_PIN},
        {"BOARD", NO_PIN},
        {"J8:", NO_PIN},
        {"J8", NO_PIN},
        {"WPI", NO_PIN},
        {"P1:11", NO_PIN}, /* the 26-pin boards' header */
        {"P5:3", NO_PIN},
        {"J9:1", NO_PIN},
        {" 17", NO_PIN},
        {"17 ", NO_PIN},
        {"+17", NO_PIN},
        {"-1", NO_PIN},
        {"1.5", NO_PIN},
        {"0x11", NO_PIN},
        {"GPIO-1", NO_PIN},
        {"GPIO 17", NO_PIN},
        {"GPIO17x", NO_PIN},
        {"xGPIO17", NO_PIN},
        {"led1", NO_PIN},
};

TEST(everything_else_is_refused_with_the_reason)
{
        for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
                struct error error = {0};
                char expected[256];
                unsigned pin = 99;

                snprintf(expected, sizeof(expected), "\"%s\" %s", refusals[i].name,
                         refusals[i].why);
                CHECK_EQ(gpio_pin_parse(refusals[i].name, &pin, &error), -EINVAL);
                CHECK_EQ(pin, 99);
                CHECK_TEXT(error.text, expected);
        }
}

TEST(a_long_name_is_cut_between_characters)
{
        struct error error = {0};
        unsigned pin;

        /* 39 bytes of x, then a character of two bytes across the limit. */
        CHECK_EQ(gpio_pin_parse("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\xc3\xa4zzz", &pin, &error),
                 -EINVAL);
        CHECK_TEXT(error.text, "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\" " NO_PIN);
}

TEST(nobody_has_to_care_about_the_sentence)
{
        unsigned pin;

        CHECK_EQ(gpio_pin_parse("GND", &pin, NULL), -EINVAL);
        CHECK_EQ(gpio_pin_check(28, &pin, NULL), -EINVAL);
}
