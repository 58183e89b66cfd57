#include "agent/gpio/chip-backend.h"
#include "agent/gpio/lines.h"
#include "agent/gpio/sim.h"
#include "base/attributes.h"

#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>

struct fixture {
        struct gpio_chip *chip;
        struct gpio_lines *lines;
};

static void fixture_init_persist(struct fixture *f, bool persist)
{
        struct gpio_sim_config config = {.persist = persist};

        CHECK_EQ(gpio_sim_new(&config, &f->chip), 0);
        CHECK_EQ(gpio_lines_new(f->chip, &f->lines), 0);
}

static void fixture_init(struct fixture *f)
{
        fixture_init_persist(f, false);
}

static void fixture_done(struct fixture *f)
{
        gpio_lines_free(f->lines);
        gpio_chip_free(f->chip);
}

static bool level_of(struct fixture *f, unsigned pin)
{
        bool level;

        CHECK_EQ(gpio_sim_level(f->chip, pin, &level), 0);
        return level;
}

static struct gpio_line_info info_of(struct fixture *f, unsigned pin)
{
        struct gpio_line_info info;

        CHECK_EQ(gpio_chip_line_info(f->chip, pin, &info), 0);
        return info;
}

TEST(the_first_set_takes_the_pin_and_later_ones_move_it)
{
        struct gpio_line_info info;
        struct fixture f;
        bool value;

        fixture_init(&f);
        CHECK(!gpio_lines_held(f.lines, 17));
        CHECK_EQ(gpio_lines_set(f.lines, 17, true), 0);
        CHECK(gpio_lines_held(f.lines, 17));
        info = info_of(&f, 17);
        CHECK_TEXT(info.consumer, "pifleet:pin17");
        CHECK_EQ(info.config.direction, GPIO_DIRECTION_OUTPUT);
        CHECK(level_of(&f, 17));
        CHECK_EQ(gpio_lines_get(f.lines, 17, &value), 0);
        CHECK(value);
        CHECK_EQ(gpio_lines_set(f.lines, 17, false), 0);
        CHECK(!level_of(&f, 17));
        fixture_done(&f);
}

TEST(a_pin_that_is_not_held_cannot_be_read)
{
        struct fixture f;
        bool value;

        fixture_init(&f);
        CHECK_EQ(gpio_lines_get(f.lines, 17, &value), -ENOENT);
        CHECK_EQ(gpio_lines_get(f.lines, 4000, &value), -ENOENT);
        fixture_done(&f);
}

TEST(a_pin_of_somebody_else_is_busy_and_stays_theirs)
{
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_sim_hog(f.chip, 17, "onewire@0"), 0);
        CHECK_EQ(gpio_lines_set(f.lines, 17, true), -EBUSY);
        CHECK_EQ(gpio_lines_take(f.lines, 17), -EBUSY);
        CHECK(!gpio_lines_held(f.lines, 17));
        CHECK_TEXT(info_of(&f, 17).consumer, "onewire@0");
        fixture_done(&f);
}

TEST(there_are_no_pins_beyond_the_chip_and_the_table)
{
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_lines_set(f.lines, 53, true), 0);
        CHECK_EQ(gpio_lines_set(f.lines, 54, true), -EINVAL);
        CHECK_EQ(gpio_lines_set(f.lines, GPIO_LINES_MAX, true), -EINVAL);
        CHECK_EQ(gpio_lines_set(f.lines, UINT32_MAX, true), -EINVAL);
        CHECK(!gpio_lines_held(f.lines, UINT32_MAX));
        CHECK_EQ(gpio_lines_release(f.lines, UINT32_MAX), 0);
        fixture_done(&f);
}

TEST(taking_a_pin_does_not_move_it)
{
        struct gpio_line_info info;
        struct fixture f;
        bool value;

        fixture_init(&f);
        CHECK_EQ(gpio_sim_drive(f.chip, 17, true), 0);
        CHECK_EQ(gpio_lines_take(f.lines, 17), 0);
        info = info_of(&f, 17);
        CHECK(info.used);
        CHECK_EQ(info.config.direction, GPIO_DIRECTION_INPUT);
        CHECK_EQ(gpio_lines_get(f.lines, 17, &value), 0);
        CHECK(value);
        CHECK_EQ(gpio_lines_take(f.lines, 17), 0);
        fixture_done(&f);
}

TEST(a_released_input_is_an_input_again_even_where_outputs_persist)
{
        struct fixture f;

        for (unsigned persist = 0; persist <= 1; persist++) {
                struct gpio_line_info info;

                fixture_init_persist(&f, persist == 1);
                CHECK_EQ(gpio_sim_drive(f.chip, 17, false), 0);
                CHECK_EQ(gpio_lines_set(f.lines, 17, true), 0);
                CHECK_EQ(gpio_lines_release(f.lines, 17), 0);
                info = info_of(&f, 17);
                CHECK(!info.used);
                CHECK_EQ(info.config.direction, GPIO_DIRECTION_INPUT);
                CHECK(!level_of(&f, 17));
                CHECK(!gpio_lines_held(f.lines, 17));
                CHECK_EQ(gpio_lines_release(f.lines, 17), 0);
                fixture_done(&f);
        }
}

