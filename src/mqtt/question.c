#include "mqtt/question.h"

#include "base/attributes.h"
#include "mqtt/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int mqtt_question_new(uint64_t ticket, const char assigned[MQTT_ASSIGNED_ID_SIZE],
                      struct mqtt_question **ret)
{
        struct mqtt_question *question = calloc(1, sizeof(*question));

        if (!question)
                return -ENOMEM;
        question->answer.ticket = ticket;
        memcpy(question->assigned, assigned, MQTT_ASSIGNED_ID_SIZE);
        *ret = question;
        return 0;
}

struct mqtt_question *mqtt_question_free(struct mqtt_question *question)
{
        free(question);
        return NULL;
}

/* Those that connect are few, and answers rare. */
static struct mqtt_client *find(const struct mqtt_broker *broker, uint64_t ticket)
{
        list_for_each (&broker->connecting, position) {
                struct mqtt_client *client = container_of(position, struct mqtt_client, link);

                if (mqtt_question_is_open(client->question) &&
                    client->question->answer.ticket == ticket)
                        return client;
        }
        return NULL;
}

int mqtt_broker_admit(struct mqtt_broker *broker, uint64_t ticket,
                      const struct mqtt_admission *answer)
{
        struct mqtt_client *client = find(broker, ticket);

        if (!client)
                return -ENOENT;
        client->question->answer = *answer;
        client->question->answered = true;
        /* From here on it is ours to forget, also when the client goes before its turn. */
        if (answer->reason < MQTT_UNSPECIFIED_ERROR)
                client->identity = answer->identity;
        net_stream_resume(client->stream);
        return 0;
}
