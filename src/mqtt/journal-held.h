/* mqtt/journal-held.h - answers that wait until what they promise is on the disk.
 *
 * Of one client in the order they were made ([MQTT-4.6.0-2] to [MQTT-4.6.0-4]): behind one that
 * waits, those wait too that need not. PINGRESP, and messages of QoS 0 and 1, overtake them;
 * a PUBLISH of QoS 2 waits for its packet identifier. With limits.receive_maximum that wait the
 * client's input is paused, and when the disk is so far behind that nothing more can be noted.
 * When the connection ends they are forgotten: what they acknowledge comes again.
 *
 * Inside of mqtt/ only. */
#pragma once

#include "mqtt/client.h"
#include "mqtt/journal.h"

struct mqtt_held; /* of a client: NULL: it has none */

struct mqtt_held *mqtt_held_free(struct mqtt_held *held); /* returns NULL */

/* Writes what mqtt_encode_...() put into the broker's scratch buffer, as mqtt_client_write() does,
 * once `sequence` is durable. */
void mqtt_held_write(struct mqtt_client *client, int encoded, uint64_t sequence);
/* Must the PUBLISH of QoS 2 wait? True: mqtt_sender_send_held() is called when it need not. */
bool mqtt_held_publish(struct mqtt_client *client, uint16_t packet_id);

/* Is there so much that its input has to wait? Then it is paused. */
bool mqtt_held_is_enough(struct mqtt_client *client);

/* CONNACK waits for its session, and with it all that the client sends: its question stays open
 * until then. */
void mqtt_held_open(struct mqtt_client *client, uint64_t sequence);
/* The connection has ended. */
void mqtt_held_close(struct mqtt_client *client);

/* Something has become durable. */
void mqtt_held_release_all(struct mqtt_journal *journal);

static inline void mqtt_client_answer(struct mqtt_client *client, int encoded, uint64_t sequence)
{
        if (client->broker->journal)
                mqtt_held_write(client, encoded, sequence);
        else
                mqtt_client_write(client, encoded);
}
/* What the answer to the packet at hand waits for; and what one of QoS 2 does. */
static inline uint64_t mqtt_client_owed(const struct mqtt_client *client)
{
        return client->broker->journal ? mqtt_journal_owed(client->broker->journal) : 0;
}
static inline uint64_t mqtt_client_all(const struct mqtt_client *client)
{
        return client->session->kept ? mqtt_journal_all(client->broker->journal) : 0;
}
