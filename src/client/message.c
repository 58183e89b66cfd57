#include "client/message.h"

#include <stdlib.h>

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
