/* Clients below a mount point: they name and see their own part of the topics, all others the
 * whole. */
#include "mqtt/conversation-fixture.h"
#include "mqtt/mount.h"
#include "support/allocation.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define TEXT(literal) ((struct mqtt_text){literal, sizeof(literal) - 1})

static const struct mqtt_terms *mounted_at(const char *mount)
{
        const struct mqtt_terms *terms = NULL;
        struct mqtt_terms wanted;

        mqtt_terms_init(&wanted, &conversation_limits);
        wanted.mount = (struct mqtt_text){mount, (uint16_t)strlen(mount)};
        CHECK_EQ(mqtt_terms_new(&wanted, NULL, &terms), 0);
        return terms;
}

/* Clients come below "m/" unless the script says otherwise by `talk->terms`. */
static void begin(struct conversation *talk, const struct mqtt_hooks *hooks)
{
        conversation_init(talk, NULL, hooks);
        talk->terms = mounted_at("m/");
}

static void end(struct conversation *talk)
{
        conversation_check_end(talk);
        talk->terms = mqtt_terms_unref(talk->terms);
        conversation_done(talk);
}

/* Runs a script whose clients have no mount. */
static void run_outside(struct conversation *talk, const char *script)
{
        const struct mqtt_terms *terms = TAKE(talk->terms);

        conversation_run(talk, script);
        talk->terms = terms;
}

TEST(a_mount_that_no_topic_could_have_is_refused)
{
        static const char *const wrong[] = {"m", "m/#/", "+/", "$SYS/", "$share/g/"};
        const struct mqtt_terms *terms = NULL;
        struct mqtt_terms wanted;
        char bytes[MQTT_MOUNT_MAX + 1];

        mqtt_terms_init(&wanted, &conversation_limits);
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                wanted.mount = (struct mqtt_text){wrong[i], (uint16_t)strlen(wrong[i])};
                CHECK_EQ(mqtt_terms_new(&wanted, NULL, &terms), -EINVAL);
        }
        memset(bytes, 'a', sizeof(bytes));
        bytes[MQTT_MOUNT_MAX] = bytes[MQTT_MOUNT_MAX - 1] = '/';
        wanted.mount = (struct mqtt_text){bytes, MQTT_MOUNT_MAX + 1};
        CHECK_EQ(mqtt_terms_new(&wanted, NULL, &terms), -EINVAL);
        wanted.mount.length = MQTT_MOUNT_MAX;
        CHECK_EQ(mqtt_terms_new(&wanted, NULL, &terms), 0);
        mqtt_terms_unref(terms);
}

TEST(names_and_filters_are_put_behind_a_mount)
{
        struct mqtt_text filter = TEXT("$share/us/+/x"), name = TEXT("door"), bad = TEXT("a#");
        struct buffer room;

        buffer_init(&room, MQTT_TEXT_MAX);
        CHECK_EQ(mqtt_mount_name(TEXT("m/"), &room, &name), 0);
        CHECK(name.length == 6 && memcmp(name.bytes, "m/door", 6) == 0);
        CHECK_EQ(mqtt_mount_filter(TEXT("m/"), &room, &filter), 0);
        CHECK(filter.length == 15 && memcmp(filter.bytes, "$share/us/m/+/x", 15) == 0);
        CHECK_EQ(mqtt_mount_filter(TEXT("m/"), &room, &bad), -EINVAL);
        CHECK_EQ(mqtt_mount_hidden(TEXT("m/"), TEXT("m/door")), 2);
        CHECK_EQ(mqtt_mount_hidden(TEXT("m/"), TEXT("n/door")), -ENOENT);
        CHECK_EQ(mqtt_mount_hidden(TEXT("m/"), TEXT("m/")), -ENOENT);
        CHECK_EQ(mqtt_mount_hidden(TEXT(""), TEXT("m/")), 0);
        CHECK_EQ(mqtt_mount_owner(TEXT(""), 7), 7);
        CHECK(mqtt_mount_owner(TEXT("m/"), 7) != mqtt_mount_owner(TEXT("n/"), 7));
        CHECK(mqtt_mount_owner(TEXT("m/"), 7) != mqtt_mount_owner(TEXT("m/"), 8));
        buffer_done(&room);
}

