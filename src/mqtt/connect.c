/* CONNECT and its answer (3.1, 3.2), and the client's DISCONNECT (3.14). */
#include "mqtt/announcement.h"
#include "mqtt/client-id.h"
#include "mqtt/client.h"
#include "mqtt/entrance.h"
#include "mqtt/journal-held.h"
#include "mqtt/memory.h"
#include "mqtt/mount.h"
#include "mqtt/sender.h"
#include "proto/mqtt/encode.h"

#include <errno.h>
#include <string.h>

/* attempt_connect(): not known yet, comes again. Less than every reason to refuse. */
enum { ASKED = 1 };

/* What becomes of a CONNECT on its way. */
struct attempt {
        struct mqtt_client *client;
        struct mqtt_connect connect;
        struct mqtt_text id; /* the client's, or the one we give it */
        char assigned[MQTT_ASSIGNED_ID_SIZE];
        struct mqtt_admission admission;
        uint32_t owner; /* of the session */
        uint32_t expiry_s;
        bool session_present;
};

static void tell_hook(struct mqtt_client *client, enum mqtt_reason reason)
{
        const struct mqtt_hooks *hooks = &client->broker->hooks;

        if (client->identity && hooks->on_answered)
                hooks->on_answered(hooks->owner, client->identity, reason);
}

/* [MQTT-3.2.2-7]: refused, and that is the end. 3.1.1 has codes for some of it only. */
static void refuse(struct mqtt_client *client, enum mqtt_version version, enum mqtt_reason reason)
{
        struct mqtt_connack connack = {.reason = reason};

        tell_hook(client, reason);
        mqtt_client_explain(client, reason, 8, &connack.properties);
        (void)mqtt_client_put(client,
                              mqtt_encode_connack(&client->broker->scratch, version, &connack));
        mqtt_client_end(client, reason, 0, false);
}

/* [MQTT-3.1.2-2] of 3.1.1, [MQTT-3.1.2-2] of 5.0: other versions are told which code that
 * is, in the form that they may know; what is malformed in 3.1.1 gets no answer (3.1.4). */
static void refuse_undecoded(struct attempt *attempt, enum mqtt_reason reason)
{
        struct mqtt_client *client = attempt->client;
        enum mqtt_version version = attempt->connect.version;

        client->broker->counters[MQTT_COUNT_PROTOCOL_ERRORS]++;
        if (attempt->connect.unanswered)
                mqtt_client_end(client, reason, -EPROTO, false);
        else if (reason == MQTT_UNSUPPORTED_VERSION)
                refuse(client, version < MQTT_VERSION_5 ? MQTT_VERSION_311 : MQTT_VERSION_5,
                       reason);
        else if (version == MQTT_VERSION_5)
                refuse(client, version, reason);
        else
                mqtt_client_end(client, reason, -EPROTO, false);
}

/* The hook was told of one that we gave already if it put its answer off. */
static int choose_id(struct attempt *attempt)
{
        struct mqtt_client *client = attempt->client;
        int reason;

        if (client->question)
                memcpy(attempt->assigned, client->question->assigned, sizeof(attempt->assigned));
        reason = mqtt_client_id_choose(&attempt->connect, client->terms,
                                       client->broker->limits.client_id_bytes, attempt->assigned,
                                       &attempt->id);
        if (reason != 0)
                client->broker->counters[MQTT_COUNT_REFUSED_CLIENT_IDS]++;
        return reason;
}

/* What its listener does not grant, a will may not have either ([MQTT-3.2.2-12],
 * [MQTT-3.2.2-13]), nor can 3.1.1 be told of a shorter keep-alive. */
