#include "access/mqtt-admission.h"

#include "access/owner.h"
#include "base/attributes.h"

#include <errno.h>
#include <string.h>

/* One whose password is being verified. Its connection may be gone before: copies. */
struct admission {
        struct list link;
        struct access_mqtt *access; /* NULL: gone */
        struct login_attempt attempt;
        struct access_client *client;
        uint64_t ticket;
        struct net_peer peer;
        struct mqtt_text client_id, will; /* the topic; empty: there is no will. In: */
        char texts[];
};

/* What CONNECT and its certificate say. */
struct arrival {
        struct access_mqtt *access;
        const struct mqtt_who *who;
        const struct mqtt_connect *connect;
        const struct access_policy *policy;
        struct mqtt_text user, client_id; /* that the certificate gives; empty: it does not */
};

static const struct {
        enum login_result result;
        enum access_event event;
        enum mqtt_reason reason;
} refusals[] = {
        {LOGIN_WRONG, ACCESS_REFUSED_CREDENTIALS, MQTT_NOT_AUTHORIZED},
        {LOGIN_SLOWED, ACCESS_REFUSED_SLOWED, MQTT_SERVER_BUSY},
        {LOGIN_BUSY, ACCESS_REFUSED_BUSY, MQTT_SERVER_BUSY},
};

static enum mqtt_reason refuse(const struct access_mqtt *access, const struct net_peer *peer,
                               struct mqtt_text client_id, struct mqtt_text user,
                               enum access_event event, enum mqtt_reason reason)
{
        struct access_report report = {event, client_id, user, {"", 0}, peer};

        access_mqtt_report(access, &report);
        return reason;
}

static enum mqtt_reason refuse_arrival(const struct arrival *arrival, enum access_event event,
                                       enum mqtt_reason reason)
{
        const struct mqtt_who *who = arrival->who;

        return refuse(arrival->access, who->peer, who->client_id, who->user, event, reason);
}

static enum mqtt_reason refuse_login(const struct access_mqtt *access, const struct net_peer *peer,
                                     struct mqtt_text client_id, struct mqtt_text user,
                                     enum login_result result)
{
        for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
                if (refusals[i].result == result)
                        return refuse(access, peer, client_id, user, refusals[i].event,
                                      refusals[i].reason);
        }
        return MQTT_SUCCESS;
}

/* Somebody who is known. */
struct visitor {
        struct access_mqtt *access;
        const struct net_peer *peer;
        struct mqtt_text client_id, will;
};

/* Takes the client over if it is let in; else *client stays. */
static void let_in(const struct visitor *visitor, struct access_client **owned,
                   struct mqtt_admission *answer)
{
        struct access_client *client = *owned;
        struct mqtt_text id = client->client_id.length > 0 ? client->client_id : visitor->client_id;

        if (visitor->will.length > 0 &&
            !access_client_may(client, visitor->access->hash, id, ACL_WRITE, visitor->will)) {
                answer->reason = refuse(visitor->access, visitor->peer, visitor->client_id,
                                        client->user, ACCESS_REFUSED_WILL, MQTT_NOT_AUTHORIZED);
                return;
        }
        answer->reason = MQTT_SUCCESS;
        answer->identity = TAKE(*owned);
        /* What nobody has verified is nobody's. */
        answer->owner = client->known_by == ACCESS_KNOWN_BY_WORD ? 0 : access_owner(client->user);
        answer->client_id = client->client_id;
}

/* Names by certificate. */

static bool same(struct mqtt_text one, struct mqtt_text other)
{
        return one.length == other.length && memcmp(one.bytes, other.bytes, one.length) == 0;
}

static enum mqtt_reason read_names(struct arrival *arrival, const struct certificate_facts *facts)
{
        const struct access_policy *policy = arrival->policy;
        struct mqtt_text given = arrival->connect->client_id;