TEST(those_below_a_mount_see_their_part_and_others_the_whole)
{
        struct conversation talk;

        begin(&talk, NULL);
        conversation_run(&talk, "a@5\n"
                                "a> 82{0001 () [t] 01}\n"
                                "a~\n"
                                "b@311\n"
                                "b> 82{0001 [#] 02}\n"
                                "b~\n");
        run_outside(&talk, "c@5\n"
                           "c> 82{0001 () [#] 00}\n"
                           "c~\n"
                           "c> 30{[t] () 'no'} 30{[m/t] () 'yes'} 32{[m/u] 0001 () 'x'}\n"
                           "c< 30{[t] () 'no'} 30{[m/t] () 'yes'} 30{[m/u] () 'x'} 40{0001}\n"
                           "a< 30{[t] () 'yes'}\n"
                           "b< 30{[t] 'yes'} 32{[u] 0001 'x'}\n");
        conversation_run(&talk, "a> 30{[t] () 'own'}\n"
                                "a< 30{[t] () 'own'}\n"
                                "b< 30{[t] 'own'}\n"
                                "c< 30{[m/t] () 'own'}\n");
        end(&talk);
}

TEST(ten_receivers_of_the_other_version_are_told_right_as_well)
{
        struct conversation talk;

        /* So often that a form of the message is made for them. */
        begin(&talk, NULL);
        conversation_run(&talk, "a@311\n"
                                "a> 82{0001 [t] 00}\n"
                                "a~\n");
        run_outside(&talk, "b@311\n"
                           "b> 82{0001 [m/t] 00}\n"
                           "b~\n"
                           "c@5\n"
                           "c> 30{[m/t] () 'x'}\n"
                           "b< 30{[m/t] 'x'}\n"
                           "a< 30{[t] 'x'}\n");
        end(&talk);
}

TEST(unsubscribing_takes_the_filter_below_the_mount_away)
{
        struct conversation talk;

        begin(&talk, NULL);
        conversation_run(&talk, "a@5\n"
                                "a> 82{0001 () [t] 00} A2{0002 () [m/t] [t] [t]}\n"
                                "a< 90{0001 () 00} B0{0002 () 11 00 11}\n"
                                "a> 30{[t] () 'x'}\n");
        end(&talk);
}

TEST(invalid_filters_are_invalid_below_a_mount_too)
{
        struct conversation talk;

        begin(&talk, NULL);
        conversation_run(&talk, "a@5\n"
                                "a> 82{0001 () [#a] 00 [a#] 00 [$share/g/] 00 [$share//t] 00}\n"
                                "a< 90{0001 () 8F 8F 8F 8F}\n"
                                "a> A2{0002 () [#a]}\n"
                                "a< B0{0002 () 8F}\n");
        end(&talk);
}

TEST(a_shared_group_is_below_the_mount)
{
        struct conversation talk;

        begin(&talk, NULL);
        conversation_run(&talk, "a@5\n"
                                "a> 82{0001 () [$share/g/t] 00}\n"
                                "a~\n");
        run_outside(&talk, "b@5\n"
                           "b> 82{0001 () [$share/g/t] 00}\n"
                           "b~\n"
                           "b> 30{[t] () '1'} 30{[m/t] () '2'}\n"
                           "b< 30{[t] () '1'}\n"
                           "a< 30{[t] () '2'}\n");
        end(&talk);
}

TEST(retained_messages_are_below_the_mount)
{
        struct conversation talk;

        begin(&talk, NULL);
        conversation_run(&talk, "a@5\n"
                                "a> 31{[t] () 'x'}\n"
                                "a> 82{0001 () [#] 00}\n"
                                "a< 90{0001 () 00} 31{[t] () 'x'}\n");
        run_outside(&talk, "b@5\n"
                           "b> 82{0001 () [#] 00}\n"
                           "b< 90{0001 () 00} 31{[m/t] () 'x'}\n");
        end(&talk);
}

TEST(a_will_is_below_the_mount)
{
        struct conversation talk;

        begin(&talk, NULL);
        run_outside(&talk, "b@5\n"
                           "b> 82{0001 () [#] 00}\n"
                           "b~\n");
        conversation_run(&talk, "a> 10{[MQTT] 05 06 0000 () [a] () [w] [gone]}\n"
                                "a~\n"
                                "a.\n"
                                "b< 30{[m/w] () 'gone'}\n"
                                "c> 10{[MQTT] 05 06 0000 () [c] () [$w] [gone]}\n"
                                "c< 20{00 87 ()}\n"
                                "c|\n");
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_REFUSED_TERMS), 1);
        end(&talk);
}

