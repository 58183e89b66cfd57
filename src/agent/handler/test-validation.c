/* The test is the sandbox (sandbox-fixture.h), and what is started in it the validator. */
#include "agent/handler/validation.h"

#include "agent/handler/sandbox-fixture.h"
#include "agent/handler/source-text.h"
#include "base/attributes.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VALIDATOR "0-validator"
#define COMPILER "0-compiler"
#define EXITED(status) ((status) << 8)

struct fixture {
        struct loop *loop;
        struct handler_config config;
        struct launch *launch;
        struct spawner *spawner;
        struct diagnosis diagnosis;
        struct validation *validation;
        int code_fd, object_fd;
        unsigned told;
        enum validation_verdict verdict;
        char why[256];
        bool free_in_done;
};

static void settle(struct fixture *f)
{
        for (unsigned i = 0; i < 80; i++)
                loop_run_once(f->loop, 0);
}

static void on_state(void *owner, bool up, const char *why)
{
        (void)owner;
        (void)up;
        (void)why;
}

static void on_done(void *owner, enum validation_verdict verdict, const char *why)
{
        struct fixture *f = owner;

        f->told++;
        f->verdict = verdict;
        snprintf(f->why, sizeof(f->why), "%s", why);
        if (f->free_in_done)
                f->validation = validation_free(f->validation);
}

static void fixture_open(struct fixture *f)
{
        static const char *const hidden[] = {NULL};
        const struct config_section section = handler_config_section(&f->config);
        const struct launch_options options = {&f->config, hidden, "/tmp"};

        *f = (struct fixture){.code_fd = -1, .object_fd = -1};
        sandbox_fixture_init();
        CHECK_EQ(config_defaults(&section, 1), 0);
        free(f->config.spawner);
        f->config.spawner = NULL;
        CHECK_EQ(loop_new_virtual(1000, &f->loop), 0);
        CHECK_EQ(launch_new(f->loop, &options, &f->launch), 0);
        CHECK_EQ(spawner_new(f->loop, launch_spawner(f->launch), on_state, f, &f->spawner), 0);
        CHECK_EQ(source_text_seal("test", "x = 1\n", 6, &f->code_fd), 0);
        diagnosis_init(&f->diagnosis);
        settle(f);
}

static void fixture_close(struct fixture *f)
{
        const struct config_section section = handler_config_section(&f->config);

        validation_free(f->validation);
        settle(f);
        spawner_free(f->spawner);
        settle(f);
        diagnosis_done(&f->diagnosis);
        launch_free(f->launch);
        config_done(&section, 1);
        close(f->code_fd);
        loop_free(f->loop);
}

static int start(struct fixture *f, const char *filename)
{
        const struct validation_setup setup = {.loop = f->loop,
                                               .spawner = f->spawner,
                                               .launch = f->launch,
                                               .filename = filename,
                                               .code_fd = f->code_fd,
                                               .object_fd = f->object_fd,
                                               .diagnosis = &f->diagnosis};
        int r = validation_start(&setup, on_done, f, &f->validation);

        settle(f);
        return r;
}

static void report(const char *name, const char *text)
{
        size_t index = sandbox_fixture_find(name);

        CHECK_EQ(write(sandbox_fixture.programs[index].report, text, strlen(text)), strlen(text));
}

/* Says `text`, if any, and ends. */
static void conclude(struct fixture *f, const char *name, const char *text, int wait_status)
{
        if (text)
                report(name, text);
        sandbox_fixture_end(sandbox_fixture_find(name), wait_status, 0);
        settle(f);
}

static void check(const struct fixture *f, enum validation_verdict verdict, const char *why)
{
        CHECK_EQ(f->told, 1);
        CHECK_EQ(f->verdict, verdict);
        CHECK_TEXT(f->why, why);
}

TEST(a_module_passes_when_the_validator_says_so)
{
        struct fixture f;

        fixture_open(&f);
        CHECK_EQ(start(&f, "a.py"), 0);
        CHECK_EQ(f.told, 0);
        conclude(&f, VALIDATOR, "{\"valid\":true}", EXITED(0));
        check(&f, VALIDATION_PASSED, "");
        fixture_close(&f);
}