        if (policy->user_from != CERTIFICATE_IDENTITY_NONE &&
            certificate_identity_name(policy->user_from, facts, &arrival->user) < 0)
                return refuse_arrival(arrival, ACCESS_REFUSED_CERTIFICATE, MQTT_BAD_CREDENTIALS);
        if (policy->client_id_from == CERTIFICATE_IDENTITY_NONE)
                return MQTT_SUCCESS;
        if (certificate_identity_name(policy->client_id_from, facts, &arrival->client_id) < 0)
                return refuse_arrival(arrival, ACCESS_REFUSED_CERTIFICATE,
                                      MQTT_CLIENT_ID_NOT_VALID);
        if (given.length > 0 && !same(given, arrival->client_id))
                return refuse_arrival(arrival, ACCESS_REFUSED_CLIENT_ID, MQTT_CLIENT_ID_NOT_VALID);
        return MQTT_SUCCESS;
}

/* Asked once: its texts are valid until the next time. */
static enum mqtt_reason read_certificate(struct arrival *arrival)
{
        const struct access_mqtt_options *options = &arrival->access->options;
        const struct access_policy *policy = arrival->policy;
        struct certificate_facts facts = {0};

        if (policy->user_from == CERTIFICATE_IDENTITY_NONE &&
            policy->client_id_from == CERTIFICATE_IDENTITY_NONE)
                return MQTT_SUCCESS;
        if (!options->certificate || options->certificate(options->owner, arrival->who, &facts) < 0)
                facts = (struct certificate_facts){0}; /* which says nothing */
        return read_names(arrival, &facts);
}

/* Its client id, if it is not its own choice. */
static struct mqtt_text id_of(const struct arrival *arrival, struct mqtt_text user)
{
        if (arrival->policy->client_id_is_user && user.length > 0)
                return user;
        return arrival->client_id;
}

/* Those whom nobody has to verify. */

static struct mqtt_text will_of(const struct mqtt_connect *connect)
{
        return connect->has_will ? connect->will.topic : (struct mqtt_text){"", 0};
}

static void let_arrival_in(const struct arrival *arrival, struct access_client **client,
                           struct mqtt_admission *answer)
{
        const struct mqtt_who *who = arrival->who;
        struct visitor visitor = {arrival->access, who->peer, who->client_id,
                                  will_of(arrival->connect)};

        let_in(&visitor, client, answer);
}

static void admit_as(const struct arrival *arrival, struct mqtt_text user,
                     enum access_known_by known_by, struct mqtt_admission *answer)
{
        AUTO(access_client) struct access_client *client = NULL;

        if (access_client_new(arrival->policy->rules, user, id_of(arrival, user), &client) < 0)
                return;
        client->known_by = known_by;
        let_arrival_in(arrival, &client, answer);
}

static bool is_local(const struct net_peer *peer)
{
        struct net_address address;

        net_peer_address(peer, &address);
        return net_address_is_loopback(&address);
}

static void admit_anonymous(const struct arrival *arrival, struct mqtt_admission *answer)
{
        const struct access_policy *policy = arrival->policy;
        AUTO(access_client) struct access_client *client = NULL;

        if (policy->anonymous == ACCESS_ANONYMOUS_REFUSED ||
            (policy->anonymous == ACCESS_ANONYMOUS_LOCAL && !is_local(arrival->who->peer))) {
                answer->reason =
                        refuse_arrival(arrival, ACCESS_REFUSED_ANONYMOUS, MQTT_NOT_AUTHORIZED);
                return;
        }
        if (access_client_new(policy->rules, (struct mqtt_text){"", 0}, arrival->client_id,
                              &client) < 0)
                return;
        client->access = policy->anonymous_access;
        let_arrival_in(arrival, &client, answer);
}

/* Those with a password. */

static void admission_free(struct admission *admission)
{
        list_remove(&admission->link);
        access_client_free(admission->client);
        free(admission);
}