TEST(a_released_output_has_the_level_it_was_found_with)
{
        struct gpio_line_info info;
        struct fixture f;

        fixture_init_persist(&f, true);
        CHECK_EQ(gpio_lines_set(f.lines, 17, true), 0);
        gpio_lines_free(f.lines);
        CHECK_EQ(gpio_lines_new(f.chip, &f.lines), 0);
        CHECK(level_of(&f, 17));

        CHECK_EQ(gpio_lines_set(f.lines, 17, false), 0);
        CHECK(!level_of(&f, 17));
        CHECK_EQ(gpio_lines_release(f.lines, 17), 0);
        info = info_of(&f, 17);
        CHECK(!info.used);
        CHECK_EQ(info.config.direction, GPIO_DIRECTION_OUTPUT);
        CHECK(level_of(&f, 17));
        fixture_done(&f);
}

static const struct {
        enum gpio_safe safe;
        bool before, output, after;
} safe_states[] = {
        {GPIO_SAFE_OFF, true, true, false},   {GPIO_SAFE_OFF, false, true, false},
        {GPIO_SAFE_ON, false, true, true},    {GPIO_SAFE_ON, true, true, true},
        {GPIO_SAFE_HOLD, true, true, true},   {GPIO_SAFE_HOLD, false, true, false},
        {GPIO_SAFE_INPUT, true, false, true}, /* as it was: nothing pulls it */
};

TEST(a_driven_pin_goes_to_its_safe_state_and_stays_held)
{
        for (size_t i = 0; i < ARRAY_SIZE(safe_states); i++) {
                struct fixture f;

                fixture_init_persist(&f, true);
                CHECK_EQ(gpio_lines_set(f.lines, 17, safe_states[i].before), 0);
                CHECK(gpio_lines_driven(f.lines, 17));
                CHECK_EQ(gpio_lines_safe(f.lines, 17, safe_states[i].safe), 0);
                CHECK(gpio_lines_held(f.lines, 17));
                CHECK_EQ(gpio_lines_driven(f.lines, 17), safe_states[i].output);
                CHECK_EQ(info_of(&f, 17).config.direction == GPIO_DIRECTION_OUTPUT,
                         safe_states[i].output);
                if (safe_states[i].output)
                        CHECK_EQ(level_of(&f, 17), safe_states[i].after);
                /* And so it stays when the process is gone. */
                f.lines = gpio_lines_free(f.lines);
                CHECK(!info_of(&f, 17).used);
                if (safe_states[i].output)
                        CHECK_EQ(level_of(&f, 17), safe_states[i].after);
                fixture_done(&f);
        }
}

TEST(a_free_pin_is_taken_in_its_safe_state)
{
        static const enum gpio_safe states[] = {GPIO_SAFE_OFF, GPIO_SAFE_ON, GPIO_SAFE_HOLD,
                                                GPIO_SAFE_INPUT};

        for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
                struct fixture f;

                fixture_init(&f);
                CHECK_EQ(gpio_sim_drive(f.chip, 17, true), 0);
                CHECK_EQ(gpio_lines_safe(f.lines, 17, states[i]), 0);
                CHECK(gpio_lines_held(f.lines, 17));
                CHECK_EQ(gpio_lines_driven(f.lines, 17),
                         states[i] == GPIO_SAFE_OFF || states[i] == GPIO_SAFE_ON);
                CHECK_EQ(level_of(&f, 17), states[i] != GPIO_SAFE_OFF);
                CHECK(gpio_lines_request(f.lines, 17) != NULL);
                CHECK_EQ(gpio_lines_release(f.lines, 17), 0);
                CHECK_NULL(gpio_lines_request(f.lines, 17));
                CHECK(!gpio_lines_driven(f.lines, 17));
                fixture_done(&f);
        }
}

TEST(what_is_no_line_request_is_not_adopted)
{
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(gpio_lines_adopt(f.lines, GPIO_LINES_MAX, 0, true), -EINVAL);
        CHECK_EQ(gpio_lines_adopt(f.lines, 17, 0, true), -EOPNOTSUPP);
        CHECK(!gpio_lines_held(f.lines, 17));
        CHECK_EQ(gpio_lines_set(f.lines, 17, true), 0);
        CHECK_EQ(gpio_lines_adopt(f.lines, 17, 0, true), -EEXIST);
        CHECK(level_of(&f, 17));
        fixture_done(&f);
}