TEST(a_report_counts_however_it_comes_in)
{
        static const char text[] = "{\"valid\":true}";
        struct fixture f;

        fixture_open(&f);
        CHECK_EQ(start(&f, "a.py"), 0);
        for (size_t i = 0; i < sizeof(text) - 1; i++) {
                report(VALIDATOR, (char[]){text[i], '\0'});
                if (i % 2 == 0)
                        settle(&f);
        }
        conclude(&f, VALIDATOR, NULL, EXITED(0));
        check(&f, VALIDATION_PASSED, "");
        fixture_close(&f);
}

TEST(a_refusal_has_its_diagnosis)
{
        struct fixture f;

        fixture_open(&f);
        CHECK_EQ(start(&f, "a.py"), 0);
        conclude(&f, VALIDATOR,
                 "{\"valid\":false,\"layer\":\"syntax\",\"findings\":[{\"line\":3,"
                 "\"message\":\"no\"}]}",
                 EXITED(0));
        check(&f, VALIDATION_REFUSED, "");
        CHECK_EQ(f.diagnosis.findings[0].line, 3);
        fixture_close(&f);
}

TEST(what_decides_nothing_is_no_pass)
{
        static const char *const texts[] = {NULL,
                                            "",
                                            "{",
                                            "[]",
                                            "{}",
                                            "{\"valid\":1}",
                                            "{\"valid\":\"true\"}",
                                            "{\"valid\":true} and more",
                                            "Traceback (most recent call last):\n"};

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                struct fixture f;

                fixture_open(&f);
                CHECK_EQ(start(&f, "a.py"), 0);
                conclude(&f, VALIDATOR, texts[i], EXITED(0));
                check(&f, VALIDATION_FAILED, "the validator's answer cannot be understood");
                fixture_close(&f);
        }
}

TEST(a_refusal_without_a_reason_is_a_failure)
{
        static const char *const texts[] = {
                "{\"valid\":false}", "{\"valid\":false,\"layer\":\"syntax\",\"findings\":7}",
                "{\"valid\":false,\"layer\":\"syntax\",\"findings\":[]}"};

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                struct fixture f;

                fixture_open(&f);
                CHECK_EQ(start(&f, "a.py"), 0);
                conclude(&f, VALIDATOR, texts[i], EXITED(0));
                check(&f, VALIDATION_FAILED, "the validator refuses it and says not why");
                fixture_close(&f);
        }
}

TEST(a_report_has_a_bound)
{
        static char text[VALIDATION_REPORT_MAX + 2];
        struct fixture f;
        size_t index, at = 0;

        memset(text, ' ', sizeof(text) - 1);
        memcpy(text, "{\"valid\":true}", 14);
        fixture_open(&f);
        CHECK_EQ(start(&f, "a.py"), 0);
        index = sandbox_fixture_find(VALIDATOR);
        while (at < sizeof(text) - 1) {
                ssize_t count =
                        sizeof(text) - 1 - at < 32768 ? (ssize_t)(sizeof(text) - 1 - at) : 32768;

                CHECK_EQ(write(sandbox_fixture.programs[index].report, text + at, (size_t)count),
                         count);
                at += (size_t)count;
                settle(&f);
        }
        conclude(&f, VALIDATOR, NULL, EXITED(0));
        check(&f, VALIDATION_FAILED, "the validator's answer cannot be understood");
        fixture_close(&f);
}