static void on_answer(struct login_attempt *attempt, enum login_result result)
{
        struct admission *admission = container_of(attempt, struct admission, attempt);
        struct access_mqtt *access = admission->access;
        struct visitor visitor = {access, &admission->peer, admission->client_id, admission->will};
        struct mqtt_admission answer = {.ticket = admission->ticket};

        if (access) {
                answer.reason = refuse_login(access, &admission->peer, admission->client_id,
                                             admission->client->user, result);
                if (answer.reason == MQTT_SUCCESS)
                        let_in(&visitor, &admission->client, &answer);
                if (mqtt_broker_admit(access->broker, answer.ticket, &answer) < 0)
                        access_client_free(answer.identity); /* it is gone */
        }
        admission_free(admission);
}

static struct admission *admission_new(const struct arrival *arrival)
{
        struct mqtt_text id = arrival->who->client_id, user = arrival->who->user;
        struct mqtt_text will = will_of(arrival->connect);
        struct admission *admission =
                calloc(1, sizeof(*admission) + id.length + (size_t)will.length);

        if (!admission)
                return NULL;
        list_init(&admission->link);
        admission->access = arrival->access;
        admission->attempt.on_answer = on_answer;
        admission->peer = *arrival->who->peer;
        memcpy(admission->texts, id.bytes, id.length);
        admission->client_id = (struct mqtt_text){admission->texts, id.length};
        memcpy(admission->texts + id.length, will.bytes, will.length);
        admission->will = (struct mqtt_text){admission->texts + id.length, will.length};
        if (access_client_new(arrival->policy->rules, user, id_of(arrival, user),
                              &admission->client) < 0) {
                admission_free(admission);
                return NULL;
        }
        admission->client->known_by = ACCESS_KNOWN_BY_PASSWORD;
        return admission;
}

static void admit_by_password(const struct arrival *arrival, struct mqtt_admission *answer)
{
        struct access_mqtt *access = arrival->access;
        struct admission *admission = admission_new(arrival);
        struct mqtt_text password = {"", 0};
        struct net_address peer;
        enum login_result result;

        if (!admission)
                return;
        if (arrival->connect->has_password)
                password = arrival->connect->password;
        net_peer_address(arrival->who->peer, &peer);
        admission->ticket = answer->ticket;
        result = login_begin(&access->options.login, arrival->policy->rules,
                             net_address_origin(&peer), arrival->who->user, password,
                             &admission->attempt);
        if (result == LOGIN_PENDING) {
                answer->later = true;
                list_append(&access->admissions, &admission->link);
                return;
        }
        answer->reason = refuse_login(access, arrival->who->peer, arrival->who->client_id,
                                      arrival->who->user, result);
        if (answer->reason == MQTT_SUCCESS)
                let_arrival_in(arrival, &admission->client, answer);
        admission_free(admission);
}

void access_mqtt_on_connect(void *owner, const struct mqtt_who *who,
                            const struct mqtt_connect *connect, struct mqtt_admission *answer)
{
        struct access_mqtt *access = owner;
        struct arrival arrival = {.access = access,
                                  .who = who,
                                  .connect = connect,
                                  .policy = access->options.policy(access->options.owner, who),
                                  .user = {"", 0},
                                  .client_id = {"", 0}};
        enum mqtt_reason reason = read_certificate(&arrival);

        answer->reason = reason == MQTT_SUCCESS ? MQTT_SERVER_BUSY : reason; /* until it is known */
        if (reason != MQTT_SUCCESS)
                return;
        if (arrival.user.length > 0)
                admit_as(&arrival, arrival.user, ACCESS_KNOWN_BY_CERTIFICATE, answer);
        else if (arrival.policy->rules->users && who->user.length > 0)
                admit_by_password(&arrival, answer);
        else if (arrival.policy->trusts_names && who->user.length > 0)
                admit_as(&arrival, who->user, ACCESS_KNOWN_BY_WORD, answer);
        else
                admit_anonymous(&arrival, answer);
}

void access_mqtt_orphan_admissions(struct access_mqtt *access)
{
        struct list *link;

        while ((link = list_take_first(&access->admissions)))
                container_of(link, struct admission, link)->access = NULL;
}