static int check_terms(const struct attempt *attempt)
{
        const struct mqtt_connect *connect = &attempt->connect;
        struct mqtt_client *client = attempt->client;
        const struct mqtt_terms *terms = client->terms;
        int reason = 0;

        if (connect->has_will && connect->will.qos > terms->qos_max)
                reason = MQTT_QOS_NOT_SUPPORTED;
        else if (connect->has_will && connect->will.retain && !terms->retain)
                reason = MQTT_RETAIN_NOT_SUPPORTED;
        else if (connect->has_will && connect->will.payload.length > terms->payload_bytes)
                reason = MQTT_PACKET_TOO_LARGE;
        else if (connect->version != MQTT_VERSION_5 && terms->keep_alive_strict &&
                 terms->keep_alive_s > 0 &&
                 (connect->keep_alive_s == 0 || connect->keep_alive_s > terms->keep_alive_s))
                reason = MQTT_CLIENT_ID_NOT_VALID; /* so that it does not try again */
        if (reason != 0)
                client->broker->counters[MQTT_COUNT_REFUSED_TERMS]++;
        return reason;
}

static int mount_will(struct attempt *attempt)
{
        struct mqtt_client *client = attempt->client;
        struct mqtt_text mount = client->terms->mount, *topic = &attempt->connect.will.topic;
        int r;

        if (!attempt->connect.has_will || mount.length == 0)
                return 0;
        if (topic->bytes[0] == '$') {
                client->broker->counters[MQTT_COUNT_REFUSED_TERMS]++;
                return MQTT_NOT_AUTHORIZED;
        }
        r = mqtt_mount_name(mount, &client->broker->mounted, topic);
        return r == 0 ? 0 : r == -EINVAL ? MQTT_TOPIC_NAME_INVALID : MQTT_SERVER_BUSY;
}

/* The hook's answer, or ASKED. */
static int ask_hook(struct attempt *attempt)
{
        struct mqtt_client *client = attempt->client;
        const struct mqtt_hooks *hooks = &client->broker->hooks;
        struct mqtt_who who = {.client_id = attempt->id,
                               .user = attempt->connect.user,
                               .version = attempt->connect.version,
                               .peer = net_stream_peer(client->stream),
                               .stream = client->stream,
                               .terms = client->terms};

        if (!who.user.bytes)
                who.user.bytes = "";
        attempt->admission.ticket = ++client->broker->questions_asked;
        if (hooks->on_connect)
                hooks->on_connect(hooks->owner, &who, &attempt->connect, &attempt->admission);
        if (!attempt->admission.later)
                return 0;
        if (mqtt_question_new(attempt->admission.ticket, attempt->assigned, &client->question) < 0)
                return MQTT_SERVER_BUSY;
        net_stream_pause(client->stream);
        return ASKED;
}

static int seek_admission(struct attempt *attempt)
{
        struct mqtt_client *client = attempt->client;
        int r = 0;

        if (client->question)
                attempt->admission = client->question->answer;
        else
                r = ask_hook(attempt);
        if (r != 0)
                return r;
        if (attempt->admission.reason >= MQTT_UNSPECIFIED_ERROR) {
                client->broker->counters[MQTT_COUNT_REFUSED_BY_HOOK]++;
                return (int)attempt->admission.reason;
        }
        client->identity = attempt->admission.identity;
        if (attempt->admission.client_id.length > 0)
                attempt->id = attempt->admission.client_id;
        attempt->owner = mqtt_mount_owner(client->terms->mount, attempt->admission.owner);
        return 0;
}

static int keep_copies(struct attempt *attempt)
{
        struct mqtt_client *client = attempt->client;
        const struct mqtt_connect *connect = &attempt->connect;
        int r = 0;

        if (connect->user.length > 0) {
                client->user = malloc(connect->user.length);
                if (!client->user)
                        return MQTT_SERVER_BUSY;
                memcpy(client->user, connect->user.bytes, connect->user.length);
                client->user_length = connect->user.length;
                mqtt_ledger_add(&client->broker->ledger, client->user_length);
        }
        if (connect->has_will)
                r = mqtt_last_will_new(client->broker, &connect->will, &client->will);
        if (r == 0)
                r = mqtt_meter_open(client);
        return r < 0 ? MQTT_SERVER_BUSY : 0;
}

