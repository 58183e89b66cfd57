/* mqtt/client.h - one connection of a client: reads packets, knows what it may be sent,
 * notices silence. Its session outlives it. Inside of mqtt/ only. */
#pragma once

#include "base/list.h"
#include "mqtt/alias.h"
#include "mqtt/broker-internal.h"
#include "mqtt/meter.h"
#include "mqtt/question.h"
#include "mqtt/session.h"
#include "mqtt/will.h"
#include "net/stream.h"

enum mqtt_client_state {
        MQTT_CLIENT_CONNECTING, /* nothing came yet but part of a CONNECT */
        MQTT_CLIENT_CONNECTED,
        MQTT_CLIENT_DOOMED, /* ends in this round; is sent nothing more */
        MQTT_CLIENT_ENDED,  /* has no session; its stream writes out what there is */
};

/* What few have. */
struct mqtt_client_more {
        struct mqtt_alias *aliases_in, *aliases_out;
        struct mqtt_held *held;   /* answers that wait for the disk */
        struct mqtt_meter *meter; /* where its terms have rates */
};

struct mqtt_client {
        struct list link; /* of the broker's connecting, clients, doomed or ended ones */
        struct mqtt_broker *broker;
        struct net_stream *stream;
        struct mqtt_session *session; /* NULL before CONNECT and after the end */
        struct mqtt_last_will *will;
        const struct mqtt_terms *terms; /* a reference */
        struct mqtt_client_more *more;  /* NULL: nothing of it */
        void *identity;                 /* the hooks' */
        struct mqtt_question *question; /* NULL: none is open */
        char *user;
        uint64_t heard_ms;      /* when the last packet came, or the connection */
        uint32_t keep_alive_ms; /* one and a half times it; 0: none */
        uint32_t packet_bytes;  /* the most it takes */
        uint16_t receive_maximum;
        uint16_t aliases_max; /* of those we may use */
        uint16_t user_length;
        uint16_t receiving; /* QoS 2 that this connection sent, between PUBLISH and PUBREL */
        uint8_t version;    /* enum mqtt_version */
        uint8_t state;      /* enum mqtt_client_state */
        uint8_t doom;       /* enum mqtt_reason */
        bool wants_reasons : 1;
        bool is_bridge : 1; /* of mosquitto: gets nothing of its own, and RETAIN as published */
        /* Its input is paused, since it reads slowly, has sent what it may for now, or has to wait
         * for the disk. */
        bool stalled : 1, throttled : 1, waiting : 1;
        uint32_t connected_s; /* when CONNECT was accepted, by the loop's clock */
};

/* Takes `fd` over on success only. -ENOMEM, -errno. */
int mqtt_client_new(struct mqtt_broker *broker, int fd, struct net_tls *tls,
                    const struct net_address *peer, const struct mqtt_terms *terms);
/* The same on a stream that somebody else began. -ENOMEM: it is as it was. */
int mqtt_client_adopt(struct mqtt_broker *broker, struct net_stream *stream,
                      const struct mqtt_terms *terms);

/* Ends the connection in this call: 5.0 clients that were connected are told by DISCONNECT
 * with `reason`; the will is published if the reason asks for it. The client itself goes
 * at the end of the round. */
void mqtt_client_disconnect(struct mqtt_client *client, enum mqtt_reason reason);
/* The same at the end of the round: for those in the middle of routing. */
void mqtt_client_doom(struct mqtt_client *client, enum mqtt_reason reason);
/* The same, or in this call and without a word if it waits to be told that it is connected. It has
 * a session. */
void mqtt_client_kick(struct mqtt_client *client, enum mqtt_reason reason);
/* Ends without a word: before CONNECT was accepted, or as the client wished.
 * `with_will`: its will is published. */
void mqtt_client_end(struct mqtt_client *client, enum mqtt_reason reason, int failure,
                     bool with_will);

/* One of the reasons not to listen to it is gone. */
void mqtt_client_hear(struct mqtt_client *client);
/* What its stream brings: how much of it was packets. */
size_t mqtt_client_on_bytes(void *owner, const char *bytes, size_t count);
/* One packet, which is counted. */
void mqtt_client_send(struct mqtt_client *client, const void *bytes, size_t count);
/* Starts to watch for silence, or for a reader that stalls. */
void mqtt_client_watch(struct mqtt_client *client);
/* The session's timer, when that time is over. */
void mqtt_client_check(struct mqtt_client *client);
/* The answer to a packet that its decoder or the standard refuses: counts and ends. */
void mqtt_client_refuse(struct mqtt_client *client, enum mqtt_reason reason);
/* The first of those that connect has had its time. */
void mqtt_clients_on_connect_timer(struct loop_timer *timer);
void mqtt_clients_on_doom(struct loop_task *task);

/* Made at its first use, until the connection's end. NULL: no memory. */
struct mqtt_client_more *mqtt_client_more(struct mqtt_client *client);
struct mqtt_who mqtt_client_who(const struct mqtt_client *client);
static inline bool mqtt_client_is_connected(const struct mqtt_client *client)
{
        return client->state == MQTT_CLIENT_CONNECTED;
}

/* Writes what mqtt_encode_...() put into the broker's scratch buffer and empties that;
 * `encoded` is its result. Returns that, or -EMSGSIZE: more than the client takes. Failures
 * are counted. */
int mqtt_client_put(struct mqtt_client *client, int encoded);
/* The same, after CONNACK: a failure ends the connection at the end of the round. */
void mqtt_client_write(struct mqtt_client *client, int encoded);
/* Adds the reason in words to `properties`, if the client asked for such (3.1.2.11.8) and
 * the packet, of `size` bytes without them, stays below what it takes ([MQTT-3.4.2-2]). */
void mqtt_client_explain(const struct mqtt_client *client, enum mqtt_reason reason, size_t size,
                         struct mqtt_properties *properties);

/* CONNECT has opened it: it counts as logged in until its end. */
void mqtt_client_have_session(struct mqtt_client *client, struct mqtt_session *session);
/* CONNECT was accepted, and it was told. */
void mqtt_client_become_connected(struct mqtt_client *client);

/* What each packet does, one file each; the frame is whole, the client connected. */
void mqtt_handle_connect(struct mqtt_client *client, const struct mqtt_frame *frame);
/* Its question was not answered in time. */
void mqtt_connect_give_up(struct mqtt_client *client);
void mqtt_handle_publish(struct mqtt_client *client, const struct mqtt_frame *frame);
void mqtt_handle_acknowledgement(struct mqtt_client *client, const struct mqtt_frame *frame);
void mqtt_handle_subscribe(struct mqtt_client *client, const struct mqtt_frame *frame);
void mqtt_handle_unsubscribe(struct mqtt_client *client, const struct mqtt_frame *frame);
void mqtt_handle_disconnect(struct mqtt_client *client, const struct mqtt_frame *frame);