TEST(a_validator_that_ends_badly_decides_nothing)
{
        static const struct {
                int wait_status;
                const char *why;
        } cases[] = {
                {EXITED(1), "the validator ended with status 1"},
                {SIGKILL, "the validator was killed by SIGKILL"},
                {SIGSEGV | 0x80, "the validator was killed by SIGSEGV"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct fixture f;

                fixture_open(&f);
                CHECK_EQ(start(&f, "a.py"), 0);
                conclude(&f, VALIDATOR, "{\"valid\":true}", cases[i].wait_status);
                check(&f, VALIDATION_FAILED, cases[i].why);
                fixture_close(&f);
        }
}

/* The spawner says this of the validator. */
static void tell(struct fixture *f, struct sandbox_event event)
{
        event.id = sandbox_fixture.programs[sandbox_fixture_find(VALIDATOR)].id;
        sandbox_fixture_say(event);
        settle(f);
}

TEST(what_the_spawner_says_of_it_is_told)
{
        static const struct {
                struct sandbox_event event;
                const char *why;
        } cases[] = {
                {{.kind = SANDBOX_ENDED, .end = SANDBOX_END_MEMORY, .wait_status = SIGKILL},
                 "the validator needed too much memory for it"},
                {{.kind = SANDBOX_GONE, .error = -EPIPE}, "the validator went with its spawner"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct fixture f;

                fixture_open(&f);
                CHECK_EQ(start(&f, "a.py"), 0);
                tell(&f, cases[i].event);
                check(&f, VALIDATION_FAILED, cases[i].why);
                fixture_close(&f);
        }
}

TEST(one_that_cannot_be_started_is_told_with_the_reason)
{
        struct fixture f;

        fixture_open(&f);
        sandbox_fixture.silent = true;
        CHECK_EQ(start(&f, "a.py"), 0);
        tell(&f, (struct sandbox_event){
                         .kind = SANDBOX_FAILED, .step = SANDBOX_STEP_EXEC, .error = -ENOENT});
        CHECK_EQ(f.told, 1);
        CHECK_EQ(f.verdict, VALIDATION_FAILED);
        CHECK(strstr(f.why, "the validator could not be started: ") == f.why);
        CHECK(strstr(f.why, "No such file") != NULL);
        fixture_close(&f);
}

TEST(a_hung_validator_is_killed_at_its_deadline)
{
        struct fixture f;

        fixture_open(&f);
        CHECK_EQ(start(&f, "a.py"), 0);
        loop_advance_ms(f.loop, VALIDATION_MS - 1);
        CHECK_EQ(f.told, 0);
        CHECK(sandbox_fixture_has(VALIDATOR));
        loop_advance_ms(f.loop, 1);
        check(&f, VALIDATION_FAILED, "the validator did not come to an end within 5 s");
        CHECK(!sandbox_fixture_has(VALIDATOR));
        settle(&f);
        CHECK_EQ(f.told, 1);
        fixture_close(&f);
}

TEST(a_compiler_has_more_time)
{
        struct fixture f;

        fixture_open(&f);
        CHECK_EQ(start(&f, "a.c"), 0);
        loop_advance_ms(f.loop, VALIDATION_COMPILE_MS - 1);
        CHECK_EQ(f.told, 0);
        loop_advance_ms(f.loop, 1);
        check(&f, VALIDATION_FAILED, "the compiler did not come to an end within 30 s");
        fixture_close(&f);
}

TEST(a_spawner_that_does_not_answer_has_a_deadline_too)
{
        struct fixture f;

        fixture_open(&f);
        sandbox_fixture.silent = true;
        CHECK_EQ(start(&f, "a.py"), 0);
        loop_advance_ms(f.loop, VALIDATION_START_MS - 1);
        CHECK_EQ(f.told, 0);
        loop_advance_ms(f.loop, 1);
        CHECK_EQ(f.told, 1);
        CHECK_EQ(f.verdict, VALIDATION_FAILED);
        fixture_close(&f);
}

TEST(what_is_freed_is_killed_and_tells_nobody)
{
        struct fixture f;

        fixture_open(&f);
        CHECK_EQ(start(&f, "a.py"), 0);
        f.validation = validation_free(f.validation);
        settle(&f);
        CHECK(!sandbox_fixture_has(VALIDATOR));
        CHECK_EQ(f.told, 0);
        CHECK_NULL(validation_free(NULL));
        fixture_close(&f);
}

TEST(it_may_be_freed_while_it_tells)
{
        struct fixture f;

        fixture_open(&f);
        f.free_in_done = true;
        CHECK_EQ(start(&f, "a.py"), 0);
        conclude(&f, VALIDATOR, "{\"valid\":true}", EXITED(0));
        check(&f, VALIDATION_PASSED, "");
        CHECK_NULL(f.validation);
        fixture_close(&f);
}

TEST(a_start_that_is_refused_leaves_nothing)
{
        struct fixture f;

        fixture_open(&f);
        sandbox_fixture.refuse_start = -EAGAIN;
        CHECK_EQ(start(&f, "a.py"), -EAGAIN);
        CHECK_NULL(f.validation);
        sandbox_fixture.refuse_start = 0;
        CHECK_EQ(start(&f, "a.py"), 0);
        fixture_close(&f);
}

TEST(without_memory_it_does_not_start)
{
        size_t n = 0;
        bool failed;

        do {
                struct fixture f;
                int r;

                fixture_open(&f);
                allocation_fail_at(++n);
                r = start(&f, "a.py");
                failed = allocation_end();
                if (r == 0)
                        conclude(&f, VALIDATOR, "{\"valid\":true}", EXITED(0));
                CHECK(r == -ENOMEM || f.told == 1);
                fixture_close(&f);
        } while (failed);
        CHECK(n > 1);
}
