/* A broker's folder: whose it is, and that each way of failing leaves something to be done. */
#include "mqtt/keep-folder.h"

#include "mqtt/conversation-fixture.h"
#include "support/allocation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct mqtt_keep_options options = {.sessions = MQTT_DURABILITY_INTERVAL,
                                                 .retained = MQTT_DURABILITY_FSYNC};

struct fixture {
        char above[32], path[64];
        struct conversation talk;
        struct mqtt_keep_folder folder;
};

static void fixture_open(struct fixture *f)
{
        *f = (struct fixture){.above = "/tmp/pifleet-keep-XXXXXX"};
        CHECK(mkdtemp(f->above) != NULL);
        snprintf(f->path, sizeof(f->path), "%s/a/b", f->above);
        conversation_init(&f->talk, NULL, NULL);
}

/* In the order of a program that ends. */
static void fixture_close(struct fixture *f)
{
        char command[64];

        f->talk.broker = mqtt_broker_free(f->talk.broker);
        mqtt_keep_folder_done(&f->folder);
        conversation_done(&f->talk);
        snprintf(command, sizeof(command), "rm -r '%s'", f->above);
        CHECK_EQ(system(command), 0);
}

static int begin(struct fixture *f, struct error *error)
{
        return mqtt_keep_folder_begin(&f->folder, f->talk.loop, f->talk.broker, &options, error);
}

TEST(a_folder_is_made_for_its_owner_only)
{
        struct stat status;
        struct fixture f;

        fixture_open(&f);
        CHECK_EQ(mqtt_keep_folder_open(&f.folder, f.path, NULL), 0);
        CHECK_EQ(stat(f.path, &status), 0);
        CHECK_EQ(status.st_mode & 07777, 0700);
        CHECK_EQ(begin(&f, NULL), 0);
        fixture_close(&f);
        CHECK(!f.folder.open);
}

TEST(what_is_no_folder_is_named)
{
        struct error error = {0};
        struct fixture f;

        fixture_open(&f);
        CHECK_EQ(mqtt_keep_folder_open(&f.folder, "/dev/null", &error), -ENOTDIR);
        CHECK_TEXT(error.text, "cannot use the folder /dev/null: Not a directory");
        CHECK(!f.folder.open);
        mqtt_keep_folder_done(&f.folder);
        fixture_close(&f);
}

TEST(a_folder_is_one_brokers)
{
        struct mqtt_keep_folder other = {.open = false};
        struct error error = {0};
        struct fixture f;

        fixture_open(&f);
        CHECK_EQ(mqtt_keep_folder_open(&other, f.path, NULL), 0);
        CHECK_EQ(mqtt_keep_folder_open(&f.folder, f.path, NULL), 0);
        CHECK_EQ(begin(&f, NULL), 0);
        {
                AUTO(mqtt_broker) struct mqtt_broker *broker = NULL;

                CHECK_EQ(mqtt_broker_new(f.talk.loop, f.talk.net, &conversation_limits, NULL,
                                         &broker),
                         0);
                CHECK_EQ(mqtt_keep_folder_begin(&other, f.talk.loop, broker, &options, &error),
                         -EBUSY);
                CHECK(error.text[0] != '\0');
        }
        mqtt_keep_folder_done(&other);
        fixture_close(&f);
}

TEST(without_memory_there_is_a_sentence_and_something_to_be_done)
{
        size_t n = 0;
        bool failed;

        do {
                struct error error = {0};
                struct fixture f;
                int r;

                fixture_open(&f);
                allocation_fail_at(++n);
                r = mqtt_keep_folder_open(&f.folder, f.path, &error);
                if (r == 0)
                        r = begin(&f, &error);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
                CHECK_EQ(error.text[0] != '\0', failed);
                fixture_close(&f);
                CHECK(n < 1000);
        } while (failed);
        CHECK(n > 3);
}
