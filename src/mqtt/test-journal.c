/* What is there again after a restart, and after a kill. */
#include "base/attributes.h"
#include "mqtt/journal-fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Before the end and after it. */
struct survival {
        const char *name, *before, *after;
};

#define JOIN(id) id "> " KEEP_5(id) id "< " CONNACK_5
#define BACK(id) id "> " KEEP_5(id) id "< " PRESENT_5

static const struct survival cases[] = {
        {"a session is there", JOIN("a"), BACK("a")},
        {"one that ends with its connection is not", "a> " CONNECT_5("a") "a< " CONNACK_5,
         JOIN("a")},
        {"one of 3.1.1 is there, and stays for ever",
         "a> 10{[MQTT] 04 00 0000 [a]}\n"
         "a< 20{00 00}\n",
         "+4000000000\n"
         "a> 10{[MQTT] 04 00 0000 [a]}\n"
         "a< 20{01 00}\n"},
        {"subscriptions, with options and identifiers",
         JOIN("a") "a> 82{0001 (0B 07) [t/+] 06}\n"
                   "a< 90{0001 () 02}\n"
                   "a> 82{0002 () [t/#] 09}\n"
                   "a< 90{0002 () 01}\n"
                   "a> 82{0003 () [x] 02}\n"
                   "a< 90{0003 () 02}\n"
                   "a> A2{0004 () [x]}\n"
                   "a< B0{0004 () 00}\n",
         BACK("a") "b> " CONNECT_5("b") "b< " CONNACK_5 "b> 35{[t/1]0001()'1'}\n"
                                        "b< 50{0001}\n"
                                        "a< 35{[t/1]0001(0B 07)'1'}\n"
                                        "b> 30{[x]()'2'}\n"
                                        "a<\n"
                                        "a> 34{[t/2]0001()'3'}\n"
                                        "a< 32{[t/2]0002()'3'} 50{0001}\n"},
        {"a shared subscription",
         JOIN("a") "a> 82{0001 () [$share/g/t] 01}\n"
                   "a< 90{0001 () 01}\n",
         "b@311\n"
         "b> 32{[t]0001'1'}\n"
         "b< 40{0001}\n" BACK("a") "a< 32{[t]0001()'1'}\n"},
        {"messages that wait, in their order",
         JOIN("a") "a> 82{0001 (0B 05) [t] 02}\n"
                   "a< 90{0001 () 02}\n"
                   "a.\n"
                   "b@311\n"
                   "b> 32{[t]0001'1'} 32{[t]0002'2'} 30{[t]'0'} 34{[t]0003'3'}\n"
                   "b< 40{0001} 40{0002} 50{0003}\n",
         BACK("a") "a< 32{[t]0001(0B 05)'1'} 32{[t]0002(0B 05)'2'} 34{[t]0003(0B 05)'3'}\n"},
        {"messages under way come again, with DUP and their identifiers",
         JOIN("a") "a> 82{0001 () [t] 02}\n"
                   "a< 90{0001 () 02}\n"
                   "b@311\n"
                   "b> 32{[t]0001'1'} 32{[t]0002'2'} 34{[t]0003'3'} 34{[t]0004'4'}\n"
                   "b< 40{0001} 40{0002} 50{0003} 50{0004}\n"
                   "a< 32{[t]0001()'1'} 32{[t]0002()'2'} 34{[t]0003()'3'} 34{[t]0004()'4'}\n"
                   "a> 50{0003}\n"
                   "a< 62{0003}\n"
                   "a> 40{0001}\n",
         BACK("a") "a< 62{0003} 3A{[t]0002()'2'} 3C{[t]0004()'4'}\n"
                   "a> 70{0003} 40{0002} 50{0004}\n"
                   "a< 62{0004}\n"
                   "a> 70{0004}\n"
                   "b@311\n"
                   "b> 32{[t]0009'5'}\n"
                   "b< 40{0009}\n"
                   "a< 32{[t]0005()'5'}\n"},
        {"a QoS 2 of the client is known until its PUBREL",
         JOIN("a") "a> 34{[t]0007()'1'}\n"
                   "a< 50{0007}\n"
                   "a> 34{[t]0008()'1'}\n"
                   "a< 50{0008}\n"
                   "a> 62{0008}\n"
                   "a< 70{0008}\n",
         "b@311\n"
         "b> 82{0001 [t] 02}\n"
         "b< 90{0001 02}\n" BACK("a") "a> 3C{[t]0007()'1'}\n"
                                      "a< 50{0007}\n"
                                      "b<\n"
                                      "a> 62{0007}\n"
                                      "a< 70{0007}\n"
                                      "a> 34{[t]0008()'2'}\n"
                                      "a< 50{0008}\n"
                                      "b< 34{[t]0001'2'}\n"},
        {"retained messages with their properties; the last, and none that was cleared",
         "b@5\n"
         "b> 33{[r/1]0001(01 01 03[text] 26[k][v])'1'} 31{[r/2]()'2'} 31{[r/2]()'3'}\n"
         "b< 40{0001 10}\n"
         "b> 31{[r/3]()'4'} 31{[r/3]()}\n",
         "a@5\n"
         "a> 82{0001 () [r/1] 01}\n"
         "a< 90{0001 () 01}\n"
         "a< 33{[r/1]0001(01 01 03[text] 26[k][v])'1'}\n"
         "a> 82{0002 () [r/+] 00}\n"
         "a< 90{0002 () 00}\n"
         "a< 31{[r/2]()'3'} 31{[r/1](01 01 03[text] 26[k][v])'1'}\n"},
        {"a retained message is not for who published it and said so",
         JOIN("a") "a> 31{[r]()'1'}\n",
         BACK("a") "a> 82{0001 () [r] 04}\n"
                   "a< 90{0001 () 00}\n"
                   "a<\n"},
        {"a will that waits, with its properties",
         "b@5\n"
         "a> 10{[MQTT] 05 26 0000 (11 00000E10) [a] (18 00000064 03[text]) [w] [gone]}\n"
         "a< " CONNACK_5 "a.\n",
         "b@5\n"
         "b> 82{0001 () [w] 01}\n"
         "b< 90{0001 () 01}\n"
         "+98000\n"
         "b<\n"
         "+3000\n"
         "b< 30{[w](03[text])'gone'}\n"},
        {"a will that its client came back for is not published",
         "a> 10{[MQTT] 05 06 0000 (11 00000E10) [a] (18 00000064) [w] [gone]}\n"
         "a< " CONNACK_5 "a.\n" BACK("a"),
         "b@5\n"
         "b> 82{0001 () [w] 01}\n"
         "b< 90{0001 () 01}\n"
         "+200000\n"
         "b<\n"},
        {"a session that is away ends in its time, and with it its will",
         "b@5\n"
         "a> 10{[MQTT] 05 06 0000 (11 00000064) [a] (18 00000E10) [w] [gone]}\n"
         "a< " CONNACK_5 "a.\n"
         "+60000\n"
         /* The clock of the tests stands still for the kernel: what changes says what it is. */
         "b> 31{[x]()'1'}\n",
         "b@5\n"
         "b> 82{0001 () [w] 01}\n"
         "b< 90{0001 () 01}\n"
         "+38000\n"
         "b<\n"
         "+3000\n"
         "b< 30{[w]()'gone'}\n" JOIN("a")},
        {"DISCONNECT may end it", JOIN("a") "a> E0{00 (11 00000000)}\na|\n", JOIN("a")},
        {"so may a clean start", JOIN("a") "a.\na> " CONNECT_5("a") "a< " CONNACK_5, JOIN("a")},
        {"message expiry goes on",
         JOIN("a") "a> 82{0001 () [t] 01}\n"
                   "a< 90{0001 () 01}\n"
                   "a.\n"
                   "b@5\n"
                   "b> 33{[t]0001(02 00000064)'1'} 33{[t]0002(02 00000046)'2'}\n"
                   "b< 40{0001} 40{0002}\n"
                   "+60000\n"
                   "b> 31{[x]()'1'}\n",
         "+12000\n"
         "b@5\n"
         "b> 82{0001 () [t] 00}\n"
         "b< 90{0001 () 00}\n"
         "b<\n" BACK("a") "a~\n"
                          "b> 82{0001 () [x] 00}\n"
                          "b< 90{0001 () 00} 31{[x]()'1'}\n"},
};

