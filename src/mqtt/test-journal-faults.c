/* A disk that is full, fails or has lost something; and no memory. */
#include "mqtt/journal-fixture.h"
#include "store/log-internal.h"
#include "support/disk-faults.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CALLS_MAX = 400 };

#define JOIN(id) id "> " KEEP_5(id) id "< " CONNACK_5
#define BACK(id) id "> " KEEP_5(id) id "< " PRESENT_5

static void start(struct journal_fixture *f)
{
        journal_init(f, MQTT_DURABILITY_FSYNC, MQTT_DURABILITY_FSYNC);
        CHECK_EQ(journal_start(f), 0);
}

/* Some that stays, and clients that are there: p publishes to s, which stays. */
#define PRELUDE                                                                                    \
        JOIN("s")                                                                                  \
        "s> 82{0001 () [k] 02}\n"                                                                  \
        "s< 90{0001 () 02}\n"                                                                      \
        "p@5\n"                                                                                    \
        "q@311\n"

static void go_on_without(int error)
{
        struct journal_fixture f;

        start(&f);
        journal_run(&f, PRELUDE JOIN("t") "t.\n");
        disk_fail_at(1, error, true);
        journal_run(&f, "p> 32{[k]0001()'1'}\n"
                        "s< 32{[k]0001()'1'}\n"
                        "p<\n");
        CHECK_EQ(f.trouble, -error);
        /* What could survive is refused; who cannot be told so, sends it again; */
        journal_run(
                &f,
                "q> 32{[k]0001'2'}\n"
                "q|\n"
                "s> 82{0002 () [x] 01}\n"
                "s<\n"
                "u> " KEEP_5(
                        "u") "u< 20{00 97 ()}\n"
                             "u|\n"
                             "t> " CONNECT_5(
                                     "t") "t< 20{00 97 ()}\n"
                                          "t|\n"
                                          "v@5\n"
                                          "v> 32{[k]0001()'3'} 33{[r]0002()'3'} 34{[k]0003()'4'}\n"
                                          "v< 40{0001 97} 40{0002 97} 50{0003 97}\n");
        CHECK_EQ(conversation_count(&f.talk, MQTT_COUNT_JOURNAL_REFUSED), 7);
        /* what cannot goes on, and so does a session that is there. */
        journal_run(&f, "v> 32{[x]0004()'5'} 30{[k]()'6'} C0 00\n"
                        "v< 40{0004 10} D0 00\n"
                        "s< 30{[k]()'6'}\n" BACK("t") "t.\n");
        disk_end();
        journal_run(&f, "+60000\n");
        CHECK_EQ(f.trouble, 0);
        CHECK_EQ(f.troubles, 1);
        CHECK_EQ(conversation_count(&f.talk, MQTT_COUNT_JOURNAL_TROUBLES), 1);
        journal_run(&f, "p< 40{0001}\n"
                        "s< 90{0002 () 97}\n"
                        "v> 32{[k]0005()'7'}\n"
                        "v< 40{0005}\n"
                        "s< 32{[k]0002()'7'}\n");
        journal_kill(&f);
        journal_run(&f, BACK("s") "s< 3A{[k]0001()'1'} 3A{[k]0002()'7'}\n");
        CHECK_EQ(f.damages, 0);
        journal_done(&f);
}

TEST(a_disk_that_is_full_or_fails_refuses_what_could_survive_and_nothing_else)
{
        go_on_without(ENOSPC);
        go_on_without(EIO);
}

/* --- damage --- */

static void find_log(const struct journal_fixture *f, char path[512])
{
        DIR *directory = opendir(f->path);
        const struct dirent *entry;

        CHECK(directory != NULL);
        path[0] = '\0';
        while ((entry = readdir(directory)) != NULL)
                if (strstr(entry->d_name, ".log"))
                        snprintf(path, 512, "%s/%s", f->path, entry->d_name);
        closedir(directory);
        CHECK(path[0] != '\0');
}

static void write_file(const char *path, const void *bytes, size_t count)
{
        int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

        CHECK(fd >= 0);
        CHECK_EQ(write(fd, bytes, count), (ssize_t)count);
        close(fd);
}

static size_t read_file(const char *path, uint8_t *bytes, size_t size)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n;

        CHECK(fd >= 0);
        n = read(fd, bytes, size);
        CHECK(n > 0 && (size_t)n < size);
        close(fd);
        return (size_t)n;
}

/* Each of these is one record of the log; what is there is what a number of them left. */
static const char *const history[] = {
        JOIN("s"),
        "s> 82{0001 () [t] 02}\ns< 90{0001 () 02}\ns.\n",
        "p> 10{[MQTT] 05 00 0000 (11 00000E10) [p]} \np< " CONNACK_5,
        "p> 32{[t]0001()'1'}\np< 40{0001}\n",
        "p> 35{[t]0002()'2'}\np< 50{0002}\n",
        "p> 62{0002}\np< 70{0002}\n",
};

struct state {
        uint32_t session; /* 1: it is there */
        uint32_t subscriptions, queued, received, retained;
};

static struct state state_of(struct journal_fixture *f)
{
        const struct mqtt_broker *broker = f->talk.broker;
        const struct mqtt_session *s =
                mqtt_session_find(f->talk.broker, (struct mqtt_text){"s", 1});
        const struct mqtt_session *p =
                mqtt_session_find(f->talk.broker, (struct mqtt_text){"p", 1});

