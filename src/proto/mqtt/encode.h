/* proto/mqtt/encode.h - packets to bytes, for both sides of a connection.
 *
 * mqtt_encode_…() appends one packet to a buffer. -EMSGSIZE: longer than a packet or
 * the buffer can be; -ENOMEM; the buffer is then as it was. What a version does not
 * have (properties, reasons in 3.1.1) is left out. The values are the caller's to get
 * right: topic names are valid, identifiers not 0 (asserted). A reason that a packet of 5.0
 * cannot carry becomes 0x80, which all can that refuse.
 *
 * Properties are written from the members that `present` names, then the user
 * properties that stand in `whole`, so that what one client sent goes on to others
 * unchanged and in order ([MQTT-3.3.2-17], [MQTT-3.3.2-18]). */
#pragma once

#include "base/buffer.h"
#include "proto/mqtt/decode.h"

int mqtt_encode_connect(struct buffer *out, const struct mqtt_connect *connect);
int mqtt_encode_connack(struct buffer *out, enum mqtt_version version,
                        const struct mqtt_connack *connack);
int mqtt_encode_publish(struct buffer *out, enum mqtt_version version,
                        const struct mqtt_publish *publish);
int mqtt_encode_acknowledgement(struct buffer *out, enum mqtt_version version, enum mqtt_type type,
                                const struct mqtt_acknowledgement *acknowledgement);
int mqtt_encode_subscribe(struct buffer *out, enum mqtt_version version, uint16_t packet_id,
                          const struct mqtt_properties *properties,
                          const struct mqtt_subscription subscriptions[], size_t count);
int mqtt_encode_unsubscribe(struct buffer *out, enum mqtt_version version, uint16_t packet_id,
                            const struct mqtt_properties *properties,
                            const struct mqtt_text filters[], size_t count);
int mqtt_encode_suback(struct buffer *out, enum mqtt_version version, enum mqtt_type type,
                       const struct mqtt_suback *suback);
int mqtt_encode_disconnect(struct buffer *out, enum mqtt_version version, enum mqtt_type type,
                           const struct mqtt_disconnect *disconnect);
int mqtt_encode_ping(struct buffer *out, enum mqtt_type type);
