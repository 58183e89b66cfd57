#include "broker/doors.h"

#include "access/acl-file.h"
#include "access/password-file.h"
#include "access/settings.h"
#include "broker/place.h"
#include "net/certificate.h"
#include "proto/mqtt/quoted.h"

#include <errno.h>
#include <string.h>

enum { WORK_MAX = 64 };

struct broker_doors {
        struct log *log;
        struct loop_work *work;
        struct login login;
        struct access_mqtt *mqtt;
        struct access_rules rules;           /* of all listeners without files of their own */
        struct net_certificate *certificate; /* that was asked about last */
        struct broker_door **items;
        size_t count;
        unsigned loads;
        bool has_acl; /* somewhere, or had */
        bool asks_authors;
};

/* What was read for one set of rules, until all of it is there. */
struct tables {
        struct user_table *users;
        struct acl *acl;
};

static void tables_done(struct tables *tables)
{
        tables->users = user_table_free(tables->users);
        tables->acl = acl_free(tables->acl);
}

static int read_users(const struct broker_config *config, const char *path,
                      struct user_table *users, struct error *error)
{
        AUTO_FREE char *text = NULL;
        size_t length;
        int r = settings_add_users(&config->users, "access.users", users, error);

        if (r < 0)
                return error_prefix(error, "%s: ", config->path);
        if (!path)
                return 0;
        r = config_read_file(path, PASSWORD_FILE_MAX, &text, &length, error);
        if (r == 0 && length > PASSWORD_FILE_MAX)
                return error_set(error, -EFBIG, "%s: is longer than %d bytes", path,
                                 PASSWORD_FILE_MAX);
        return r < 0 ? r : password_file_read(path, text, length, users, error);
}

static int read_acl(const struct broker_config *config, const char *path, struct acl *acl,
                    struct error *error)
{
        AUTO_FREE char *text = NULL;
        size_t length;
        int r = settings_add_rules(&config->acl, "access.acl", acl, error);

        if (r < 0)
                return error_prefix(error, "%s: ", config->path);
        if (!path)
                return 0;
        r = config_read_file(path, ACL_FILE_MAX, &text, &length, error);
        if (r == 0 && length > ACL_FILE_MAX)
                return error_set(error, -EFBIG, "%s: is longer than %d bytes", path, ACL_FILE_MAX);
        return r < 0 ? r : acl_file_read(path, text, length, acl, error);
}

/* Where a file and the configuration say nothing, there are no users, or no rules. */
static int tables_read(const struct broker_config *config, const struct broker_access *access,
                       struct tables *ret, struct error *error)
{
        /* mosquitto's rules are about messages: subscriptions that may bring any are let pass. */
        const enum acl_filters filters = config->grammar == BROKER_GRAMMAR_MOSQUITTO
                                                 ? ACL_FILTERS_PARTIAL
                                                 : ACL_FILTERS_WHOLE;
        int r = 0;

        if (config->users.count > 0 || access->password_file) {
                r = user_table_new(&ret->users);
                if (r == 0)
                        r = read_users(config, access->password_file, ret->users, error);
        }
        if (r == 0 && (config->acl.count > 0 || access->acl_file)) {
                r = acl_new(filters, &ret->acl);
                if (r == 0)
                        r = read_acl(config, access->acl_file, ret->acl, error);
        }
        return r;
}

static bool has_own_files(const struct broker_listener *listener)
{
        return listener->access.password_file || listener->access.acl_file;
}

static void set_policy(const struct broker_config *config, const struct broker_listener *listener,
                       struct broker_door *door)
{
        static const enum access_anonymous anonymous[] = {
                [BROKER_ANONYMOUS_NONE] = ACCESS_ANONYMOUS_REFUSED,
                [BROKER_ANONYMOUS_LOOPBACK] = ACCESS_ANONYMOUS_LOCAL,
                [BROKER_ANONYMOUS_ALL] = ACCESS_ANONYMOUS_ALLOWED,
        };
        static const enum certificate_identity identities[] = {
                [BROKER_CERTIFICATE_USER_NONE] = CERTIFICATE_IDENTITY_NONE,
                [BROKER_CERTIFICATE_USER_COMMON_NAME] = CERTIFICATE_IDENTITY_COMMON_NAME,
                [BROKER_CERTIFICATE_USER_SUBJECT] = CERTIFICATE_IDENTITY_SUBJECT,
                [BROKER_CERTIFICATE_USER_URI] = CERTIFICATE_IDENTITY_URI,
        };
        const struct broker_access access = broker_config_access(config, listener);