TEST(topic_aliases_in_both_directions_stand_for_the_part_behind_the_mount)
{
        struct conversation talk;

        begin(&talk, NULL);
        run_outside(&talk, "b@5\n"
                           "b> 82{0001 () [#] 00}\n"
                           "b~\n");
        conversation_run(&talk, "a> 10{[MQTT] 05 02 0000 (22 0002) [a]}\n"
                                "a~\n"
                                "a> 30{[t] (23 0001) '1'} 30{[] (23 0001) '2'}\n"
                                "b< 30{[m/t] () '1'} 30{[m/t] () '2'}\n"
                                "a> 82{0001 () [u] 00}\n"
                                "a~\n"
                                "b> 30{[m/u] () '3'} 30{[m/u] () '4'}\n"
                                "a< 30{[u] (23 0001) '3'} 30{[] (23 0001) '4'}\n"
                                "b~\n");
        end(&talk);
}

TEST(a_response_topic_stays_as_it_is)
{
        struct conversation talk;

        begin(&talk, NULL);
        run_outside(&talk, "b@5\n"
                           "b> 82{0001 () [#] 00}\n"
                           "b~\n");
        conversation_run(&talk, "a@5\n"
                                "a> 30{[t] (08 [r]) 'x'}\n"
                                "b< 30{[m/t] (08 [r]) 'x'}\n");
        end(&talk);
}

TEST(what_begins_with_a_dollar_is_not_theirs)
{
        struct conversation talk;

        begin(&talk, NULL);
        run_outside(&talk, "b@5\n"
                           "b> 82{0001 () [$x] 00 [m/$x] 00}\n"
                           "b~\n");
        conversation_run(&talk, "a@5\n"
                                "a> 30{[$x] () 'x'} 32{[$x] 0001 () 'x'}\n"
                                "a< 40{0001 87}\n"
                                "c@311\n"
                                "c> 32{[$x] 0001 'x'}\n"
                                "c< 40{0001}\n");
        CHECK_EQ(conversation_count(&talk, MQTT_COUNT_DROPPED_DENIED), 3);
        end(&talk);
}

/* Whoever could have it would see what was meant for the others. One of nobody's gives way while
 * its client is away. */
TEST(a_session_of_another_mount_is_not_resumed_nor_taken_over)
{
        struct conversation talk;

        begin(&talk, NULL);
        conversation_run(&talk, "a> 10{[MQTT] 04 00 0000 [a]}\n"
                                "a< 20{00 00}\n"
                                "a> 82{0001 [t] 01}\n"
                                "a~\n");
        run_outside(&talk, "b> 10{[MQTT] 04 00 0000 [a]}\n"
                           "b< 20{00 05}\n"
                           "b|\n"
                           "a.\n"
                           "b> 10{[MQTT] 04 00 0000 [a]}\n"
                           "b< 20{00 05}\n"
                           "b|\n"
                           "b> 10{[MQTT] 04 00 0000 [b]}\n"
                           "b< 20{00 00}\n"
                           "b.\n");
        conversation_run(&talk, "a> 10{[MQTT] 04 00 0000 [a]}\n"
                                "a< 20{01 00}\n"
                                "b> 10{[MQTT] 04 00 0000 [b]}\n"
                                "b< 20{00 00}\n");
        end(&talk);
}

/* [MQTT-1.5.4] texts have 65,535 bytes at most, and topics 201 levels. */
static void by_user(void *owner, const struct mqtt_who *who, const struct mqtt_connect *connect,
                    struct mqtt_admission *answer)
{
        (void)owner;
        (void)connect;
        answer->owner = who->user.length > 0 ? (uint32_t)who->user.bytes[0] : 0;
}

TEST(nobodys_session_gives_way_to_a_user_of_its_mount)
{
        struct mqtt_hooks hooks = {.on_connect = by_user};
        struct conversation talk;

        begin(&talk, &hooks);
        conversation_run(&talk, "a> 10{[MQTT] 04 00 0000 [x]}\n"
                                "a< 20{00 00}\n"
                                "b> 10{[MQTT] 04 80 0000 [x] [ann]}\n"
                                "b< 20{00 05}\n"
                                "b|\n"
                                "a.\n");
        /* Elsewhere it is not theirs to end. */
        run_outside(&talk, "b> 10{[MQTT] 04 80 0000 [x] [ann]}\n"
                           "b< 20{00 05}\n"
                           "b|\n");
        conversation_run(&talk, "b> 10{[MQTT] 04 80 0000 [x] [ann]}\n"
                                "b< 20{00 00}\n"
                                "b.\n"
                                "c> 10{[MQTT] 04 00 0000 [x]}\n"
                                "c< 20{00 05}\n"
                                "c|\n"
                                "b> 10{[MQTT] 04 80 0000 [x] [ann]}\n"
                                "b< 20{01 00}\n");
        end(&talk);
}