static void survive(const struct survival *survival, enum mqtt_durability durability, bool kill)
{
        struct journal_fixture f;

        journal_init(&f, durability, durability);
        CHECK_EQ(journal_start(&f), 0);
        f.talk.name = survival->name;
        journal_run(&f, survival->before);
        conversation_check_end(&f.talk);
        /* Acknowledgements of the client are kept, too, but nobody waits for that. */
        if (kill) {
                journal_run(&f, "+1000\n");
                journal_kill(&f);
        }
        if (!kill)
                journal_restart(&f);
        f.talk.name = survival->name;
        journal_run(&f, survival->after);
        CHECK_EQ(f.damages, 0);
        journal_done(&f);
}

TEST(every_kind_of_state_is_there_after_an_end)
{
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                survive(&cases[i], MQTT_DURABILITY_FSYNC, false);
                survive(&cases[i], MQTT_DURABILITY_INTERVAL, false);
        }
}

TEST(every_kind_of_state_is_there_after_a_kill)
{
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                survive(&cases[i], MQTT_DURABILITY_FSYNC, true);
                survive(&cases[i], MQTT_DURABILITY_INTERVAL, true);
        }
}

/* Those below $SYS are made anew. */
TEST(figures_are_of_one_run_and_are_not_kept)
{
        struct mqtt_limits limits = conversation_limits;
        struct journal_fixture f;

        limits.sys_interval_s = 10;
        limits.retained_messages = 1000;
        limits.retained_bytes = 1 << 20;
        for (unsigned killed = 0; killed < 2; killed++) {
                journal_init(&f, MQTT_DURABILITY_FSYNC, MQTT_DURABILITY_FSYNC);
                f.limits = &limits;
                CHECK_EQ(journal_start(&f), 0);
                journal_run(&f, JOIN("a") "a> 31{[kept]()'1'}\n"
                                          "a> 82{0001 () [$SYS/#] 00}\n"
                                          "a~\n"
                                          "+10000\n"
                                          "a~\n");
                CHECK(mqtt_retained_count(f.talk.broker->retained) > 40);
                if (killed)
                        journal_kill(&f);
                else
                        journal_restart(&f);
                CHECK_EQ(mqtt_retained_count(f.talk.broker->retained), 1);
                journal_stop(&f);
                journal_done(&f);
        }
}