        /* Clients hold on to these, whatever a listener's files are later. */
        access_policy_init(&door->policy, &door->rules);
        if (has_own_files(listener))
                door->policy.place = door->place;
        door->policy.anonymous = anonymous[access.anonymous];
        if (config->anonymous_reads)
                door->policy.anonymous_access = ACL_READ;
        /* Where everybody may come in, and nobody has a password, a name is as good as none. */
        door->policy.trusts_names = config->grammar == BROKER_GRAMMAR_MOSQUITTO &&
                                    access.anonymous == BROKER_ANONYMOUS_ALL;
        door->policy.user_from = identities[listener->certificate_user];
        door->policy.client_id_from = identities[listener->certificate_client_id];
        door->policy.client_id_is_user = listener->client_id_is_user;
        /* To mosquitto, who has no name has no client id there. */
        if (config->grammar == BROKER_GRAMMAR_MOSQUITTO && listener->client_id_is_user)
                door->policy.anonymous = ACCESS_ANONYMOUS_REFUSED;
        door->mqtt_3_1 = listener->mqtt_3_1;
        door->mqtt_3_1_1 = listener->mqtt_3_1_1;
        door->mqtt_5 = listener->mqtt_5;
}

struct broker_door *broker_doors_find(const struct broker_doors *doors,
                                      const struct broker_listener *listener)
{
        char place[BROKER_PLACE_MAX];

        broker_place(listener, place);
        for (size_t i = 0; i < doors->count; i++)
                if (strcmp(doors->items[i]->place, place) == 0)
                        return doors->items[i];
        return NULL;
}

static int add_door(struct broker_doors *doors, const struct broker_listener *listener)
{
        struct broker_door **items =
                realloc(doors->items, (doors->count + 1) * sizeof(struct broker_door *));
        char place[BROKER_PLACE_MAX];
        struct broker_door *door;

        if (!items)
                return -ENOMEM;
        doors->items = items;
        door = calloc(1, sizeof(*door));
        if (!door)
                return -ENOMEM;
        door->place = strdup(broker_place(listener, place));
        if (!door->place) {
                free(door);
                return -ENOMEM;
        }
        items[doors->count++] = door;
        return 0;
}

/* Tables of all, then of each listener that has files of its own. */
static int read_all(const struct broker_config *config, struct tables tables[], struct error *error)
{
        const struct broker_listener *listeners = config->listeners.items;
        int r = tables_read(config, &config->access, &tables[0], error);

        for (size_t i = 0; i < config->listeners.count && r == 0; i++) {
                const struct broker_access access = broker_config_access(config, &listeners[i]);

                if (has_own_files(&listeners[i]))
                        r = tables_read(config, &access, &tables[1 + i], error);
        }
        return r;
}

static void replace_all(struct broker_doors *doors, const struct broker_config *config,
                        struct tables tables[])
{
        const struct broker_listener *listeners = config->listeners.items;

        doors->loads++;
        doors->asks_authors = config->check_retain_source;
        doors->has_acl = doors->has_acl || tables[0].acl;
        access_rules_replace(&doors->rules, TAKE(tables[0].users), TAKE(tables[0].acl));
        /* Those, too, whose listeners are gone. */
        for (size_t i = 0; i < doors->count; i++)
                if (doors->items[i]->rules.shared)
                        access_rules_share(&doors->items[i]->rules, &doors->rules);
        for (size_t i = 0; i < config->listeners.count; i++) {
                struct broker_door *door = broker_doors_find(doors, &listeners[i]);

                set_policy(config, &listeners[i], door);
                doors->has_acl = doors->has_acl || tables[1 + i].acl;
                if (has_own_files(&listeners[i]))
                        access_rules_replace(&door->rules, TAKE(tables[1 + i].users),
                                             TAKE(tables[1 + i].acl));
                else
                        access_rules_share(&door->rules, &doors->rules);
        }
}

int broker_doors_load(struct broker_doors *doors, const struct broker_config *config,
                      struct error *error)
{
        const struct broker_listener *listeners = config->listeners.items;
        const size_t count = config->listeners.count;
        AUTO_FREE struct tables *tables = calloc(count + 1, sizeof(*tables));
        int r = tables ? 0 : -ENOMEM;

        for (size_t i = 0; i < count && r == 0; i++)
                if (!broker_doors_find(doors, &listeners[i]))
                        r = add_door(doors, &listeners[i]);
        if (r == 0)
                r = read_all(config, tables, error);
        if (r == 0)
                replace_all(doors, config, tables);
        for (size_t i = 0; tables && i <= count; i++)
                tables_done(&tables[i]);
        return r == -ENOMEM ? error_set(error, r, "out of memory") : r;
}

static const struct access_policy *policy_of(void *owner, const struct mqtt_who *who)
{
        const struct broker_door *door = who->terms->owner;

        (void)owner;
        return &door->policy;
}

static const struct access_rules *rules_of(void *owner, struct mqtt_text place)
{
        const struct broker_doors *doors = owner;

        if (place.length == 0)
                return &doors->rules;
        for (size_t i = 0; i < doors->count; i++) {
                const struct broker_door *door = doors->items[i];

                if (strlen(door->place) == place.length &&
                    memcmp(door->place, place.bytes, place.length) == 0)
                        return door->policy.rules;
        }
        return NULL;
}

static const char *or_empty(const char *text)
{
        return text ? text : "";
}

