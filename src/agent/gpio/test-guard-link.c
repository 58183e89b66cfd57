/* The supervisor is played here: its end of the channel, and its page. */
#include "agent/gpio/guard-link.h"

#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ANSWERS_MAX = 512 };

static struct {
        struct ipc_channel channel; /* the supervisor's end */
        struct ipc_channel given;   /* the agent's */
        int page_fd;
        struct guard_page *page;

        struct loop *loop;
        struct guard_link *link;
        unsigned ready, lost, returned;
        int lost_reason;
        uint64_t returned_id;
        int answers[ANSWERS_MAX];
        size_t answers_count;
        bool free_when_answered, free_when_lost;
} f;

static void on_returned(void *owner, const struct guard_hold *hold, int descriptor)
{
        CHECK(fcntl(descriptor, F_GETFD) >= 0);
        close(descriptor);
        f.returned++;
        f.returned_id = hold->id;
}

static void on_ready(void *owner)
{
        f.ready++;
}

static void on_lost(void *owner, int reason)
{
        f.lost++;
        f.lost_reason = reason;
        if (f.free_when_lost)
                f.link = guard_link_free(f.link);
}

static void on_answered(void *context, int error)
{
        CHECK(f.answers_count < ANSWERS_MAX);
        f.answers[f.answers_count++] = error;
        if (f.free_when_answered) {
                f.free_when_answered = false;
                f.link = guard_link_free(f.link);
        }
}

static const struct guard_link_owner owner = {NULL, on_returned, on_ready, on_lost};

