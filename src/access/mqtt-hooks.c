#include "access/mqtt-hooks.h"

#include "access/mqtt-admission.h"
#include "base/attributes.h"

#include <errno.h>
#include <string.h>

const char *access_event_sentence(enum access_event event)
{
        static const char *const sentences[] = {
                [ACCESS_REFUSED_CREDENTIALS] = "wrong user name or password",
                [ACCESS_REFUSED_ANONYMOUS] = "it shows no user name and password",
                [ACCESS_REFUSED_SLOWED] = "too many failed attempts from its address",
                [ACCESS_REFUSED_BUSY] = "too many passwords wait to be verified",
                [ACCESS_REFUSED_CERTIFICATE] = "its certificate does not say who it is",
                [ACCESS_REFUSED_CLIENT_ID] = "its client id is not that of its certificate",
                [ACCESS_REFUSED_WILL] = "it may not publish its will",
                [ACCESS_DENIED_PUBLISH] = "it may not publish there",
                [ACCESS_DENIED_SUBSCRIBE] = "it may not subscribe to that",
        };

        return (size_t)event < ARRAY_SIZE(sentences) ? sentences[event] : "?";
}

void access_policy_init(struct access_policy *policy, struct access_rules *rules)
{
        *policy = (struct access_policy){.anonymous = ACCESS_ANONYMOUS_LOCAL,
                                         .anonymous_access = ACL_READWRITE,
                                         .rules = rules,
                                         .place = ""};
}

void access_mqtt_report(const struct access_mqtt *access, const struct access_report *report)
{
        if (access->options.on_report)
                access->options.on_report(access->options.owner, report);
}

static void report_denied(const struct access_mqtt *access, const struct mqtt_who *who,
                          enum access_event event, struct mqtt_text topic)
{
        const struct access_client *client = who->identity;
        struct access_report report = {event, who->client_id, client->user, topic, who->peer};

        access_mqtt_report(access, &report);
}

static int on_publish(void *owner, const struct mqtt_who *who, const struct mqtt_publish *publish)
{
        struct access_mqtt *access = owner;

        if (!who->identity || access_client_may(who->identity, access->hash, who->client_id,
                                                ACL_WRITE, publish->topic))
                return MQTT_HOOK_PASS;
        report_denied(access, who, ACCESS_DENIED_PUBLISH, publish->topic);
        return MQTT_NOT_AUTHORIZED;
}

static int on_subscribe(void *owner, const struct mqtt_who *who,
                        const struct mqtt_subscription *subscription)
{
        struct access_mqtt *access = owner;

        if (access_client_may_subscribe(who->identity, who->client_id, subscription->filter))
                return MQTT_HOOK_PASS;
        report_denied(access, who, ACCESS_DENIED_SUBSCRIBE, subscription->filter);
        return MQTT_NOT_AUTHORIZED;
}

static bool on_deliver(void *owner, const struct mqtt_who *who, struct mqtt_text topic)
{
        struct access_mqtt *access = owner;

        return access_client_may(who->identity, access->hash, who->client_id, ACL_RECEIVE, topic);
}

static struct mqtt_text text_of(const char *text)
{
        return (struct mqtt_text){text, (uint16_t)strlen(text)};
}

/* What is retained while there are no rules is nobody's: rules that come later don't change it. */
static bool on_retain(void *owner, const struct mqtt_who *who, struct mqtt_author *ret)
{
        const struct access_mqtt *access = owner;
        const struct access_client *client = who->identity;

        if (!client || !client->rules->acl)
                return false;
        ret->place = text_of(access->options.policy(access->options.owner, who)->place);
        ret->user = client->user;
        ret->client_id = who->client_id;
        return true;
}

/* By the rules alone: that somebody is a user no more takes nothing back that they allow. */
static bool on_retained(void *owner, const struct mqtt_author *author, struct mqtt_text topic)
{
        const struct access_mqtt *access = owner;
        const struct access_rules *rules =
                access->options.rules(access->options.owner, author->place);
        struct acl_subject subject = {author->user, {"", 0}, author->client_id};
        const struct user *user = NULL;

        if (!rules || !rules->acl)
                return rules != NULL;
        if (rules->users && author->user.length > 0)
                user = user_table_find(rules->users, author->user);
        if (user)
                subject.role = text_of(user->role);
        return acl_allows_topic(rules->acl, &subject, ACL_WRITE, topic);
}

static void on_forget(void *owner, void *identity)
{
        (void)owner;
        access_client_free(identity);
}

int access_mqtt_new(const struct access_mqtt_options *options, struct access_mqtt **ret)
{
        struct access_mqtt *access = calloc(1, sizeof(*access));
        int r = access ? acl_cache_hash_new(&access->hash) : -ENOMEM;

        if (r < 0) {
                free(access);
                return r;
        }
        access->options = *options;
        access->hooks = (struct mqtt_hooks){
                .owner = access,
                .on_connect = access_mqtt_on_connect,
                .on_publish = on_publish,
                .on_subscribe = on_subscribe,
                .on_deliver = on_deliver,
                .on_retain = options->rules ? on_retain : NULL,
                .on_retained = options->rules ? on_retained : NULL,
                .on_forget = on_forget,
        };
        list_init(&access->admissions);
        *ret = access;
        return 0;
}

struct access_mqtt *access_mqtt_free(struct access_mqtt *access)
{
        if (!access)
                return NULL;
        access_mqtt_orphan_admissions(access);
        acl_cache_hash_free(access->hash);
        free(access);
        return NULL;
}

const struct mqtt_hooks *access_mqtt_hooks(const struct access_mqtt *access)
{
        return &access->hooks;
}

void access_mqtt_start(struct access_mqtt *access, struct mqtt_broker *broker)
{
        access->broker = broker;
}

struct mqtt_text access_mqtt_user(const void *identity)
{
        return ((const struct access_client *)identity)->user;
}
