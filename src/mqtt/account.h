/* mqtt/account.h - what a session has received, was sent, and lost, for operators. It outlives
 * connections, and is made when there is something to count: who is idle has none. Inside of
 * mqtt/ only. */
#pragma once

#include "mqtt/session.h"
#include "proto/mqtt/packet.h"

struct mqtt_broker;

/* NULL: no memory, and it is not counted. */
static inline struct mqtt_account *mqtt_account_of(struct mqtt_session *session)
{
        struct mqtt_session_more *more = session->more ? session->more : mqtt_session_more(session);

        return more ? &more->account : NULL;
}

/* Places for what is under way have come or gone: so many bytes of the ledger. */
void mqtt_account_tables(struct mqtt_session *session);

/* A message does not reach the client of the session, or comes of it and goes to nobody; `why` is
 * one of MQTT_COUNT_DROPPED_... Counts, and tells the hook. */
void mqtt_drop(struct mqtt_session *session, struct mqtt_text topic, enum mqtt_counter why);
/* The same of a client whose session is gone. */
void mqtt_drop_of(struct mqtt_broker *broker, struct mqtt_text client_id, struct mqtt_text topic,
                  enum mqtt_counter why);
