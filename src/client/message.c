#include "client/message.h"

#include <stdlib.h>
#include <string.h>

static size_t size_of_text(const char *text)
{
        return text ? strlen(text) : 0;
}

size_t client_message_size(const struct client_message *message)
{
        size_t size = sizeof(*message) + message->payload_length + message->correlation_length +
                      size_of_text(message->topic) + size_of_text(message->content_type) +
                      size_of_text(message->response_topic);

        for (size_t i = 0; i < message->pair_count; i++)
                size += sizeof(message->pairs[i]) + size_of_text(message->pairs[i].name) +
                        size_of_text(message->pairs[i].value);
        return size;
}

struct client_message *client_message_free(struct client_message *message)
{
        if (!message)
                return NULL;
        for (size_t i = 0; i < message->pair_count; i++) {
                free((void *)message->pairs[i].name);
                free((void *)message->pairs[i].value);
        }
        free((void *)message->pairs);
        free((void *)message->topic);
        free((void *)message->payload);
        free((void *)message->content_type);
        free((void *)message->response_topic);
        free((void *)message->correlation);
        free(message);
        return NULL;
}