static int check_clients(struct attempt *attempt, const struct mqtt_session *session)
{
        struct mqtt_broker *broker = attempt->client->broker;
        const struct mqtt_terms *terms = attempt->client->terms;
        const struct mqtt_entrance *old = NULL, *entrance = mqtt_entrance_of(terms);

        if (broker->stopping)
                return MQTT_SERVER_UNAVAILABLE; /* CONNACK has no 0x8b */
        if (session && session->client)
                old = mqtt_entrance_of(session->client->terms);
        /* Who takes a connection over needs no more than there is. */
        if ((broker->clients_count < broker->limits.clients || old) &&
            (entrance->clients < terms->clients || old == entrance))
                return 0;
        broker->counters[MQTT_COUNT_REFUSED_CLIENTS]++;
        return MQTT_SERVER_BUSY;
}

static int check_memory(struct mqtt_broker *broker)
{
        if (mqtt_memory_shortage(broker) < MQTT_MEMORY_TIGHT)
                return 0;
        broker->counters[MQTT_COUNT_REFUSED_SESSIONS]++;
        return MQTT_QUOTA_EXCEEDED;
}

static void choose_expiry(struct attempt *attempt)
{
        const struct mqtt_connect *connect = &attempt->connect;
        uint32_t most = attempt->client->terms->session_expiry_max_s, wanted;

        /* 3.1.1 knows those that end with the connection, and those that stay. */
        wanted = connect->version == MQTT_VERSION_5 ? connect->properties.session_expiry_s
                 : connect->clean_start             ? 0
                                                    : MQTT_EXPIRES_NEVER;
        attempt->expiry_s = wanted < most ? wanted : most;
}

/* A session that can neither begin nor end for good, since the disk does not take it, is not
 * promised. */
static int check_disk(const struct attempt *attempt, const struct mqtt_session *session)
{
        struct mqtt_broker *broker = attempt->client->broker;
        bool is_kept = attempt->expiry_s > 0 || (session && session->kept);

        if (!broker->journal || !mqtt_journal_keeps_sessions(broker->journal) || !is_kept ||
            mqtt_journal_trouble(broker->journal) == 0)
                return 0;
        broker->counters[MQTT_COUNT_JOURNAL_REFUSED]++;
        return MQTT_QUOTA_EXCEEDED;
}

/* Those without an owner are nobody's, of this mount or of none. */
static bool has_owner(const struct attempt *attempt, const struct mqtt_session *session)
{
        return session->owner != 0 &&
               session->owner != mqtt_mount_owner(attempt->client->terms->mount, 0);
}

/* [MQTT-3.1.2-4], [MQTT-3.1.2-5], [MQTT-3.1.2-6], [MQTT-3.1.4-3]. */
static int open_session(struct attempt *attempt)
{
        struct mqtt_broker *broker = attempt->client->broker;
        struct mqtt_session *session = mqtt_session_find(broker, attempt->id);
        bool is_own = !session || session->owner == attempt->owner;
        int r;

        /* Nobody's give way, or a user could be kept out by whoever came first. */
        if (!is_own && (session->client || has_owner(attempt, session))) {
                broker->counters[MQTT_COUNT_REFUSED_CLIENT_IDS]++;
                return MQTT_NOT_AUTHORIZED;
        }
        r = check_clients(attempt, session);
        if (r == 0 && !session)
                r = check_memory(broker);
        if (r == 0 && (!session || !is_own || attempt->connect.clean_start))
                r = check_disk(attempt, session);
        if (r != 0)
                return r;
        if (session && session->client) {
                broker->counters[MQTT_COUNT_TAKEOVERS]++;
                mqtt_client_disconnect(session->client, MQTT_SESSION_TAKEN_OVER);
                session = mqtt_session_find(broker, attempt->id);
        }
        if (session && (attempt->connect.clean_start || !is_own))
                session = mqtt_session_free(session);
        attempt->session_present = session;
        if (session) {
                mqtt_session_resume(session);
        } else {
                r = mqtt_session_new(broker, attempt->id, &session);
                if (r == -ENOSPC)
                        broker->counters[MQTT_COUNT_REFUSED_SESSIONS]++;
                if (r < 0)
                        return MQTT_SERVER_BUSY;
        }
        session->owner = attempt->owner;
        session->expiry_s = attempt->expiry_s;
        mqtt_client_have_session(attempt->client, session);
        mqtt_journal_connected(session);
        return 0;
}

