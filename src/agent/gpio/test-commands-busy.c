/* Who has the pin: the search for the process, beside everything else. Its thread may wait for
 * the processor for longer than a search may take, so the clock is the test's: the linker sends
 * all readings of it through here (--wrap). */
#include "agent/gpio/commands-fixture.h"
#include "agent/gpio/commands-internal.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIN = 8, PID = 4711 };

static struct {
        _Atomic uint64_t now_ns;
        _Atomic uint64_t step_ns; /* from one reading to the next */
} machine;

uint64_t __wrap_clock_monotonic_ns(void);

uint64_t __wrap_clock_monotonic_ns(void)
{
        return atomic_fetch_add(&machine.now_ns, atomic_load(&machine.step_ns));
}

/* A /proc with one process, which has the pin. */
static void make_processes(char *root)
{
        char path[128];
        FILE *file;

        CHECK(mkdtemp(root) != NULL);
        snprintf(path, sizeof(path), "%s/%d", root, PID);
        CHECK_EQ(mkdir(path, 0700), 0);
        snprintf(path, sizeof(path), "%s/%d/fd", root, PID);
        CHECK_EQ(mkdir(path, 0700), 0);
        snprintf(path, sizeof(path), "%s/%d/fd/5", root, PID);
        CHECK_EQ(symlink("anon_inode:gpio-line", path), 0);
        snprintf(path, sizeof(path), "%s/%d/fdinfo", root, PID);
        CHECK_EQ(mkdir(path, 0700), 0);
        snprintf(path, sizeof(path), "%s/%d/fdinfo/5", root, PID);
        file = fopen(path, "w");
        CHECK(file != NULL);
        fprintf(file, "gpio-chip:\tgpiochip0\ngpio-line:\t%d\n", PIN);
        CHECK_EQ(fclose(file), 0);
}

static void remove_processes(const char *root)
{
        char command[128];

        snprintf(command, sizeof(command), "rm -r %s", root);
        CHECK_EQ(system(command), 0);
}

/* Of a machine whose /proc `root` becomes, where a program has the pin. */
static void busy_init(struct fixture *f, char *root)
{
        make_processes(root);
        fixture_init_processes(f, root);
        CHECK_EQ(gpio_sim_hog(f->chip, PIN, "old-script"), 0);
}

static void busy_done(struct fixture *f, const char *root)
{
        fixture_done(f);
        remove_processes(root);
}

struct answers {
        unsigned all, with_pid;
};

static void on_reply(void *owner, const char *json, size_t length, bool success)
{
        struct answers *answers = owner;
        struct error error;
        cJSON *reply;

        CHECK(!success);
        CHECK_EQ(json_parse(json, length, JSON_DEPTH_MAX, &reply, &error), 0);
        CHECK_TEXT(json_get_string(reply, "code"), "PIN_IN_USE");
        CHECK_TEXT(json_get_string(reply, "consumer"), "old-script");
        answers->all++;
        answers->with_pid += json_get(reply, "pid") != NULL;
        cJSON_Delete(reply);
}

static void ask(struct fixture *f, struct answers *answers)
{
        struct command_call call = {.session = &f->session, .on_reply = on_reply, .owner = answers};
        static const char text[] = "{\"command\":\"led_on\",\"pin\":8}";
        struct error error;

        CHECK_EQ(json_parse(text, strlen(text), JSON_DEPTH_MAX, &call.object, &error), 0);
        call.received_ms = loop_now_ms(f->loop);
        command_dispatch(f->registry, &call, &f->pending);
}

static void await(struct fixture *f, const struct answers *answers, unsigned count)
{
        for (unsigned i = 0; i < 10000 && answers->all < count; i++)
                loop_run_once(f->loop, 10);
        CHECK_EQ(answers->all, count);
}

TEST(the_process_that_has_the_pin_is_named)
{
        char root[] = "/tmp/test-commands-busy-XXXXXX";
        struct fixture f;

        busy_init(&f, root);
        (void)dispatch(&f, "{\"command\":\"led_on\",\"pin\":8}");
        for (unsigned i = 0; i < 10000 && f.replies == 0; i++)
                loop_run_once(f.loop, 10);
        CHECK_TEXT(text_of(&f, "error"),
                   "GPIO8 is in use by \"old-script\" (process 4711); free it "
                   "there, or use another pin");
        CHECK_EQ(integer_of(&f, "pid"), PID);
        CHECK_EQ(integer_of(&f, "pin"), PIN);
        busy_done(&f, root);
}

TEST(so_many_wait_for_a_search_and_the_others_are_answered_without)
{
        enum { ASKED = GPIO_SEARCHES_WAITING + 10 };
        char root[] = "/tmp/test-commands-busy-XXXXXX";
        struct answers answers = {0};
        struct fixture f;

        busy_init(&f, root);
        for (unsigned i = 0; i < ASKED; i++)
                ask(&f, &answers);
        await(&f, &answers, ASKED);
        /* One runs while the others wait. */
        CHECK_EQ(answers.with_pid, GPIO_SEARCHES_WAITING + 1);
        busy_done(&f, root);
}

TEST(a_search_ends_after_200_ms_and_the_reply_comes_without_the_number)
{
        static const struct {
                uint64_t step_ms;
                bool found;
        } cases[] = {{199, true}, {200, false}};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char root[] = "/tmp/test-commands-busy-XXXXXX";
                struct answers answers = {0};
                struct fixture f;

                busy_init(&f, root);
                atomic_store(&machine.step_ns, cases[i].step_ms * 1000000);
                ask(&f, &answers);
                await(&f, &answers, 1);
                atomic_store(&machine.step_ns, 0);
                CHECK_EQ(answers.with_pid, cases[i].found);
                busy_done(&f, root);
        }
}

TEST(a_proc_that_cannot_be_read_costs_the_number_and_not_the_reply)
{
        struct answers answers = {0};
        struct fixture f;

        fixture_init_processes(&f, "/tmp/there is no such folder");
        CHECK_EQ(gpio_sim_hog(f.chip, PIN, "old-script"), 0);
        ask(&f, &answers);
        await(&f, &answers, 1);
        CHECK_EQ(answers.with_pid, 0);
        fixture_done(&f);
}

TEST(searches_that_run_at_the_end_are_answered)
{
        char root[] = "/tmp/test-commands-busy-XXXXXX";
        struct answers answers = {0};
        struct fixture f;

        busy_init(&f, root);
        for (unsigned i = 0; i < 4; i++)
                ask(&f, &answers);
        settle(&f);
        fixture_done(&f);
        CHECK_EQ(answers.all, 4);
        remove_processes(root);
}