        return (struct state){
                .session = s ? 1 : 0,
                .subscriptions = mqtt_topic_tree_count(broker->tree),
                .queued = s ? s->queue.count : 0,
                .received = p ? p->received.count : 0,
                .retained = mqtt_retained_count(broker->retained),
        };
}

static bool is_a_prefix(const struct state *state)
{
        static const struct state prefixes[] = {
                {0, 0, 0, 0, 0}, {1, 0, 0, 0, 0}, {1, 1, 0, 0, 0},
                {1, 1, 1, 0, 0}, {1, 1, 2, 1, 1}, {1, 1, 2, 0, 1},
        };

        for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
                if (memcmp(state, &prefixes[i], sizeof(*state)) == 0)
                        return true;
        return false;
}

/* With these bytes in place of its log. */
static struct state start_with(struct journal_fixture *f, const uint8_t *bytes, size_t count,
                               unsigned *ret_damages)
{
        struct journal_fixture g;
        struct state state;
        char path[512];

        journal_init(&g, MQTT_DURABILITY_FSYNC, MQTT_DURABILITY_FSYNC);
        journal_copy_folder(f->path, g.path);
        find_log(&g, path);
        write_file(path, bytes, count);
        CHECK_EQ(journal_start(&g), 0);
        state = state_of(&g);
        *ret_damages = g.damages;
        journal_done(&g);
        return state;
}

TEST(a_journal_that_is_torn_or_damaged_anywhere_refuses_no_start)
{
        static uint8_t bytes[8192], changed[8192];
        struct journal_fixture f;
        char path[512];
        size_t count;
        unsigned damages, told = 0;
        bool is_long = getenv("PIFLEET_LONG") != NULL;

        start(&f);
        for (size_t i = 0; i < sizeof(history) / sizeof(history[0]); i++)
                journal_run(&f, history[i]);
        find_log(&f, path);
        count = read_file(path, bytes, sizeof(bytes));
        for (size_t at = 0; at <= count; at += is_long ? 1 : 3) {
                struct state state = start_with(&f, bytes, at, &damages);

                if (!is_a_prefix(&state))
                        FAIL("cut at %zu: a state that there never was", at);
        }
        for (size_t at = 0; at < count; at += is_long ? 1 : 3) {
                struct state state;

                memcpy(changed, bytes, count);
                changed[at] ^= 0x10;
                state = start_with(&f, changed, count, &damages);
                told += damages > 0;
                if (!is_a_prefix(&state))
                        FAIL("changed at %zu: a state that there never was", at);
        }
        CHECK(told > 10);
        journal_done(&f);
}

/* --- each call --- */

/* What was acknowledged up to here, as the next life must have it. */
static void check_kept(struct journal_fixture *f, unsigned acknowledged, const char *where)
{
        const struct mqtt_session *s;

        journal_kill(f);
        s = mqtt_session_find(f->talk.broker, (struct mqtt_text){"s", 1});
        if (!s || s->queue.count < acknowledged)
                FAIL("%s: %u of %u are left", where, s ? (unsigned)s->queue.count : 0,
                     acknowledged);
        CHECK_EQ(f->damages, 0);
}

static unsigned count_acknowledged(struct journal_fixture *f)
{
        struct buffer *heard = &f->talk.heard['p' - 'a'];
        unsigned count = 0;

        while (buffer_length(heard) >= 4) {
                const uint8_t *bytes = (const uint8_t *)buffer_data(heard);

                CHECK_EQ(bytes[0], 0x40);
                count += bytes[1] == 2; /* else it has a reason: refused */
                buffer_consume(heard, bytes[1] + 2U);
        }
        return count;
}

/* True: the call was reached. */
static bool live_with_fault(size_t n, int error, bool lasting)
{
        struct journal_fixture f;
        unsigned acknowledged = 0;
        char where[64];
        bool reached;

        snprintf(where, sizeof(where), "call %zu, error %d%s", n, error, lasting ? " from on" : "");
        start(&f);
        journal_run(&f, JOIN("s") "s> 82{0001 () [k] 01}\ns< 90{0001 () 01}\ns.\np@5\n+1000\n");
        disk_fail_at(n, error, lasting);
        for (unsigned i = 1; i <= 5; i++) {
                char line[64];

                snprintf(line, sizeof(line), "p> 32{[k]%04X()'1'}\n", i);
                journal_run(&f, line);
                acknowledged += count_acknowledged(&f);
                if (i == 3)
                        store_log_renew(f.talk.broker->journal->log);
        }
        reached = disk_end();
        /* It does what it is told again: all that was taken is acknowledged some time. */
        for (unsigned i = 0; i < 4; i++)
                journal_run(&f, "+40000\n");
        CHECK_EQ(f.trouble, 0);
        acknowledged += count_acknowledged(&f);
        if (!lasting && acknowledged < 1)
                FAIL("%s: nothing was acknowledged", where);
        check_kept(&f, acknowledged, where);
        journal_done(&f);
        return reached;
}

TEST(whichever_call_fails_what_was_acknowledged_is_there)
{
        static const int errors[] = {ENOSPC, EIO};

        for (size_t e = 0; e < 2; e++) {
                size_t n = 1;

                while (n < CALLS_MAX && live_with_fault(n, errors[e], false))
                        n++;
                CHECK(n > 10 && n < CALLS_MAX);
                for (n = 1; n < 20; n += 3)
                        live_with_fault(n, errors[e], true);
        }
}
