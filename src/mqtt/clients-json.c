#include "mqtt/clients-json.h"

const char *mqtt_version_text(enum mqtt_version version)
{
        switch (version) {
        case MQTT_VERSION_31:
                return "3.1";
        case MQTT_VERSION_311:
                return "3.1.1";
        case MQTT_VERSION_5:
                return "5.0";
        }
        return "?";
}

static void write_dropped(const struct mqtt_account *account, struct json_writer *writer)
{
        json_write_object(writer, "dropped");
        for (size_t i = 0; i < MQTT_DROPPED_REASONS; i++) {
                if (account->dropped[i] == 0)
                        continue;
                json_write_integer(writer,
                                   mqtt_counter_name((enum mqtt_counter)(MQTT_DROPPED_FIRST + i)),
                                   (int64_t)account->dropped[i]);
        }
        json_write_end(writer);
}

static void write_connection(const struct mqtt_client_info *info, struct mqtt_text user,
                             struct json_writer *writer)
{
        char peer[NET_ADDRESS_TEXT_MAX];
        struct net_address address;

        net_peer_address(info->peer, &address);
        json_write_text(writer, "user", user.bytes, user.length);
        json_write_string(writer, "peer", net_address_text(&address, peer));
        json_write_string(writer, "listener", info->terms->name);
        json_write_string(writer, "version", mqtt_version_text(info->version));
        json_write_integer(writer, "keep_alive_seconds", info->keep_alive_s);
        json_write_integer(writer, "pending_bytes", (int64_t)info->pending_bytes);
        json_write_bool(writer, "paused", info->paused);
}

void mqtt_client_info_write(const struct mqtt_client_info *info, struct mqtt_text user,
                            struct json_writer *writer)
{
        json_write_text(writer, "client_id", info->client_id.bytes, info->client_id.length);
        json_write_bool(writer, "connected", info->connected);
        json_write_integer(writer, "since_seconds", (int64_t)info->since_s);
        if (info->connected)
                write_connection(info, user, writer);
        json_write_bool(writer, "has_will", info->has_will);
        if (info->expiry_s == UINT32_MAX)
                json_write_null(writer, "expiry_seconds");
        else
                json_write_integer(writer, "expiry_seconds", info->expiry_s);
        json_write_integer(writer, "subscriptions_count", info->subscriptions);
        json_write_integer(writer, "queued_messages", info->queued);
        json_write_integer(writer, "queued_bytes", (int64_t)info->queued_bytes);
        json_write_integer(writer, "inflight", info->inflight);
        json_write_integer(writer, "inflight_own", info->inflight_own);
        json_write_integer(writer, "received_messages", (int64_t)info->account.received);
        json_write_integer(writer, "received_bytes", (int64_t)info->account.received_bytes);
        json_write_integer(writer, "delivered_messages", (int64_t)info->account.delivered);
        json_write_integer(writer, "delivered_bytes", (int64_t)info->account.delivered_bytes);
        write_dropped(&info->account, writer);
}

void mqtt_subscription_info_write(struct mqtt_text filter,
                                  const struct mqtt_subscription_options *options,
                                  struct json_writer *writer)
{
        json_write_object(writer, NULL);
        json_write_text(writer, "filter", filter.bytes, filter.length);
        json_write_integer(writer, "qos", options->qos);
        json_write_end(writer);
}
