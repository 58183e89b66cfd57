/* What jobs do to PWM signals, by software and on the files of a channel. */
#include "agent/gpio/executor-fixture.h"

#include <ftw.h>
#include <sys/stat.h>

static void run_pwm(struct fixture *f, uint32_t slot, double duty, double frequency_hz)
{
        struct gpio_job job = job_of(GPIO_JOB_PWM_SET, slot, 12);

        job.duty = duty;
        job.frequency_hz = frequency_hz;
        gpio_executor_run(f->executor, &job);
}

TEST(a_pin_without_a_channel_has_its_signal_by_software)
{
        struct gpio_job status = job_of(GPIO_JOB_STATUS, 2, 12);
        struct fixture f;

        fixture_init(&f, GPIO_SAFE_OFF, true);
        run_pwm(&f, 0, 1, 0);
        CHECK(!f.link.driven_when_held);
        answer(&f.link, false, 0);
        CHECK_EQ(f.results[0].error, 0);
        CHECK(!f.results[0].hardware);
        CHECK(f.results[0].duty == 1 && f.results[0].frequency_hz == 100);
        CHECK(level_of(&f, 12));
        /* Its level is nobody's to read; a number that is no duty leaves it alone. */
        gpio_executor_run(f.executor, &status);
        CHECK(!f.results[2].pins[12].held);
        CHECK(f.results[2].pins[12].output);
        run_pwm(&f, 3, 0.5, 5000);
        CHECK_EQ(f.results[3].error, -ERANGE);
        CHECK(f.results[3].frequency_hz == 100);
        /* A level ends it. */
        run_set(&f, 4, 12, false);
        CHECK_EQ(f.results[4].error, 0);
        CHECK(!level_of(&f, 12));
        run_pwm(&f, 5, 1, 0);
        run(&f, GPIO_JOB_PWM_OFF, 6, 12);
        CHECK_EQ(f.results[6].error, 0);
        CHECK(!info_of(&f, 12).used);
        answer(&f.link, true, 0);
        run(&f, GPIO_JOB_PWM_OFF, 7, 12);
        CHECK_EQ(f.results[7].error, 0);
        fixture_done(&f);
}

TEST(a_signal_that_cannot_begin_leaves_the_pin_free)
{
        struct fixture f;

        fixture_init(&f, GPIO_SAFE_OFF, false);
        run_pwm(&f, 0, 0.5, 5000);
        CHECK_EQ(f.results[0].error, -ERANGE);
        CHECK(!info_of(&f, 12).used);
        fixture_done(&f);
}

TEST(a_safe_state_ends_a_signal_unless_pins_hold)
{
        static const struct {
                enum gpio_safe safe;
                bool level;
        } safes[] = {{GPIO_SAFE_OFF, false}, {GPIO_SAFE_ON, true}, {GPIO_SAFE_HOLD, true}};

        for (size_t i = 0; i < ARRAY_SIZE(safes); i++) {
                struct fixture f;

                fixture_init(&f, safes[i].safe, false);
                run_pwm(&f, 0, 1, 0);
                run_safe(&f, 1, GPIO_ALL_PINS, GPIO_TAG_ALL);
                CHECK_EQ(f.results[1].error, 0);
                CHECK_EQ(level_of(&f, 12), safes[i].level);
                fixture_done(&f);
        }
}

/* An expander on a bus may fail once and be well again. */
TEST(a_signal_whose_line_fails_once_ends_all_the_same)
{
        static const enum gpio_job_kind ends[] = {GPIO_JOB_PWM_OFF, GPIO_JOB_FREE};

        for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
                struct fixture f;

                fixture_init_kernel(&f, GPIO_SAFE_OFF);
                run_pwm(&f, 0, 1, 0);
                CHECK(level_of(&f, 12));
                fake_kernel_fail(f.kernel, GPIO_V2_LINE_SET_VALUES_IOCTL, -EIO);
                run(&f, ends[i], 1, 12);
                CHECK_EQ(f.results[1].error, -EIO);
                CHECK(!info_of(&f, 12).used);
                /* The next begins anew, and not on the line that was let go of. */
                run_pwm(&f, 2, 1, 0);
                CHECK_EQ(f.results[2].error, 0);
                CHECK(level_of(&f, 12));
                fixture_done(&f);
        }
}