/* CONNACK promises that a session has begun or goes on, or that another has ended. */
static int wait_for_disk(struct attempt *attempt)
{
        struct mqtt_client *client = attempt->client;
        uint64_t owed = mqtt_client_owed(client);

        if (owed == 0 || mqtt_journal_is_durable(client->broker->journal, owed))
                return 0;
        if (!client->question && mqtt_question_new(0, attempt->assigned, &client->question) < 0)
                return MQTT_SERVER_BUSY;
        client->question->answer = attempt->admission;
        client->question->answer.ticket = 0;
        client->question->answered = false;
        client->question->session_present = attempt->session_present;
        mqtt_held_open(client, owed);
        return ASKED;
}

static uint16_t least(uint16_t a, uint16_t b)
{
        return a < b ? a : b;
}

/* What the client can take (3.1.2.11). */
static void note_capabilities(struct attempt *attempt)
{
        struct mqtt_client *client = attempt->client;
        const struct mqtt_terms *terms = client->terms;
        const struct mqtt_properties *properties = &attempt->connect.properties;

        client->receive_maximum = least(properties->receive_maximum, terms->inflight);
        client->aliases_max = least(properties->topic_alias_maximum, terms->aliases_granted);
}

/* 5.0: we may ask for a shorter one (3.1.2.10, [MQTT-3.1.2-21]); 3.1.1 has no way to. */
static uint16_t choose_keep_alive(struct attempt *attempt)
{
        uint16_t wanted = attempt->connect.keep_alive_s;
        uint16_t most = attempt->client->terms->keep_alive_s;

        if (attempt->connect.version == MQTT_VERSION_5 && most > 0 &&
            (wanted == 0 || wanted > most))
                wanted = most;
        attempt->client->keep_alive_ms = (uint32_t)wanted * 1500;
        return wanted;
}

static int write_connack(struct attempt *attempt, uint16_t keep_alive_s)
{
        struct mqtt_client *client = attempt->client;
        const struct mqtt_connect *connect = &attempt->connect;
        /* 3.1 has no such flag. */
        struct mqtt_connack connack = {.session_present = attempt->session_present &&
                                                          connect->version != MQTT_VERSION_31};
        struct mqtt_properties *properties = &connack.properties;

        mqtt_announce_terms(client->terms, properties);
        properties->session_expiry_s = attempt->expiry_s;
        properties->assigned_client_id = attempt->id;
        properties->server_keep_alive_s = keep_alive_s;
        properties->response_information = attempt->admission.response_information;
        mqtt_announce(properties, MQTT_SESSION_EXPIRY,
                      attempt->expiry_s != connect->properties.session_expiry_s);
        mqtt_announce(properties, MQTT_ASSIGNED_CLIENT_ID, connect->client_id.length == 0);
        mqtt_announce(properties, MQTT_SERVER_KEEP_ALIVE, keep_alive_s != connect->keep_alive_s);
        mqtt_announce(properties, MQTT_RESPONSE_INFORMATION,
                      connect->properties.request_response_information &&
                              properties->response_information.length > 0);
        return mqtt_client_put(
                client, mqtt_encode_connack(&client->broker->scratch, connect->version, &connack));
}

static int attempt_connect(struct attempt *attempt)
{
        struct mqtt_client *client = attempt->client;
        const struct mqtt_properties *properties = &attempt->connect.properties;
        int reason;

        if (client->broker->journal)
                mqtt_journal_begin_packet(client->broker->journal);
        client->version = (uint8_t)attempt->connect.version;
        client->is_bridge = attempt->connect.bridge;
        client->wants_reasons =
                (properties->present & mqtt_property_bit(MQTT_REQUEST_PROBLEM_INFORMATION)) &&
                properties->request_problem_information;
        /* From here on: a refusal has to fit as well. */
        if (properties->present & mqtt_property_bit(MQTT_MAXIMUM_PACKET_SIZE))
                client->packet_bytes = properties->maximum_packet_size;
        /* [MQTT-4.12.0-1]: there is none that we support. */
        if (properties->present & mqtt_property_bit(MQTT_AUTHENTICATION_METHOD))
                return MQTT_BAD_AUTHENTICATION_METHOD;
        reason = choose_id(attempt);
        if (reason == 0)
                reason = check_terms(attempt);
        if (reason == 0)
                reason = mount_will(attempt);
        if (reason == 0)
                reason = seek_admission(attempt);
        if (reason == 0)
                reason = keep_copies(attempt);
        choose_expiry(attempt);
        if (reason == 0)
                reason = open_session(attempt);
        if (reason == 0)
                reason = wait_for_disk(attempt);
        return reason;
}

