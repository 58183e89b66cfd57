#include "mqtt/account.h"

#include "mqtt/broker-internal.h"

#include <assert.h>

void mqtt_account_tables(struct mqtt_session *session)
{
        struct mqtt_session_more *more = session->more;
        uint32_t bytes = session->inflight.capacity * (uint32_t)sizeof(struct mqtt_delivery) +
                         session->received.capacity * (uint32_t)sizeof(uint16_t);

        if (!more || bytes == more->tables_bytes)
                return;
        mqtt_ledger_remove(&session->broker->ledger, more->tables_bytes);
        mqtt_ledger_add(&session->broker->ledger, bytes);
        more->tables_bytes = bytes;
}

void mqtt_drop_of(struct mqtt_broker *broker, struct mqtt_text client_id, struct mqtt_text topic,
                  enum mqtt_counter why)
{
        const struct mqtt_hooks *hooks = &broker->hooks;

        assert(why >= MQTT_DROPPED_FIRST && why < MQTT_DROPPED_FIRST + MQTT_DROPPED_REASONS);
        broker->counters[why]++;
        if (hooks->on_drop)
                hooks->on_drop(hooks->owner, client_id, topic, why);
}

void mqtt_drop(struct mqtt_session *session, struct mqtt_text topic, enum mqtt_counter why)
{
        struct mqtt_account *account = mqtt_account_of(session);

        if (account)
                account->dropped[why - MQTT_DROPPED_FIRST]++;
        mqtt_drop_of(session->broker, mqtt_session_id(session), topic, why);
}