static void offer(void)
{
        char text[32];

        memset(&f, 0, sizeof(f));
        CHECK_EQ(ipc_channel_pair(GUARD_VERSION, &f.channel, &f.given), 0);
        f.page_fd = memfd_create("guard", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        CHECK_EQ(ftruncate(f.page_fd, GUARD_PAGE_BYTES), 0);
        CHECK_EQ(fcntl(f.page_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
        f.page = mmap(NULL, GUARD_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, f.page_fd, 0);
        CHECK(f.page != MAP_FAILED);
        snprintf(text, sizeof(text), "%d,%d", f.given.fd, f.page_fd);
        setenv(GUARD_ENVIRONMENT, text, 1);
}

static void withdraw(void)
{
        guard_link_free(f.link);
        loop_free(f.loop);
        ipc_channel_close(&f.channel);
        munmap(f.page, GUARD_PAGE_BYTES);
}

static void play(void)
{
        for (unsigned i = 0; i < 8; i++)
                loop_run_once(f.loop, 0);
}

static void expect(uint16_t type, struct ipc_message *ret)
{
        CHECK_EQ(ipc_receive(&f.channel, ret), 1);
        CHECK_EQ(guard_message_check(ret), 0);
        CHECK_EQ(ret->type, type);
}

static void welcome(uint32_t returned)
{
        const struct guard_welcome message = {.version = GUARD_VERSION, .returned = returned};

        CHECK_EQ(ipc_send(&f.channel, GUARD_WELCOME, &message, sizeof(message), NULL, 0), 0);
}

static void answer(uint64_t id, int error)
{
        const struct guard_answer message = {.id = id, .error = error};

        CHECK_EQ(ipc_send(&f.channel, error < 0 ? GUARD_REFUSED : GUARD_ACK, &message,
                          sizeof(message), NULL, 0),
                 0);
}

static struct guard_hold hold_of(uint64_t id)
{
        return (struct guard_hold){.id = id,
                                   .kind = GUARD_KIND_LINES,
                                   .lines_count = 1,
                                   .consumer = "pifleet:test",
                                   .chip = "/dev/gpiochip0",
                                   .offsets = {17},
                                   .actions = {GUARD_OFF},
                                   .flags = {GPIO_V2_LINE_FLAG_OUTPUT}};
}

/* Open, started and greeted. */
static void connect_link(void)
{
        struct ipc_message message;

        offer();
        CHECK_EQ(loop_new(&f.loop), 0);
        CHECK_EQ(guard_link_open(&f.link), 0);
        CHECK_EQ(guard_link_start(f.link, f.loop, &owner), 0);
        expect(GUARD_HELLO, &message);
        CHECK_EQ(((struct guard_hello *)message.payload)->pid, getpid());
        welcome(0);
        play();
        CHECK_EQ(f.ready, 1);
}

static int hold(uint64_t id)
{
        struct guard_hold wanted = hold_of(id);

        return guard_link_hold(f.link, &wanted, STDIN_FILENO, on_answered, NULL);
}

TEST(without_a_supervisor_there_is_no_link)
{
        struct guard_link *link = NULL;

        unsetenv(GUARD_ENVIRONMENT);
        CHECK_EQ(guard_link_open(&link), -ENOENT);
        CHECK_NULL(link);
}

TEST(what_names_no_descriptors_is_refused)
{
        static const char *const cases[] = {
                "",
                "3",
                "3,",
                ",4",
                "3,4,",
                "3,4 ",
                " 3,4",
                "+3,4",
                "-1,4",
                "3,-4",
                "0,4",
                "3,2",
                "3;4",
                "x,y",
                "3,,4",
                "0x3,4",
                "4,4",
                "99999999999999999999,4",
                "3,2147483648",
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct guard_link *link = NULL;

                setenv(GUARD_ENVIRONMENT, cases[i], 1);
                if (guard_link_open(&link) != -EPROTO)
                        FAIL("\"%s\": was taken", cases[i]);
                CHECK_NULL(getenv(GUARD_ENVIRONMENT));
        }
}

TEST(a_page_that_could_shrink_and_a_channel_that_is_none_are_refused)
{
        struct guard_link *link = NULL;
        char text[32];
        int fd, unsealed;

        offer();
        unsealed = memfd_create("guard", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        CHECK_EQ(ftruncate(unsealed, GUARD_PAGE_BYTES), 0);
        snprintf(text, sizeof(text), "%d,%d", f.given.fd, unsealed);
        setenv(GUARD_ENVIRONMENT, text, 1);
        CHECK_EQ(guard_link_open(&link), -EPROTO);
        CHECK_EQ(fcntl(unsealed, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
        close(unsealed);

        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        snprintf(text, sizeof(text), "%d,%d", fd, f.page_fd);
        setenv(GUARD_ENVIRONMENT, text, 1);
        CHECK_EQ(guard_link_open(&link), -ENOTSOCK);
        snprintf(text, sizeof(text), "%d,%d", f.given.fd, fd);
        setenv(GUARD_ENVIRONMENT, text, 1);
        CHECK_EQ(guard_link_open(&link), -EPROTO);
        close(fd);
        ipc_channel_close(&f.given);
        close(f.page_fd);
        withdraw();
}

TEST(a_page_in_which_somebody_sleeps_already_is_refused)
{
        struct guard_link *link = NULL;

        offer();
        atomic_store(&f.page->alive, 1);
        CHECK_EQ(guard_link_open(&link), -EPROTO);
        withdraw();
}

TEST(opening_puts_a_thread_of_its_own_into_the_page_and_hides_the_variable)
{
        offer();
        CHECK_EQ(guard_link_open(&f.link), 0);
        CHECK(atomic_load(&f.page->alive) != 0);
        CHECK(atomic_load(&f.page->alive) != (uint32_t)gettid());
        /* A thread of this process, and asleep: it can be asked for by its number. */
        CHECK_EQ(syscall(SYS_tgkill, getpid(), atomic_load(&f.page->alive), 0), 0);
        CHECK_NULL(getenv(GUARD_ENVIRONMENT));
        CHECK_EQ(fcntl(f.given.fd, F_GETFD), FD_CLOEXEC);
        withdraw();
}

TEST(what_was_held_comes_before_the_link_is_ready)
{
        struct ipc_message message;
        struct guard_hold old = hold_of(41);
        const int descriptor = STDIN_FILENO;

        offer();
        CHECK_EQ(loop_new(&f.loop), 0);
        CHECK_EQ(guard_link_open(&f.link), 0);
        CHECK_EQ(hold(1), -EPIPE);
        CHECK_EQ(guard_link_start(f.link, f.loop, &owner), 0);
        expect(GUARD_HELLO, &message);
        CHECK_EQ(ipc_send(&f.channel, GUARD_RETURN, &old, sizeof(old), &descriptor, 1), 0);
        play();
        CHECK_EQ(f.returned, 1);
        CHECK_EQ(f.returned_id, 41);
        CHECK_EQ(f.ready, 0);
        CHECK_EQ(hold(1), -EPIPE);
        welcome(1);
        play();
        CHECK_EQ(f.ready, 1);
        CHECK_EQ(guard_link_new_id(f.link), 42);
        CHECK_EQ(hold(100), 0);
        CHECK_EQ(guard_link_new_id(f.link), 101);
        withdraw();
}

TEST(a_hold_is_answered_once_and_carries_its_descriptor)
{
        struct ipc_message message;

        connect_link();
        CHECK_EQ(hold(5), 0);
        CHECK_EQ(f.answers_count, 0);
        play();
        expect(GUARD_HOLD, &message);
        CHECK_EQ(((struct guard_hold *)message.payload)->id, 5);
        CHECK_EQ(message.descriptors_count, 1);
        ipc_message_discard(&message);
        play();
        CHECK_EQ(f.answers_count, 0);
        answer(5, 0);
        play();
        CHECK_EQ(f.answers_count, 1);
        CHECK_EQ(f.answers[0], 0);
        withdraw();
}

TEST(a_refusal_says_why_and_the_next_goes_on)
{
        struct ipc_message message;

        connect_link();
        CHECK_EQ(hold(5), 0);
        CHECK_EQ(guard_link_let_go(f.link, 5, on_answered, NULL), 0);
        play();
        expect(GUARD_HOLD, &message);
        ipc_message_discard(&message);
        expect(GUARD_LET_GO, &message);
        answer(5, -ENOSPC);
        answer(5, 0);
        play();
        CHECK_EQ(f.answers_count, 2);
        CHECK_EQ(f.answers[0], -ENOSPC);
        CHECK_EQ(f.answers[1], 0);
        CHECK_EQ(f.lost, 0);
        withdraw();
}

TEST(more_questions_than_the_channel_takes_wait_and_too_many_are_refused)
{
        struct ipc_message message;
        size_t asked = 0, seen = 0;

        connect_link();
        while (hold(asked + 1) == 0)
                asked++;
        CHECK_EQ(asked, 2 * GUARD_HOLDS_MAX);
        CHECK_EQ(hold(1000), -EAGAIN);
        CHECK_EQ(guard_link_let_go(f.link, 1, on_answered, NULL), -EAGAIN);
        for (unsigned i = 0; i < 1000 && seen < asked; i++) {
                play();
                while (ipc_receive(&f.channel, &message) == 1) {
                        CHECK_EQ(((struct guard_hold *)message.payload)->id, ++seen);
                        ipc_message_discard(&message);
                        answer(seen, 0);
                }
        }
        play();
        play();
        CHECK_EQ(seen, asked);
        CHECK_EQ(f.answers_count, asked);
        CHECK_EQ(hold(1000), 0);
        withdraw();
}

TEST(an_unsound_hold_is_not_even_sent)
{
        struct guard_hold wanted = hold_of(1);
        struct ipc_message message;

        connect_link();
        wanted.lines_count = 0;
        CHECK_EQ(guard_link_hold(f.link, &wanted, STDIN_FILENO, on_answered, NULL), -EINVAL);
        wanted = hold_of(UINT64_MAX);
        CHECK_EQ(guard_link_hold(f.link, &wanted, STDIN_FILENO, on_answered, NULL), -EINVAL);
        wanted = hold_of(1);
        CHECK_EQ(guard_link_hold(f.link, &wanted, -1, on_answered, NULL), -EBADF);
        play();
        CHECK_EQ(ipc_receive(&f.channel, &message), -EAGAIN);
        withdraw();
}

TEST(a_supervisor_that_is_gone_is_told_once_after_all_answers)
{
        connect_link();
        CHECK_EQ(hold(1), 0);
        CHECK_EQ(hold(2), 0);
        ipc_channel_close(&f.channel);
        play();
        CHECK_EQ(f.answers_count, 2);
        CHECK_EQ(f.answers[0], -EPIPE);
        CHECK_EQ(f.lost, 1);
        CHECK_EQ(f.lost_reason, -EPIPE);
        CHECK_EQ(hold(3), -EPIPE);
        CHECK_EQ(guard_link_let_go(f.link, 1, on_answered, NULL), -EPIPE);
        CHECK_EQ(guard_link_stopping(f.link), -EPIPE);
        play();
        CHECK_EQ(f.lost, 1);
        withdraw();
}

static void say_answer_to_nothing(void)
{
        answer(1, 0);
}

static void say_welcome_twice(void)
{
        welcome(0);
}

static void say_return_late(void)
{
        struct guard_hold old = hold_of(1);
        const int descriptor = STDIN_FILENO;

        CHECK_EQ(ipc_send(&f.channel, GUARD_RETURN, &old, sizeof(old), &descriptor, 1), 0);
}

static void say_what_agents_say(void)
{
        CHECK_EQ(ipc_send(&f.channel, GUARD_STOPPING, NULL, 0, NULL, 0), 0);
}

static void say_nonsense(void)
{
        CHECK_EQ(ipc_send(&f.channel, 99, "?", 1, NULL, 0), 0);
}

static void say_another_id(void)
{
        CHECK_EQ(hold(1), 0);
        play();
        answer(2, 0);
}

TEST(a_supervisor_that_speaks_nonsense_is_lost)
{
        static void (*const cases[])(void) = {say_answer_to_nothing, say_welcome_twice,
                                              say_return_late,       say_what_agents_say,
                                              say_nonsense,          say_another_id};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct ipc_message message;
                int r;

                connect_link();
                cases[i]();
                play();
                CHECK_EQ(f.lost, 1);
                CHECK_EQ(f.lost_reason, -EPROTO);
                /* It hears that nobody listens any more. */
                while ((r = ipc_receive(&f.channel, &message)) == 1)
                        ipc_message_discard(&message);
                CHECK_EQ(r, 0);
                withdraw();
        }
}

TEST(a_welcome_that_counts_other_returns_is_nonsense)
{
        struct ipc_message message;

        offer();
        CHECK_EQ(loop_new(&f.loop), 0);
        CHECK_EQ(guard_link_open(&f.link), 0);
        CHECK_EQ(guard_link_start(f.link, f.loop, &owner), 0);
        expect(GUARD_HELLO, &message);
        welcome(1);
        play();
        CHECK_EQ(f.ready, 0);
        CHECK_EQ(f.lost_reason, -EPROTO);
        withdraw();
}

TEST(the_link_may_be_freed_by_whoever_is_called)
{
        connect_link();
        CHECK_EQ(hold(1), 0);
        CHECK_EQ(hold(2), 0);
        f.free_when_answered = true;
        ipc_channel_close(&f.channel);
        play();
        CHECK_NULL(f.link);
        CHECK_EQ(f.answers_count, 2);
        CHECK_EQ(f.answers[1], -ECANCELED);
        CHECK_EQ(f.lost, 0);
        withdraw();

        connect_link();
        f.free_when_lost = true;
        ipc_channel_close(&f.channel);
        play();
        CHECK_NULL(f.link);
        CHECK_EQ(f.lost, 1);
        withdraw();
}

TEST(who_is_gone_is_told_nothing_and_what_was_asked_stays_asked)
{
        struct ipc_message message;

        connect_link();
        CHECK_EQ(hold(1), 0);
        CHECK_EQ(hold(2), 0);
        guard_link_forget(f.link);
        CHECK_EQ(hold(3), 0);
        play();
        for (unsigned i = 0; i < 3; i++) {
                expect(GUARD_HOLD, &message);
                ipc_message_discard(&message);
        }
        answer(1, 0);
        play();
        CHECK_EQ(f.answers_count, 0);
        f.link = guard_link_free(f.link);
        CHECK_EQ(f.answers_count, 1);
        CHECK_EQ(f.answers[0], -ECANCELED);
        withdraw();
}

TEST(stopping_is_said_at_once)
{
        struct ipc_message message;

        connect_link();
        CHECK_EQ(guard_link_stopping(f.link), 0);
        expect(GUARD_STOPPING, &message);
        withdraw();
}

TEST(beats_count_from_the_first_on_and_not_while_resting)
{
        connect_link();
        CHECK_EQ(atomic_load(&f.page->beating), 0);
        guard_link_beat(f.link);
        guard_link_beat(f.link);
        CHECK_EQ(atomic_load(&f.page->beating), 1);
        CHECK_EQ(atomic_load(&f.page->beat), 2);
        guard_link_rest(f.link);
        CHECK_EQ(atomic_load(&f.page->beating), 0);
        guard_link_beat(f.link);
        f.link = guard_link_free(f.link);
        CHECK_EQ(atomic_load(&f.page->beating), 0);
        withdraw();
}

TEST(without_memory_nothing_is_held_and_nothing_is_lost)
{
        offer();
        allocation_fail_at(1);
        CHECK_EQ(guard_link_open(&f.link), -ENOMEM);
        CHECK(allocation_end());
        withdraw();
        ipc_channel_close(&f.given);
        close(f.page_fd);

        connect_link();
        allocation_fail_at(1);
        CHECK_EQ(hold(1), -ENOMEM);
        CHECK(allocation_end());
        allocation_fail_at(1);
        CHECK_EQ(guard_link_let_go(f.link, 1, on_answered, NULL), -ENOMEM);
        CHECK(allocation_end());
        play();
        CHECK_EQ(f.lost, 0);
        CHECK_EQ(f.answers_count, 0);
        withdraw();
}