/* The disk has it. */
static int go_on(struct attempt *attempt)
{
        const struct mqtt_question *question = attempt->client->question;

        attempt->admission = question->answer;
        attempt->session_present = question->session_present;
        choose_expiry(attempt);
        (void)choose_id(attempt); /* it was good before */
        if (attempt->admission.client_id.length > 0)
                attempt->id = attempt->admission.client_id;
        return 0;
}

/* Nothing refuses it any more. */
static void enter(struct attempt *attempt)
{
        struct mqtt_client *client = attempt->client;
        const struct mqtt_hooks *hooks = &client->broker->hooks;
        int r;

        note_capabilities(attempt);
        client->question = mqtt_question_free(client->question);
        tell_hook(client, MQTT_SUCCESS);
        r = write_connack(attempt, choose_keep_alive(attempt));
        if (r < 0) {
                /* [MQTT-3.2.0-1]: and so nothing else. */
                mqtt_client_end(client, MQTT_UNSPECIFIED_ERROR, r, false);
                return;
        }
        mqtt_client_become_connected(client);
        if (hooks->on_connected) {
                struct mqtt_who who = mqtt_client_who(client);

                hooks->on_connected(hooks->owner, &who);
        }
        mqtt_client_watch(client);
        mqtt_sender_resume(client->session);
}

void mqtt_handle_connect(struct mqtt_client *client, const struct mqtt_frame *frame)
{
        struct attempt attempt = {.client = client};
        int reason;

        if (client->state != MQTT_CLIENT_CONNECTING) {
                mqtt_client_refuse(client, MQTT_PROTOCOL_ERROR); /* [MQTT-3.1.0-2] */
                return;
        }
        reason = mqtt_decode_connect(frame, &attempt.connect);
        if (reason != 0) {
                refuse_undecoded(&attempt, (enum mqtt_reason)reason);
                return;
        }
        if (client->question && client->question->opened)
                reason = go_on(&attempt);
        else
                reason = attempt_connect(&attempt);
        if (reason == ASKED)
                return;
        if (reason != 0) {
                refuse(client, attempt.connect.version, (enum mqtt_reason)reason);
                return;
        }
        enter(&attempt);
}

void mqtt_connect_give_up(struct mqtt_client *client)
{
        refuse(client, (enum mqtt_version)client->version, MQTT_SERVER_BUSY);
}

/* [MQTT-3.14.4-3]: who leaves normally leaves no will. 3.14.2.2.2: a session that was to
 * end cannot be kept any more. */
void mqtt_handle_disconnect(struct mqtt_client *client, const struct mqtt_frame *frame)
{
        uint32_t most = client->terms->session_expiry_max_s;
        struct mqtt_session *session = client->session;
        struct mqtt_disconnect disconnect;
        int reason = mqtt_decode_disconnect(frame, (enum mqtt_version)client->version, &disconnect);
        uint32_t wanted = disconnect.properties.session_expiry_s;

        if (reason == 0 &&
            (disconnect.properties.present & mqtt_property_bit(MQTT_SESSION_EXPIRY))) {
                if (session->expiry_s == 0 && wanted > 0)
                        reason = MQTT_PROTOCOL_ERROR;
                else
                        session->expiry_s = wanted < most ? wanted : most;
        }
        if (reason != 0)
                mqtt_client_refuse(client, (enum mqtt_reason)reason);
        else
                mqtt_client_end(client, disconnect.reason, 0, disconnect.reason != MQTT_SUCCESS);
}
