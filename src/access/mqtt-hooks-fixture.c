#include "access/mqtt-hooks-fixture.h"

#include "base/attributes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const struct access_policy *policy_of(void *owner, const struct mqtt_who *who)
{
        struct fixture *f = owner;

        CHECK(who->terms);
        return &f->policy;
}

static const struct access_rules *rules_of(void *owner, struct mqtt_text place)
{
        struct fixture *f = owner;

        return place.length == 4 && memcmp(place.bytes, "here", 4) == 0 ? &f->rules : NULL;
}

/* As if read anew each time, and what was read before is gone. */
static int certificate_of(void *owner, const struct mqtt_who *who, struct certificate_facts *ret)
{
        struct fixture *f = owner;
        const char *texts[] = {f->facts.common_name, f->facts.subject, f->facts.uri};

        CHECK(who->stream);
        if (!f->has_certificate)
                return -ENOENT;
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                free(f->certificate[i]);
                f->certificate[i] = texts[i] ? strdup(texts[i]) : NULL;
        }
        *ret = (struct certificate_facts){f->certificate[0], f->certificate[1], f->certificate[2]};
        return 0;
}

static void copy(char to[64], struct mqtt_text text)
{
        snprintf(to, 64, "%.*s", (int)text.length, text.bytes);
}

static void on_report(void *owner, const struct access_report *report)
{
        struct fixture *f = owner;

        f->report = *report;
        copy(f->client_id, report->client_id);
        copy(f->user, report->user);
        copy(f->topic, report->topic);
        f->reports++;
}

struct user_table *users_of(const char *const names[], const char *const hashes[], size_t count)
{
        struct user_table *users;

        CHECK_EQ(user_table_new(&users), 0);
        for (size_t i = 0; i < count; i++)
                CHECK_EQ(user_table_add(users, names[i], "", hashes[i], NULL), 0);
        return users;
}

struct user_table *everybody(void)
{
        static const char *const names[] = {"ann", "ben", "fred", "gina"};
        static const char *const hashes[] = {FIRST_SECRET_HASH, SECOND_SECRET_HASH, FAST_HASH,
                                             FAST_HASH};

        return users_of(names, hashes, 4);
}

struct acl *acl_of(const char *file)
{
        struct acl *acl;
        struct error error = {0};

        CHECK_EQ(acl_new(ACL_FILTERS_WHOLE, &acl), 0);
        if (acl_file_read("acl", file, strlen(file), acl, &error) < 0)
                FAIL("%s", error.text);
        return acl;
}

void fixture_open(struct fixture *f, struct user_table *users, struct acl *acl)
{
        struct mqtt_hooks hooks;

        *f = (struct fixture){0};
        conversation_init(&f->talk, NULL, NULL);
        mqtt_broker_free(f->talk.broker);
        CHECK_EQ(loop_work_new(f->talk.loop, VERIFIER_JOBS_MAX, &f->work), 0);
        f->options = (struct access_mqtt_options){
                .login.loop = f->talk.loop,
                .policy = policy_of,
                .certificate = certificate_of,
                .rules = rules_of,
                .on_report = on_report,
                .owner = f,
        };
        CHECK_EQ(slowdown_new(&f->options.login.slowdown), 0);
        CHECK_EQ(verifier_new(f->talk.loop, f->work, f->options.login.slowdown,
                              &f->options.login.verifier),
                 0);
        access_rules_replace(&f->rules, users, acl);
        access_policy_init(&f->policy, &f->rules);
        f->policy.place = "here";
        CHECK_EQ(access_mqtt_new(&f->options, &f->access), 0);
        hooks = *access_mqtt_hooks(f->access);
        CHECK_EQ(mqtt_broker_new(f->talk.loop, f->talk.net, &conversation_limits, &hooks,
                                 &f->talk.broker),
                 0);
        access_mqtt_start(f->access, f->talk.broker);
}

void fixture_close(struct fixture *f)
{
        for (size_t i = 0; i < ARRAY_SIZE(f->certificate); i++)
                free(f->certificate[i]);
        conversation_check_end(&f->talk);
        f->talk.broker = mqtt_broker_free(f->talk.broker);
        access_mqtt_free(f->access);
        verifier_free(f->options.login.verifier);
        slowdown_free(f->options.login.slowdown);
        loop_work_free(f->work);
        access_rules_done(&f->rules);
        conversation_done(&f->talk);
}

void run(struct fixture *f, const char *script)
{
        conversation_run(&f->talk, script);
}

void verify(struct fixture *f)
{
        for (int rounds = 0; verifier_jobs(f->options.login.verifier) > 0 && rounds < 10000;
             rounds++)
                loop_run_once(f->talk.loop, 100);
        CHECK_EQ(verifier_jobs(f->options.login.verifier), 0);
        conversation_settle(&f->talk);
}
