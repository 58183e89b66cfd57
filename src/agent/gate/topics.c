#include "agent/gate/topics.h"

#include "proto/mqtt/topic.h"

#include <stdio.h>
#include <string.h>

static const char request_tail[] = "/rpc/request", response_tail[] = "/rpc/response/";

void gate_topics_init(struct gate_topics *topics, const char *base)
{
        topics->base_length = (uint16_t)strlen(base);
        topics->response_length =
                (uint16_t)snprintf(topics->base, sizeof(topics->base), "%s%s", base, response_tail);
}

static bool begins(struct mqtt_text text, const char *with, size_t length)
{
        return text.length >= length && memcmp(text.bytes, with, length) == 0;
}

static struct mqtt_text from(struct mqtt_text text, size_t at)
{
        return (struct mqtt_text){text.bytes + at, (uint16_t)(text.length - at)};
}

/* `tail` or something below it. */
static bool is_below(struct mqtt_text text, const char *tail, size_t length)
{
        return begins(text, tail, length) && (text.length == length || text.bytes[length] == '/');
}

enum gate_place gate_topics_place(const struct gate_topics *topics, struct mqtt_text name)
{
        struct mqtt_text rest;

        if (begins(name, "$", 1))
                return GATE_PLACE_SYSTEM;
        if (!is_below(name, topics->base, topics->base_length))
                return GATE_PLACE_OUTSIDE;
        rest = from(name, topics->base_length);
        if (is_below(rest, request_tail, sizeof(request_tail) - 1))
                return GATE_PLACE_REQUEST;
        if (is_below(rest, response_tail, sizeof(response_tail) - 2))
                return GATE_PLACE_RESPONSE;
        return GATE_PLACE_INSIDE;
}

bool gate_client_id_is_usable(struct mqtt_text client_id)
{
        for (uint16_t i = 0; i < client_id.length; i++) {
                if (memchr("/+#", client_id.bytes[i], 3))
                        return false;
        }
        return client_id.length > 0;
}

/* "pi/rpc/response/CLIENTID" or something below it. */
static bool is_own(const struct gate_topics *topics, struct mqtt_text client_id,
                   struct mqtt_text name)
{
        return begins(name, topics->base, topics->response_length) &&
               is_below(from(name, topics->response_length), client_id.bytes, client_id.length) &&
               gate_client_id_is_usable(client_id);
}

/* "pi/rpc/request" itself, or one level more. */
static bool is_request(const struct gate_topics *topics, struct mqtt_text name)
{
        size_t length = topics->base_length + sizeof(request_tail) - 1;
        struct mqtt_text rest = from(name, length);

        return rest.length == 0 ||
               (rest.length > 1 && !memchr(rest.bytes + 1, '/', rest.length - 1U));
}

bool gate_may_publish(const struct gate_topics *topics, enum command_role role,
                      struct mqtt_text name)
{
        switch (gate_topics_place(topics, name)) {
        case GATE_PLACE_OUTSIDE:
                return role >= COMMAND_ROLE_OPERATOR;
        case GATE_PLACE_REQUEST:
                return is_request(topics, name);
        default:
                return false;
        }
}

bool gate_may_receive(const struct gate_topics *topics, const struct gate_reader *reader,
                      struct mqtt_text name)
{
        switch (gate_topics_place(topics, name)) {
        case GATE_PLACE_REQUEST:
                return reader->role >= COMMAND_ROLE_ADMIN;
        case GATE_PLACE_RESPONSE:
                return is_own(topics, reader->client_id, name);
        default:
                return true;
        }
}

static struct mqtt_text without_share(struct mqtt_text filter)
{
        struct mqtt_text share, rest;

        return mqtt_topic_filter_split_shared(filter, &share, &rest) ? rest : filter;
}

bool gate_may_subscribe(const struct gate_topics *topics, const struct gate_reader *reader,
                        struct mqtt_text filter)
{
        return gate_may_receive(topics, reader, without_share(filter));
}

static bool is_text(struct mqtt_text text, const char *words)
{
        return text.length == strlen(words) && memcmp(text.bytes, words, text.length) == 0;
}

/* Is there a name, `request` or one level more, that the filter matches? */
static bool may_match(struct mqtt_text filter, struct mqtt_text request)
{
        struct mqtt_text level, wanted;
        uint32_t at = 0, wanted_at = 0;

        while (mqtt_topic_level_next(request, &wanted_at, &wanted)) {
                if (!mqtt_topic_level_next(filter, &at, &level))
                        return false;
                if (is_text(level, "#"))
                        return true;
                if (!is_text(level, "+") && (level.length != wanted.length ||
                                             memcmp(level.bytes, wanted.bytes, level.length) != 0))
                        return false;
        }
        return !mqtt_topic_level_next(filter, &at, &level) || is_text(level, "#") ||
               !mqtt_topic_level_next(filter, &at, &level) || is_text(level, "#");
}

bool gate_sees_requests(const struct gate_topics *topics, const struct gate_reader *reader,
                        struct mqtt_text filter)
{
        char request[GATE_TOPIC_MAX + sizeof(request_tail)];
        int length = snprintf(request, sizeof(request), "%.*s%s", (int)topics->base_length,
                              topics->base, request_tail);

        return reader->role >= COMMAND_ROLE_ADMIN &&
               may_match(without_share(filter), (struct mqtt_text){request, (uint16_t)length});
}

bool gate_may_answer_at(const struct gate_topics *topics, const struct gate_reader *reader,
                        struct mqtt_text name)
{
        if (!mqtt_topic_name_is_valid(name))
                return false;
        return gate_topics_place(topics, name) == GATE_PLACE_OUTSIDE
                       ? reader->role >= COMMAND_ROLE_OPERATOR
                       : is_own(topics, reader->client_id, name);
}