TEST(a_topic_that_would_be_too_long_behind_its_mount_is_no_topic)
{
        static char line[70000];
        struct conversation talk;
        struct mqtt_limits limits = conversation_limits;
        size_t length = 0;

        limits.packet_bytes = 100000;
        conversation_init(&talk, &limits, NULL);
        talk.terms = mounted_at("m/");
        conversation_run(&talk, "a> " CONNECT_5("a") "a~\n");
        length = (size_t)sprintf(line, "a> 30{[");
        memset(line + length, 't', 4000);
        strcpy(line + length + 4000, "] () 'x'}\na<\n");
        conversation_run(&talk, line);
        for (size_t i = 0; i < 200; i++)
                memcpy(line + length + 2 * i, "l/", 2);
        strcpy(line + length + 2 * 200, "l] () 'x'}\na< E00190\na|\n");
        conversation_run(&talk, line);
        end(&talk);
}

/* The names that hooks were told. */
struct witness {
        char text[256];
};

static void note(struct witness *witness, const struct mqtt_who *who, struct mqtt_text topic)
{
        size_t length = strlen(witness->text);

        CHECK(who->terms != NULL && who->terms->mount.length == 2);
        snprintf(witness->text + length, sizeof(witness->text) - length, "%.*s ", (int)topic.length,
                 topic.bytes);
}

static void on_connect(void *owner, const struct mqtt_who *who, const struct mqtt_connect *connect,
                       struct mqtt_admission *answer)
{
        (void)answer;
        if (connect->has_will)
                note(owner, who, connect->will.topic);
}

static int on_publish(void *owner, const struct mqtt_who *who, const struct mqtt_publish *publish)
{
        note(owner, who, publish->topic);
        return MQTT_HOOK_PASS;
}

static int on_subscribe(void *owner, const struct mqtt_who *who,
                        const struct mqtt_subscription *subscription)
{
        note(owner, who, subscription->filter);
        return MQTT_HOOK_PASS;
}

static bool on_deliver(void *owner, const struct mqtt_who *who, struct mqtt_text topic)
{
        note(owner, who, topic);
        return true;
}

TEST(hooks_are_told_the_whole)
{
        struct witness witness = {""};
        struct mqtt_hooks hooks = {.owner = &witness,
                                   .on_connect = on_connect,
                                   .on_publish = on_publish,
                                   .on_subscribe = on_subscribe,
                                   .on_deliver = on_deliver};
        struct conversation talk;

        begin(&talk, &hooks);
        conversation_run(&talk, "a> 10{[MQTT] 05 06 0000 () [a] () [w] [gone]}\n"
                                "a~\n"
                                "a> 82{0001 () [$share/g/t] 00 [u] 00} 30{[u] () 'x'}\n"
                                "a~\n"
                                "a.\n");
        CHECK_TEXT(witness.text, "m/w $share/g/m/t m/u m/u m/u m/w ");
        end(&talk);
}

/* Each allocation in turn: the answer is one that says so, or the end. */
TEST(without_memory_for_a_mounted_topic_nobody_is_told_a_lie)
{
        size_t count, n = 0;
        uint8_t *bytes = conversation_bytes("82{0001 () [t] 00} 32{[t] 0002 () 'x'}", &count);
        bool failed;

        do {
                struct conversation talk;

                begin(&talk, NULL);
                conversation_run(&talk, "a@5\n"
                                        "b@5\n");
                allocation_fail_at(++n);
                CHECK_EQ(send(talk.fds[0], bytes, count, MSG_NOSIGNAL), count);
                loop_run_once(talk.loop, 0);
                loop_run_once(talk.loop, 0);
                failed = allocation_end();
                conversation_settle(&talk);
                conversation_run(&talk, "a~\n"
                                        "b> C000\n"
                                        "b< D000\n");
                end(&talk);
        } while (failed);
        free(bytes);
}