static bool file_has(int directory_fd, const char *name, const char *text)
{
        static char bytes[64 << 10];
        int fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC);
        ssize_t n = read(fd, bytes, sizeof(bytes));

        CHECK(fd >= 0 && n >= 0 && n < (ssize_t)sizeof(bytes));
        close(fd);
        return memmem(bytes, (size_t)n, text, strlen(text)) != NULL;
}

static bool disk_has(const struct journal_fixture *f, const char *text)
{
        DIR *directory = opendir(f->path);
        const struct dirent *entry;
        bool found = false;

        CHECK(directory != NULL);
        while ((entry = readdir(directory)) != NULL)
                found = found || (entry->d_name[0] != '.' &&
                                  file_has(dirfd(directory), entry->d_name, text));
        closedir(directory);
        return found;
}

TEST(with_an_interval_what_nobody_waits_for_any_more_is_not_written)
{
        struct journal_fixture f;

        journal_init(&f, MQTT_DURABILITY_INTERVAL, MQTT_DURABILITY_INTERVAL);
        CHECK_EQ(journal_start(&f), 0);
        journal_run(&f, JOIN("a") "a> 82{0001 () [t] 01}\n"
                                  "a< 90{0001 () 01}\n"
                                  "b@311\n"
                                  "b> 32{[t]0001'in time'}\n"
                                  "b< 40{0001}\n"
                                  "a< 32{[t]0001()'in time'}\n"
                                  "a> 40{0001}\n"
                                  "b> 32{[t]0002'too slow'} 31{[r]'the first'} 31{[r]'the last'}\n"
                                  "b< 40{0002}\n"
                                  "a< 32{[t]0002()'too slow'}\n"
                                  "+1000\n"
                                  "a> 40{0002}\n");
        CHECK(!disk_has(&f, "in time"));
        CHECK(disk_has(&f, "too slow"));
        CHECK(!disk_has(&f, "the first"));
        CHECK(disk_has(&f, "the last"));
        /* What is said of them does no harm. */
        journal_kill(&f);
        journal_run(&f, BACK("a") "a< 3A{[t]0002()'too slow'}\n"
                                  "a> 82{0002 () [r] 00}\n"
                                  "a< 90{0002 () 00} 31{[r]()'the last'}\n");
        CHECK_EQ(f.damages, 0);
        journal_done(&f);
}

