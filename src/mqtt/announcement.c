#include "mqtt/announcement.h"

void mqtt_announce_terms(const struct mqtt_terms *terms, struct mqtt_properties *properties)
{
        properties->receive_maximum = terms->receive_maximum;
        properties->maximum_packet_size = terms->packet_bytes;
        properties->topic_alias_maximum = terms->aliases;
        properties->maximum_qos = terms->qos_max;
        properties->retain_available = terms->retain;
        properties->wildcards_available = terms->wildcards;
        properties->shared_available = terms->shared;
        properties->subscription_ids_available = terms->subscription_ids;
        mqtt_announce(properties, MQTT_RECEIVE_MAXIMUM, terms->receive_maximum < UINT16_MAX);
        mqtt_announce(properties, MQTT_MAXIMUM_PACKET_SIZE, true);
        mqtt_announce(properties, MQTT_TOPIC_ALIAS_MAXIMUM, terms->aliases > 0);
        mqtt_announce(properties, MQTT_MAXIMUM_QOS, terms->qos_max < 2);
        mqtt_announce(properties, MQTT_RETAIN_AVAILABLE, !terms->retain);
        mqtt_announce(properties, MQTT_WILDCARDS_AVAILABLE, !terms->wildcards);
        mqtt_announce(properties, MQTT_SHARED_AVAILABLE, !terms->shared);
        mqtt_announce(properties, MQTT_SUBSCRIPTION_IDS_AVAILABLE, !terms->subscription_ids);
}
