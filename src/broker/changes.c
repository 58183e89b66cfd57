#include "broker/changes.h"

#include <string.h>

#define NUMBER(key, member)                                                                        \
        {                                                                                          \
                key, offsetof(struct broker_config, member),                                       \
                        sizeof(((struct broker_config *)0)->member)                                \
        }
#define TEXT(key, member)                                                                          \
        {                                                                                          \
                key, offsetof(struct broker_config, member), 0                                     \
        }

/* What is read once: bounds of the broker as a whole, and what is opened at the start. */
static const struct {
        const char *key;
        size_t offset, size; /* 0: a text */
} fixed[] = {
        TEXT("state_dir", state_dir),
        TEXT("pid_file", pid_file),
        TEXT("user", user),
        NUMBER("mqtt.clients", mqtt.clients),
        NUMBER("mqtt.sessions", mqtt.sessions),
        NUMBER("mqtt.connecting", mqtt.connecting),
        NUMBER("mqtt.subscriptions_per_session", mqtt.subscriptions_per_session),
        NUMBER("mqtt.subscriptions", mqtt.subscriptions),
        NUMBER("mqtt.retained_messages", mqtt.retained_messages),
        NUMBER("mqtt.retained_bytes", mqtt.retained_bytes),
        NUMBER("mqtt.output_bytes", mqtt.output_bytes),
        NUMBER("mqtt.queue_messages", mqtt.queue_messages),
        NUMBER("mqtt.queue_bytes", mqtt.queue_bytes),
        NUMBER("mqtt.queued_bytes", mqtt.queued_bytes),
        NUMBER("mqtt.queue_qos_0", queue_qos0),
        NUMBER("mqtt.durability", keep.sessions),
        NUMBER("mqtt.retained_durability", keep.retained),
        NUMBER("mqtt.durability_interval", keep.interval),
        NUMBER("mqtt.sys_interval", sys_interval),
        NUMBER("limits.memory", memory),
        TEXT("log.file", log.file),
        NUMBER("log.level", log.level),
};

static bool is_same_text(const char *a, const char *b)
{
        return a && b ? strcmp(a, b) == 0 : a == b;
}

const char *broker_changes_next(const struct broker_config *before,
                                const struct broker_config *after, size_t *position)
{
        while (*position < ARRAY_SIZE(fixed)) {
                const size_t i = (*position)++;
                const char *one = (const char *)before + fixed[i].offset;
                const char *other = (const char *)after + fixed[i].offset;

                if (fixed[i].size > 0 ? memcmp(one, other, fixed[i].size) != 0
                                      : !is_same_text(*(char *const *)(const void *)one,
                                                      *(char *const *)(const void *)other))
                        return fixed[i].key;
        }
        return NULL;
}