/* Of all that is in the folder. */
static off_t disk_bytes(const struct journal_fixture *f)
{
        DIR *directory = opendir(f->path);
        const struct dirent *entry;
        struct stat status;
        off_t bytes = 0;

        CHECK(directory != NULL);
        while ((entry = readdir(directory)) != NULL) {
                CHECK_EQ(fstatat(dirfd(directory), entry->d_name, &status, 0), 0);
                bytes += S_ISREG(status.st_mode) ? status.st_size : 0;
        }
        closedir(directory);
        return bytes;
}

/* Client a has a session that stays, and gets QoS 2 of topic t; b publishes. What the folder has.
 */
static off_t begin_with_interval(struct journal_fixture *f)
{
        off_t bytes;

        journal_init(f, MQTT_DURABILITY_INTERVAL, MQTT_DURABILITY_INTERVAL);
        CHECK_EQ(journal_start(f), 0);
        journal_run(f, JOIN("a") "a> 82{0001 () [t] 02}\n"
                                 "a< 90{0001 () 02}\n"
                                 "b@311\n"
                                 "+1000\n");
        bytes = disk_bytes(f);
        CHECK(bytes > 0);
        return bytes;
}

TEST(with_an_interval_a_delivery_that_is_over_in_time_leaves_nothing_at_all)
{
        struct journal_fixture f;
        off_t before;

        before = begin_with_interval(&f);
        journal_run(&f, "b> 32{[t]0001'1'}\n"
                        "b< 40{0001}\n"
                        "a< 32{[t]0001()'1'}\n"
                        "a> 40{0001}\n"
                        "b> 34{[t]0002'2'}\n"
                        "b< 50{0002}\n"
                        "a< 34{[t]0002()'2'}\n"
                        "a> 50{0002}\n"
                        "a< 62{0002}\n"
                        "a> 70{0002}\n"
                        "+1000\n");
        CHECK_EQ(disk_bytes(&f), before);
        CHECK_EQ(f.talk.broker->journal->deferred_count, 0);
        journal_stop(&f);
        journal_done(&f);
}

/* What is left of a batch is noted as it stands at its end. */
TEST(with_an_interval_deliveries_are_noted_with_their_batch_each_in_its_place)
{
        struct journal_fixture f;

        journal_init(&f, MQTT_DURABILITY_INTERVAL, MQTT_DURABILITY_INTERVAL);
        CHECK_EQ(journal_start(&f), 0);
        /* Three may be under way: the rest is queued, and moved behind those before it. */
        journal_run(&f, "a> 10{[MQTT] 05 00 0000 (11 00000E10 21 0003) [a]}\n"
                        "a< " CONNACK_5 "a> 82{0001 () [t] 02}\n"
                        "a< 90{0001 () 02}\n"
                        "b@311\n"
                        "b> 32{[t]0001'1'} 34{[t]0002'2'} 32{[t]0003'3'} 32{[t]0004'4'}"
                        " 32{[t]0005'5'}\n"
                        "b< 40{0001} 50{0002} 40{0003} 40{0004} 40{0005}\n"
                        "a< 32{[t]0001()'1'} 34{[t]0002()'2'} 32{[t]0003()'3'}\n"
                        "a> 40{0003}\n"
                        "a< 32{[t]0004()'4'}\n"
                        "a> 50{0002}\n"
                        "a< 62{0002}\n"
                        "+1000\n");
        journal_kill(&f);
        journal_run(&f,
                    BACK("a") "a< 62{0002} 3A{[t]0001()'1'} 3A{[t]0004()'4'} 32{[t]0005()'5'}\n");
        CHECK_EQ(f.damages, 0);
        journal_stop(&f);
        journal_done(&f);
}

TEST(with_an_interval_a_session_may_end_with_deliveries_that_are_not_noted)
{
        struct journal_fixture f;
        off_t before;

        before = begin_with_interval(&f);
        journal_run(&f, "b> 32{[t]0001'unheard'} 32{[t]0002'unheard'}\n"
                        "b< 40{0001} 40{0002}\n"
                        "a< 32{[t]0001()'unheard'} 32{[t]0002()'unheard'}\n"
                        "a> 40{0001}\n"
                        "a> E0{00 (11 00000000)}\n"
                        "a|\n"
                        "+1000\n");
        CHECK(disk_bytes(&f) > before);
        CHECK(!disk_has(&f, "unheard"));
        CHECK_EQ(f.talk.broker->journal->deferred_count, 0);
        journal_kill(&f);
        journal_run(&f, JOIN("a"));
        journal_stop(&f);
        journal_done(&f);
}