TEST(without_memory_a_pin_stays_free)
{
        struct gpio_lines *lines = NULL;
        struct fixture f;

        fixture_init(&f);
        allocation_fail_at(1);
        CHECK_EQ(gpio_lines_new(f.chip, &lines), -ENOMEM);
        CHECK_NULL(lines);
        allocation_fail_at(1);
        CHECK_EQ(gpio_lines_set(f.lines, 17, true), -ENOMEM);
        (void)allocation_end();
        CHECK(!gpio_lines_held(f.lines, 17));
        CHECK(!info_of(&f, 17).used);
        CHECK_EQ(gpio_lines_set(f.lines, 17, true), 0);
        fixture_done(&f);
}

/* --- a chip whose hardware fails ---------------------------------------------------------- */

enum broken_call { BROKEN_NOTHING, BROKEN_INFO, BROKEN_GET, BROKEN_SET, BROKEN_RECONFIGURE };

struct broken_chip {
        struct gpio_chip chip;
        enum broken_call call;
        unsigned requests;
};

static int broken_result(const struct gpio_chip *chip, enum broken_call call)
{
        return ((const struct broken_chip *)chip)->call == call ? -EIO : 0;
}

static int broken_line_info(struct gpio_chip *chip, unsigned offset, struct gpio_line_info *ret)
{
        *ret = (struct gpio_line_info){.config.direction = GPIO_DIRECTION_INPUT};
        return broken_result(chip, BROKEN_INFO);
}

static int broken_request(struct gpio_chip *chip, const char *consumer, const unsigned offsets[],
                          const struct gpio_line_config configs[], size_t count,
                          struct gpio_request **ret)
{
        *ret = calloc(1, sizeof(**ret));
        CHECK(*ret != NULL);
        gpio_request_init(*ret, chip, offsets, count, -1);
        ((struct broken_chip *)chip)->requests++;
        return 0;
}

static void broken_request_free(struct gpio_request *request)
{
        ((struct broken_chip *)request->chip)->requests--;
        free(request);
}

static int broken_get(struct gpio_request *request, uint64_t mask, uint64_t *ret_values)
{
        *ret_values = 0;
        return broken_result(request->chip, BROKEN_GET);
}

static int broken_set(struct gpio_request *request, uint64_t mask, uint64_t values)
{
        return broken_result(request->chip, BROKEN_SET);
}

static int broken_reconfigure(struct gpio_request *request, const struct gpio_line_config configs[])
{
        return broken_result(request->chip, BROKEN_RECONFIGURE);
}

static const struct gpio_chip_operations broken_operations = {
        .line_info = broken_line_info,
        .request = broken_request,
        .request_free = broken_request_free,
        .get = broken_get,
        .set = broken_set,
        .reconfigure = broken_reconfigure,
};

TEST(a_pin_that_cannot_be_driven_is_not_kept)
{
        static const enum broken_call calls[] = {BROKEN_INFO, BROKEN_GET, BROKEN_RECONFIGURE};

        for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
                struct broken_chip broken = {.call = calls[i]};
                struct gpio_lines *lines;

                gpio_chip_init(&broken.chip, &broken_operations, 54, -1);
                CHECK_EQ(gpio_lines_new(&broken.chip, &lines), 0);
                CHECK_EQ(gpio_lines_set(lines, 17, true), -EIO);
                CHECK(!gpio_lines_held(lines, 17));
                CHECK_EQ(broken.requests, 0);
                gpio_lines_free(lines);
        }
}

TEST(a_held_pin_stays_held_when_driving_it_fails)
{
        struct broken_chip broken = {.call = BROKEN_NOTHING};
        struct gpio_lines *lines;

        gpio_chip_init(&broken.chip, &broken_operations, 54, -1);
        CHECK_EQ(gpio_lines_new(&broken.chip, &lines), 0);
        CHECK_EQ(gpio_lines_set(lines, 17, true), 0);
        broken.call = BROKEN_SET;
        CHECK_EQ(gpio_lines_set(lines, 17, false), -EIO);
        CHECK(gpio_lines_held(lines, 17));
        CHECK_EQ(gpio_lines_safe(lines, 17, GPIO_SAFE_OFF), -EIO);
        gpio_lines_free(lines);
        CHECK_EQ(broken.requests, 0);
}

TEST(a_pin_is_let_go_even_when_it_cannot_be_restored)
{
        struct broken_chip broken = {.call = BROKEN_NOTHING};
        struct gpio_lines *lines;

        gpio_chip_init(&broken.chip, &broken_operations, 54, -1);
        CHECK_EQ(gpio_lines_new(&broken.chip, &lines), 0);
        CHECK_EQ(gpio_lines_set(lines, 17, true), 0);
        broken.call = BROKEN_RECONFIGURE;
        CHECK_EQ(gpio_lines_release(lines, 17), -EIO);
        CHECK(!gpio_lines_held(lines, 17));
        CHECK_EQ(broken.requests, 0);
        gpio_lines_free(lines);
}