TEST(a_signal_whose_line_fails_once_is_made_safe_all_the_same)
{
        struct fixture f;

        fixture_init_kernel(&f, GPIO_SAFE_OFF);
        run_pwm(&f, 0, 1, 0);
        fake_kernel_fail(f.kernel, GPIO_V2_LINE_SET_VALUES_IOCTL, -EIO);
        run_safe(&f, 1, GPIO_ALL_PINS, GPIO_TAG_ALL);
        CHECK_EQ(f.results[1].error, 0);
        CHECK(!level_of(&f, 12));
        fixture_done(&f);
}

static void write_file(const char *root, const char *path, const void *bytes, size_t length)
{
        char whole[256];
        FILE *file;

        snprintf(whole, sizeof(whole), "%s/%s", root, path);
        for (char *slash = whole + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
                *slash = '\0';
                (void)mkdir(whole, 0700);
                *slash = '/';
        }
        file = fopen(whole, "w");
        CHECK(file != NULL);
        CHECK_EQ(fwrite(bytes, 1, length, file), length);
        CHECK_EQ(fclose(file), 0);
}

static char first_byte(const char *root, const char *path)
{
        char whole[256], byte = '\0';
        FILE *file;

        snprintf(whole, sizeof(whole), "%s/%s", root, path);
        file = fopen(whole, "r");
        CHECK(file != NULL);
        /* Nothing in it: '\0'. */
        CHECK(fread(&byte, 1, 1, file) == 1 || feof(file));
        fclose(file);
        return byte;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
        return remove(path);
}

#define CHIP "sys/class/pwm/pwmchip0/"
#define NODE "sys/bus/gpio/devices/gpiochip0/of_node/pwm_pins/"

/* A Pi 4 whose channel 0 is on GPIO12, not exported yet. */
static void make_pwm_tree(char *root)
{
        char link[128];

        CHECK(mkdtemp(root) != NULL);
        write_file(root, "sys/fe20c000.pwm/of_node/pinctrl-0", "\0\0\0\7", 4);
        write_file(root, NODE "phandle", "\0\0\0\7", 4);
        write_file(root, NODE "brcm,pins", "\0\0\0\14", 4);
        write_file(root, CHIP "export", "", 0);
        snprintf(link, sizeof(link), "%s/" CHIP "device", root);
        CHECK_EQ(symlink("../../../fe20c000.pwm", link), 0);
}

