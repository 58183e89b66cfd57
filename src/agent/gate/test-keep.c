/* What the configuration says of durability, and disks that cannot be used. */
#include "agent/gate/keep.h"
#include "base/attributes.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

struct fixture {
        char folder[32];
        struct loop *loop;
        struct net_context *net;
        struct log *log;
        struct mqtt_broker *broker;
        struct gate_keep keep;
        struct buffer status;
};

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
        (void)status;
        (void)kind;
        (void)place;
        return remove(path);
}

static void fixture_open(struct fixture *f)
{
        *f = (struct fixture){.folder = "/tmp/pifleet-keep-XXXXXX"};
        CHECK(mkdtemp(f->folder) != NULL);
        CHECK_EQ(loop_new(&f->loop), 0);
        CHECK_EQ(log_new("/dev/null", LOG_LEVEL_DEBUG, &f->log), 0);
        CHECK_EQ(net_context_new(f->loop, 64 << 20, &f->net), 0);
        CHECK_EQ(mqtt_broker_new(f->loop, f->net, NULL, NULL, &f->broker), 0);
        buffer_init(&f->status, 4096);
}

static void fixture_close(struct fixture *f)
{
        mqtt_broker_free(f->broker);
        gate_keep_done(&f->keep);
        net_context_free(f->net);
        loop_free(f->loop);
        log_free(f->log);
        buffer_done(&f->status);
        CHECK_EQ(nftw(f->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static int begin(struct fixture *f, enum mqtt_keep_choice sessions, enum mqtt_keep_choice retained)
{
        const struct gate_config config = {
                .keep = {.sessions = sessions, .retained = retained, .interval = 1}};

        return gate_keep_begin(&f->keep, &config, f->folder, f->log, f->loop, f->broker);
}

static const char *status_of(struct fixture *f)
{
        struct json_writer writer;

        buffer_truncate(&f->status, 0);
        json_writer_init(&writer, &f->status);
        json_write_object(&writer, NULL);
        gate_keep_write_status(&f->keep, &writer);
        json_write_end(&writer);
        CHECK_EQ(buffer_append(&f->status, "", 1), 0);
        return buffer_data(&f->status);
}

static const struct {
        enum mqtt_keep_choice sessions, retained;
        const char *status;
        bool writes;
} cases[] = {
        {MQTT_KEEP_DEFAULT, MQTT_KEEP_DEFAULT,
         "{\"durability\":\"interval\",\"retained_durability\":\"fsync\"}", true},
        {MQTT_KEEP_MEMORY, MQTT_KEEP_DEFAULT,
         "{\"durability\":\"memory\",\"retained_durability\":\"memory\"}", false},
        {MQTT_KEEP_INTERVAL, MQTT_KEEP_DEFAULT,
         "{\"durability\":\"interval\",\"retained_durability\":\"interval\"}", true},
        {MQTT_KEEP_FSYNC, MQTT_KEEP_DEFAULT,
         "{\"durability\":\"fsync\",\"retained_durability\":\"fsync\"}", true},
        {MQTT_KEEP_DEFAULT, MQTT_KEEP_MEMORY,
         "{\"durability\":\"interval\",\"retained_durability\":\"memory\"}", true},
        {MQTT_KEEP_MEMORY, MQTT_KEEP_FSYNC,
         "{\"durability\":\"memory\",\"retained_durability\":\"fsync\"}", true},
};

TEST(the_configuration_says_how_safe_what_is)
{
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char path[64];
                struct fixture f;

                fixture_open(&f);
                CHECK_EQ(begin(&f, cases[i].sessions, cases[i].retained), 0);
                CHECK_TEXT(status_of(&f), cases[i].status);
                snprintf(path, sizeof(path), "%s/mqtt", f.folder);
                CHECK_EQ(access(path, F_OK) == 0, cases[i].writes);
                fixture_close(&f);
        }
}

TEST(a_folder_that_cannot_be_used_leaves_memory_and_a_reason)
{
        struct fixture f;
        char path[64];
        int fd;

        fixture_open(&f);
        snprintf(path, sizeof(path), "%s/mqtt", f.folder);
        fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        CHECK(fd >= 0);
        close(fd);
        CHECK(begin(&f, MQTT_KEEP_DEFAULT, MQTT_KEEP_DEFAULT) < 0);
        CHECK(strstr(status_of(&f), "{\"durability\":\"memory\",\"retained_durability\":\"memory\","
                                    "\"trouble\":\"cannot use ") != NULL);
        fixture_close(&f);
}

TEST(a_folder_that_somebody_else_has_does_too)
{
        struct mqtt_broker *other;
        struct gate_keep theirs;
        struct fixture f;

        fixture_open(&f);
        CHECK_EQ(begin(&f, MQTT_KEEP_DEFAULT, MQTT_KEEP_DEFAULT), 0);
        theirs = f.keep;
        other = f.broker;
        CHECK_EQ(mqtt_broker_new(f.loop, f.net, NULL, NULL, &f.broker), 0);
        CHECK_EQ(begin(&f, MQTT_KEEP_DEFAULT, MQTT_KEEP_DEFAULT), -EBUSY);
        CHECK(strstr(status_of(&f), "\"trouble\":") != NULL);
        mqtt_broker_free(other);
        gate_keep_done(&theirs);
        fixture_close(&f);
}

TEST(without_a_beginning_there_is_an_end)
{
        struct gate_keep keep = {0};

        gate_keep_done(&keep);
}
