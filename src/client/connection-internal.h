/* client/connection-internal.h - what the files of a connection share: opening it, waiting
 * on it, and talking over it. */
#pragma once

#include "base/list.h"
#include "client/connection.h"

#include <mosquitto.h>

enum { CLIENT_NAME_MAX = 300, CLIENT_WORDS_MAX = 300 };

/* What an exchange waits for, and what came. */
struct client_answer {
        int id; /* packet identifier */
        bool there;
        uint8_t reasons[CLIENT_FILTERS_MAX];
        size_t count;
        char words[CLIENT_WORDS_MAX]; /* the broker's */
};

struct client_waiting {
        struct list link;
        struct client_message *message;
};

struct client_connection {
        struct mosquitto *mosquitto;
        char name[CLIENT_NAME_MAX];
        char id[CLIENT_ID_MAX + 1];
        struct pollfd watches[CLIENT_WATCHES_MAX];
        size_t watch_count;
        bool established; /* by TCP; CONNACK follows */

        struct client_answer greeting, publish, subscribe;
        struct list waiting; /* messages that nobody has received yet */
        size_t waiting_bytes;

        int end; /* 0: it stands; -errno, or the reason of the broker's DISCONNECT */
        struct error end_error;
};

/* Has libmosquitto tell us what happens. */
void client_connection_listen(struct client_connection *connection);

/* Sets the end, unless there is one, and its sentence. */
void client_connection_end_with(struct client_connection *connection, int result, int number);
/* The end, with its sentence in *error. */
int client_connection_ended(const struct client_connection *connection, struct error *error);

/* The time after `timeout_ms`, for the waits below. */
uint64_t client_connection_deadline(int timeout_ms);
/* One wait, and the work it led to. 0; -ETIMEDOUT; -EINTR. The connection may have ended. */
int client_connection_turn(struct client_connection *connection, uint64_t deadline_ns);
/* Until `answer` is there: 0, -ETIMEDOUT ("NAME `what` in time"), -EINTR, or the end. */
int client_connection_await(struct client_connection *connection,
                            const struct client_answer *answer, const char *what,
                            uint64_t deadline_ns, struct error *error);
