#include "mqtt/client-id.h"

#include "base/siphash.h"

#include <string.h>
#include <sys/random.h>

/* [MQTT-3.1.3-6], [MQTT-3.2.2-16]: unique, and not to be guessed by others; a UUID of random
 * numbers (RFC 9562, 5.4), as other brokers give them. */
static int make(const char *prefix, char assigned[MQTT_ASSIGNED_ID_SIZE])
{
        static const char form[] = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";
        unsigned char random[sizeof(form) - 1];
        size_t length = strlen(prefix);

        if (getrandom(random, sizeof(random), 0) != sizeof(random))
                return MQTT_UNSPECIFIED_ERROR;
        memcpy(assigned, prefix, length);
        for (size_t i = 0; i < sizeof(form); i++) {
                char letter = form[i];

                if (letter == 'x')
                        letter = "0123456789abcdef"[random[i] & 15];
                else if (letter == 'y')
                        letter = "89ab"[random[i] & 3];
                assigned[length + i] = letter;
        }
        return 0;
}

static bool begins_as_asked(struct mqtt_text id, const char *const *prefixes)
{
        if (!prefixes)
                return true;
        for (; *prefixes; prefixes++) {
                size_t length = strlen(*prefixes);

                if (length <= id.length && memcmp(id.bytes, *prefixes, length) == 0)
                        return true;
        }
        return false;
}

/* Of 3.1.1 [MQTT-3.1.3-8]: who wants to be known again has a name; of 3.1, everybody. */
static bool may_be_empty(const struct mqtt_connect *connect, const struct mqtt_terms *terms)
{
        return terms->empty_client_ids &&
               (connect->version == MQTT_VERSION_5 ||
                (connect->version == MQTT_VERSION_311 && connect->clean_start));
}

int mqtt_client_id_choose(const struct mqtt_connect *connect, const struct mqtt_terms *terms,
                          uint16_t most_bytes, char assigned[MQTT_ASSIGNED_ID_SIZE],
                          struct mqtt_text *ret)
{
        struct mqtt_text id = connect->client_id;
        int r = 0;

        if (id.length > most_bytes || (id.length == 0 && !may_be_empty(connect, terms)))
                return MQTT_CLIENT_ID_NOT_VALID;
        if (id.length == 0) {
                if (assigned[0] == '\0')
                        r = make(terms->assigned_prefix, assigned);
                id = (struct mqtt_text){assigned, (uint16_t)strlen(assigned)};
        }
        *ret = id;
        if (r < 0)
                return r;
        return begins_as_asked(id, terms->client_id_prefixes) ? 0 : MQTT_NOT_AUTHORIZED;
}

uint64_t mqtt_client_id_hash(struct mqtt_text id)
{
        static const struct siphash_key same_for_ever = {{0, 0}};
        uint64_t hash = siphash(&same_for_ever, id.bytes, id.length);

        return hash > 0 ? hash : 1;
}