static void remove_pwm_tree(const char *root)
{
        CHECK_EQ(nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

TEST(a_hardware_channel_is_handed_over_before_its_signal_begins)
{
        char root[] = "/tmp/test-executor-XXXXXX";
        struct fixture f;

        make_pwm_tree(root);
        fixture_init_pwm(&f, GPIO_SAFE_OFF, true, root);
        /* As a level first: the line must be let go of, or it would take the pin. */
        run_set(&f, 0, 12, true);
        answer(&f.link, false, 0);
        run_pwm(&f, 1, 0.5, 50);
        CHECK(!info_of(&f, 12).used);
        answer(&f.link, true, 0);
        CHECK_EQ(first_byte(root, CHIP "export"), '0');
        CHECK_EQ(f.link.questions_count, 0);
        /* udev takes its time. */
        loop_advance_ms(f.loop, 100);
        write_file(root, CHIP "pwm0/period", "", 0);
        write_file(root, CHIP "pwm0/duty_cycle", "", 0);
        write_file(root, CHIP "pwm0/enable", "", 0);
        loop_advance_ms(f.loop, 20);
        CHECK_EQ(f.link.questions_count, 1);
        CHECK_EQ(f.link.hold.kind, GUARD_KIND_PWM);
        CHECK_EQ(f.link.hold.actions[0], GUARD_OFF);
        CHECK_EQ(first_byte(root, CHIP "pwm0/enable"), '\0');
        answer(&f.link, false, 0);
        CHECK_EQ(f.results[1].error, 0);
        CHECK(f.results[1].hardware);
        CHECK_EQ(first_byte(root, CHIP "pwm0/enable"), '1');
        run_safe(&f, 2, GPIO_ALL_PINS, GPIO_TAG_ALL);
        CHECK_EQ(first_byte(root, CHIP "pwm0/enable"), '0');
        answer(&f.link, true, 0);
        fixture_done(&f);
        remove_pwm_tree(root);
}

TEST(a_hardware_channel_waits_until_the_supervisor_has_let_go_of_its_line)
{
        char root[] = "/tmp/test-executor-XXXXXX";
        struct fixture f;

        make_pwm_tree(root);
        write_file(root, CHIP "pwm0/period", "", 0);
        write_file(root, CHIP "pwm0/duty_cycle", "", 0);
        write_file(root, CHIP "pwm0/enable", "", 0);
        fixture_init_pwm(&f, GPIO_SAFE_OFF, true, root);
        run_set(&f, 0, 12, true);
        answer(&f.link, false, 0);
        run_pwm(&f, 1, 0.5, 50);
        answer(&f.link, true, -ENOSPC);
        CHECK_EQ(f.results[1].error, -ENOSPC);
        run_pwm(&f, 2, 0.5, 50);
        CHECK_EQ(f.done[2], 0);
        CHECK_EQ(first_byte(root, CHIP "pwm0/enable"), '\0');
        answer(&f.link, true, 0);
        CHECK_EQ(f.link.hold.kind, GUARD_KIND_PWM);
        answer(&f.link, false, 0);
        CHECK_EQ(f.results[2].error, 0);
        CHECK_EQ(first_byte(root, CHIP "pwm0/enable"), '1');
        fixture_done(&f);
        remove_pwm_tree(root);
}

static void write_text(const char *root, const char *path, const char *text)
{
        write_file(root, path, text, strlen(text));
}

/* At 50 Hz and a tenth, as the agent who died left it. */
static struct guard_hold make_signal(const char *root, enum guard_action action)
{
        struct guard_hold hold = {
                .id = 9, .kind = GUARD_KIND_PWM, .lines_count = 1, .offsets[0] = 12};

        hold.actions[0] = (uint8_t)action;
        snprintf(hold.chip, sizeof(hold.chip), "%s/" CHIP "pwm0", root);
        write_text(root, CHIP "pwm0/period", "20000000\n");
        write_text(root, CHIP "pwm0/duty_cycle", "2000000\n");
        write_text(root, CHIP "pwm0/enable", "1\n");
        return hold;
}

/* A new agent, which gets back what it kept. */
static void take_over(struct fixture *f, char *root, enum gpio_safe safe)
{
        struct guard_hold hold;

        make_pwm_tree(root);
        hold = make_signal(root, GUARD_KEEP);
        fixture_init_pwm(f, safe, false, root);
        gpio_executor_return(f->executor, &hold, -1);
        gpio_executor_link(f->executor, &f->link);
}

TEST(a_signal_that_was_kept_through_a_crash_goes_on_and_stays_held)
{
        char root[] = "/tmp/test-executor-XXXXXX";
        struct fixture f;

        take_over(&f, root, GPIO_SAFE_HOLD);
        CHECK_EQ(f.link.questions_count, 0);
        CHECK_EQ(first_byte(root, CHIP "pwm0/enable"), '1');
        /* Its frequency is known, and nobody has to be asked. */
        run_pwm(&f, 0, 0.5, 0);
        CHECK_EQ(f.done[0], 1);
        CHECK(f.results[0].hardware);
        CHECK(f.results[0].frequency_hz == 50);
        CHECK_EQ(f.link.questions_count, 0);
        /* The end of it is the end of the hold. */
        run(&f, GPIO_JOB_PWM_OFF, 1, 12);
        CHECK_EQ(f.results[1].error, 0);
        CHECK_EQ(first_byte(root, CHIP "pwm0/enable"), '0');
        CHECK_EQ(f.link.questions[0].id, 9);
        answer(&f.link, true, 0);
        fixture_done(&f);
        remove_pwm_tree(root);
}

TEST(a_signal_that_was_kept_is_ended_without_being_set_before)
{
        char root[] = "/tmp/test-executor-XXXXXX";
        struct fixture f;

        take_over(&f, root, GPIO_SAFE_HOLD);
        run(&f, GPIO_JOB_PWM_OFF, 0, 12);
        CHECK_EQ(first_byte(root, CHIP "pwm0/enable"), '0');
        answer(&f.link, true, 0);
        fixture_done(&f);
        remove_pwm_tree(root);
}

TEST(a_channel_that_cannot_be_switched_off_stays_held)
{
        static const enum gpio_job_kind ends[] = {GPIO_JOB_PWM_OFF, GPIO_JOB_FREE};

        for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
                char root[] = "/tmp/test-executor-XXXXXX", duty[128];
                struct guard_hold hold;
                struct fixture f;

                make_pwm_tree(root);
                hold = make_signal(root, GUARD_KEEP);
                snprintf(duty, sizeof(duty), "%s/" CHIP "pwm0/duty_cycle", root);
                CHECK_EQ(unlink(duty), 0);
                CHECK_EQ(symlink("/dev/full", duty), 0);
                fixture_init_pwm(&f, GPIO_SAFE_HOLD, false, root);
                gpio_executor_return(f.executor, &hold, -1);
                gpio_executor_link(f.executor, &f.link);
                run(&f, ends[i], 0, 12);
                CHECK_EQ(f.results[0].error, -ENOSPC);
                CHECK_EQ(f.link.questions_count, 0);
                run_pwm(&f, 1, 0.5, 0);
                CHECK_EQ(f.results[1].error, -ENOSPC);
                CHECK_EQ(f.link.questions_count, 0);
                fixture_done(&f);
                remove_pwm_tree(root);
        }
}

TEST(what_was_kept_is_held_for_the_safe_state_that_is_configured_now)
{
        char root[] = "/tmp/test-executor-XXXXXX";
        struct fixture f;

        take_over(&f, root, GPIO_SAFE_OFF);
        CHECK_EQ(f.link.questions_count, 1);
        CHECK_EQ(f.link.hold.id, 9);
        CHECK_EQ(f.link.hold.actions[0], GUARD_OFF);
        /* The signal goes on; who wants to change it waits for the answer. */
        CHECK_EQ(first_byte(root, CHIP "pwm0/enable"), '1');
        run_pwm(&f, 0, 0.5, 0);
        CHECK_EQ(f.done[0], 0);
        answer(&f.link, false, 0);
        CHECK_EQ(f.done[0], 1);
        CHECK_EQ(f.results[0].error, 0);
        fixture_done(&f);
        remove_pwm_tree(root);
}

TEST(what_was_kept_and_cannot_be_held_for_the_safe_state_of_now_ends)
{
        char root[] = "/tmp/test-executor-XXXXXX";
        struct fixture f;

        take_over(&f, root, GPIO_SAFE_OFF);
        answer(&f.link, false, -ENOSPC);
        CHECK_EQ(first_byte(root, CHIP "pwm0/enable"), '0');
        CHECK_EQ(f.link.questions[0].id, 9);
        answer(&f.link, true, 0);
        run_pwm(&f, 0, 0.5, 50);
        CHECK_EQ(f.link.hold.actions[0], GUARD_OFF);
        answer(&f.link, false, 0);
        CHECK_EQ(f.results[0].error, 0);
        CHECK_EQ(first_byte(root, CHIP "pwm0/enable"), '1');
        fixture_done(&f);
        remove_pwm_tree(root);
}

TEST(a_channel_that_was_not_kept_or_is_no_use_is_let_go_of)
{
        char root[] = "/tmp/test-executor-XXXXXX";
        struct guard_hold holds[4];
        struct fixture f;

        make_pwm_tree(root);
        holds[0] = make_signal(root, GUARD_OFF);
        holds[1] = holds[2] = holds[3] = make_signal(root, GUARD_KEEP);
        holds[1].offsets[0] = 17;             /* has none */
        holds[2].offsets[0] = GPIO_LINES_MAX; /* is none */
        snprintf(holds[3].chip, sizeof(holds[3].chip), "/sys/class/pwm/pwmchip9/pwm0");
        fixture_init_pwm(&f, GPIO_SAFE_HOLD, false, root);
        for (size_t i = 0; i < ARRAY_SIZE(holds); i++)
                gpio_executor_return(f.executor, &holds[i], -1);
        gpio_executor_link(f.executor, &f.link);
        CHECK_EQ(f.link.questions_count, ARRAY_SIZE(holds));
        for (size_t i = 0; i < ARRAY_SIZE(holds); i++)
                CHECK(f.link.questions[i].let_go);
        CHECK_EQ(first_byte(root, CHIP "pwm0/enable"), '1');
        fixture_done(&f);
        remove_pwm_tree(root);
}

TEST(a_channel_that_udev_never_hands_over_fails_after_a_second)
{
        char root[] = "/tmp/test-executor-XXXXXX";
        struct fixture f;

        make_pwm_tree(root);
        fixture_init_pwm(&f, GPIO_SAFE_OFF, false, root);
        run_pwm(&f, 0, 0.5, 50);
        run_pwm(&f, 1, 0.5, 50);
        loop_advance_ms(f.loop, 900);
        CHECK_EQ(f.done[0], 0);
        loop_advance_ms(f.loop, 200);
        CHECK_EQ(f.results[0].error, -EACCES);
        CHECK_EQ(f.done[1], 0);
        loop_advance_ms(f.loop, 1000);
        CHECK_EQ(f.results[1].error, -EACCES);
        fixture_done(&f);
        remove_pwm_tree(root);
}