static int certificate_of(void *owner, const struct mqtt_who *who, struct certificate_facts *ret)
{
        struct broker_doors *doors = owner;
        struct net_certificate *certificate;
        int r = who->stream ? net_stream_certificate(who->stream, &certificate) : -ENOENT;

        if (r < 0)
                return r;
        net_certificate_free(doors->certificate);
        doors->certificate = certificate;
        *ret = (struct certificate_facts){.common_name = or_empty(certificate->common_name),
                                          .subject = or_empty(certificate->subject),
                                          .uri = or_empty(certificate->uri)};
        return 0;
}

static void on_report(void *owner, const struct access_report *report)
{
        struct broker_doors *doors = owner;
        const bool denied =
                report->event == ACCESS_DENIED_PUBLISH || report->event == ACCESS_DENIED_SUBSCRIBE;
        struct mqtt_quoted id, user, topic;
        char text[NET_ADDRESS_TEXT_MAX] = "";
        struct net_address peer;

        if (denied && !log_enabled(doors->log, LOG_LEVEL_DEBUG))
                return;
        if (report->peer) {
                net_peer_address(report->peer, &peer);
                net_address_text(&peer, text);
        }
        log_write(doors->log, denied ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, "access",
                  "%s client=%s user=%s peer=%s%s%s why=\"%s\"", denied ? "denied" : "refused",
                  mqtt_quote_unless_word(report->client_id, &id),
                  mqtt_quote_unless_word(report->user, &user), text, denied ? " topic=" : "",
                  mqtt_quote_unless_word(report->topic, &topic),
                  access_event_sentence(report->event));
}

static bool speaks(const struct broker_door *door, enum mqtt_version version)
{
        switch (version) {
        case MQTT_VERSION_31:
                return door->mqtt_3_1;
        case MQTT_VERSION_311:
                return door->mqtt_3_1_1;
        case MQTT_VERSION_5:
                return door->mqtt_5;
        }
        return false;
}

static void on_connect(void *owner, const struct mqtt_who *who, const struct mqtt_connect *connect,
                       struct mqtt_admission *answer)
{
        const struct broker_door *door = who->terms->owner;
        const struct mqtt_hooks *hooks;

        if (!speaks(door, who->version)) {
                answer->reason = MQTT_UNSUPPORTED_VERSION;
                return;
        }
        hooks = access_mqtt_hooks(owner);
        hooks->on_connect(hooks->owner, who, connect, answer);
}

int broker_doors_new(struct loop *loop, struct log *log, struct broker_doors **ret)
{
        AUTO(broker_doors) struct broker_doors *doors = calloc(1, sizeof(*doors));
        struct access_mqtt_options options = {
                .policy = policy_of,
                .certificate = certificate_of,
                .rules = rules_of,
                .on_report = on_report,
        };
        int r;

        if (!doors)
                return -ENOMEM;
        doors->log = log;
        doors->login.loop = loop;
        r = loop_work_new(loop, WORK_MAX, &doors->work);
        if (r == 0)
                r = slowdown_new(&doors->login.slowdown);
        if (r == 0)
                r = verifier_new(loop, doors->work, doors->login.slowdown, &doors->login.verifier);
        if (r < 0)
                return r;
        options.login = doors->login;
        options.owner = doors;
        r = access_mqtt_new(&options, &doors->mqtt);
        if (r < 0)
                return r;
        *ret = TAKE(doors);
        return 0;
}

struct broker_doors *broker_doors_free(struct broker_doors *doors)
{
        if (!doors)
                return NULL;
        access_mqtt_free(doors->mqtt);
        verifier_free(doors->login.verifier);
        loop_work_free(doors->work);
        slowdown_free(doors->login.slowdown);
        for (size_t i = 0; i < doors->count; i++) {
                access_rules_done(&doors->items[i]->rules);
                free(doors->items[i]->place);
                free(doors->items[i]);
        }
        access_rules_done(&doors->rules);
        net_certificate_free(doors->certificate);
        free(doors->items);
        free(doors);
        return NULL;
}

void broker_doors_hooks(const struct broker_doors *doors, struct mqtt_hooks *ret)
{
        *ret = *access_mqtt_hooks(doors->mqtt);
        ret->on_connect = on_connect;
        /* Asked for each message and each receiver, which nobody pays for who has no rules, and no
         * users who were removed while they were connected. */
        if (!doors->has_acl && doors->loads <= 1)
                ret->on_deliver = NULL;
        if (!doors->has_acl || !doors->asks_authors) {
                ret->on_retain = NULL;
                ret->on_retained = NULL;
        }
}

void broker_doors_start(struct broker_doors *doors, struct mqtt_broker *broker)
{
        access_mqtt_start(doors->mqtt, broker);
}

const struct access_rules *broker_doors_rules(const struct broker_doors *doors)
{
        return &doors->rules;
}

const struct login *broker_doors_login(const struct broker_doors *doors)
{
        return &doors->login;
}
