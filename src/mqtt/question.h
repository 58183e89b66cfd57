/* mqtt/question.h - what on_connect has put off: who is it that connects?
 *
 * While it is open the CONNECT waits, unread, in its stream, and the client is one of those
 * that connect, with their bounds. Inside of mqtt/ only. */
#pragma once

#include "mqtt/client-id.h"
#include "mqtt/hooks.h"

struct mqtt_question {
        bool answered;
        bool opened;       /* its session is there, and waits for the disk until it is answered */
        uint64_t sequence; /* of the journal: for which it waits */
        bool session_present;
        struct mqtt_admission answer;         /* its ticket from the beginning */
        char assigned[MQTT_ASSIGNED_ID_SIZE]; /* the client id we gave; "": it has its own */
};

/* -ENOMEM. */
int mqtt_question_new(uint64_t ticket, const char assigned[MQTT_ASSIGNED_ID_SIZE],
                      struct mqtt_question **ret);
struct mqtt_question *mqtt_question_free(struct mqtt_question *question); /* NULL is fine */

static inline bool mqtt_question_is_open(const struct mqtt_question *question)
{
        return question && !question->answered;
}
