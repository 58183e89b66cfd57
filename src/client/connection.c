#include "client/connection-internal.h"

#include "base/attributes.h"
#include "base/clock.h"
#include "client/failure.h"
#include "client/property.h"

#include <errno.h>
#include <mqtt_protocol.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum {
        UPKEEP_MS = 5000, /* how often keep-alive is looked after; its smallest is 5 s */
        GOODBYE_MS = 1000,
};

const char *client_connection_name(const struct client_connection *connection)
{
        return connection->name;
}

const char *client_connection_id(const struct client_connection *connection)
{
        return connection->id;
}

const char *client_reason_text(uint8_t reason)
{
        return mosquitto_reason_string(reason);
}

void client_connection_watch(struct client_connection *connection, const struct pollfd watches[],
                             size_t count)
{
        memcpy(connection->watches, watches, count * sizeof(watches[0]));
        connection->watch_count = count;
}

/* The first end is the reason of all that follow. */
void client_connection_end_with(struct client_connection *connection, int result, int number)
{
        if (connection->end == 0)
                connection->end =
                        client_failure(result, number, connection->name, &connection->end_error);
}

int client_connection_ended(const struct client_connection *connection, struct error *error)
{
        if (connection->end != 0 && error)
                *error = connection->end_error;
        return connection->end;
}

static void answer_with(struct client_answer *answer, uint8_t reason,
                        const mosquitto_property *properties)
{
        char *words = NULL;

        (void)mosquitto_property_read_string(properties, MQTT_PROP_REASON_STRING, &words, false);
        snprintf(answer->words, sizeof(answer->words), "%s", words ? words : "");
        free(words);
        answer->reasons[0] = reason;
        answer->count = 1;
        answer->there = true;
}

static void on_connect(struct mosquitto *mosquitto, void *owner, int reason, int flags,
                       const mosquitto_property *properties)
{
        struct client_connection *connection = owner;

        answer_with(&connection->greeting, (uint8_t)reason, properties);
}

static void on_publish(struct mosquitto *mosquitto, void *owner, int id, int reason,
                       const mosquitto_property *properties)
{
        struct client_connection *connection = owner;

        if (id == connection->publish.id)
                answer_with(&connection->publish, (uint8_t)reason, properties);
}

static void on_subscribe(struct mosquitto *mosquitto, void *owner, int id, int count,
                         const int *granted, const mosquitto_property *properties)
{
        struct client_connection *connection = owner;
        struct client_answer *answer = &connection->subscribe;

        if (id != answer->id)
                return;
        answer_with(answer, 0, properties);
        for (answer->count = 0; answer->count < (size_t)count && answer->count < CLIENT_FILTERS_MAX;
             answer->count++)
                answer->reasons[answer->count] = (uint8_t)granted[answer->count];
}

static void on_disconnect(struct mosquitto *mosquitto, void *owner, int result,
                          const mosquitto_property *properties)
{
        struct client_connection *connection = owner;
        struct client_answer answer = {.there = false};

        /* libmosquitto's own results end below the reason codes. */
        if (result < CLIENT_REASON_REFUSED) {
                client_connection_end_with(connection,
                                           result == MOSQ_ERR_SUCCESS ? MOSQ_ERR_CONN_LOST : result,
                                           errno);
                return;
        }
        if (connection->end != 0)
                return;
        answer_with(&answer, (uint8_t)result, properties);
        connection->end = client_failure_reason((uint8_t)result, "the broker ended the connection",
                                                answer.words, &connection->end_error);
}

static void on_message(struct mosquitto *mosquitto, void *owner,
                       const struct mosquitto_message *from, const mosquitto_property *properties)
{
        struct client_connection *connection = owner;
        AUTO(client_message) struct client_message *message = NULL;
        struct client_waiting *waiting;

        if (connection->end != 0)
                return;
        if (connection->waiting_bytes >= CLIENT_WAITING_BYTES_MAX) {
                connection->end =
                        error_set(&connection->end_error, -ENOBUFS,
                                  "%s sends messages faster than they are taken", connection->name);
                return;
        }
        waiting = calloc(1, sizeof(*waiting));
        if (!waiting || client_property_receive(from, properties, &message) < 0) {
                free(waiting);
                client_connection_end_with(connection, MOSQ_ERR_NOMEM, 0);
                return;
        }
        connection->waiting_bytes += sizeof(*waiting) + client_message_size(message);
        waiting->message = TAKE(message);
        list_append(&connection->waiting, &waiting->link);
}

void client_connection_listen(struct client_connection *connection)
{
        struct mosquitto *mosquitto = connection->mosquitto;

        mosquitto_connect_v5_callback_set(mosquitto, on_connect);
        mosquitto_disconnect_v5_callback_set(mosquitto, on_disconnect);
        mosquitto_publish_v5_callback_set(mosquitto, on_publish);
        mosquitto_subscribe_v5_callback_set(mosquitto, on_subscribe);
        mosquitto_message_v5_callback_set(mosquitto, on_message);
}

uint64_t client_connection_deadline(int timeout_ms)
{
        return timeout_ms < 0 ? UINT64_MAX : clock_monotonic_ns() + (uint64_t)timeout_ms * 1000000;
}

/* At most UPKEEP_MS; 0: the time is up. */
static int milliseconds_left(uint64_t deadline_ns)
{
        uint64_t now = clock_monotonic_ns();
        uint64_t left = deadline_ns > now ? (deadline_ns - now - 1) / 1000000 + 1 : 0;

        return left < UPKEEP_MS ? (int)left : UPKEEP_MS;
}

/* TCP says how its connecting ended only to who asks (connect(2), EINPROGRESS). */
static void finish_connecting(struct client_connection *connection, int fd)
{
        socklen_t length = sizeof(int);
        int number = 0;

        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &length) < 0)
                number = errno;
        connection->established = number == 0;
        if (number != 0)
                client_connection_end_with(connection, MOSQ_ERR_ERRNO, number);
}

static void work(struct client_connection *connection, int fd, short events)
{
        int result = MOSQ_ERR_SUCCESS;

        if (!connection->established && events)
                finish_connecting(connection, fd);
        if (connection->end == 0 && (events & POLLOUT)) {
                result = mosquitto_loop_write(connection->mosquitto, 1);
                if (result != MOSQ_ERR_SUCCESS)
                        client_connection_end_with(connection, result, errno);
        }
        if (connection->end == 0 && (events & (POLLIN | POLLERR | POLLHUP))) {
                result = mosquitto_loop_read(connection->mosquitto, 1);
                if (result != MOSQ_ERR_SUCCESS)
                        client_connection_end_with(connection, result, errno);
        }
        if (connection->end == 0) {
                result = mosquitto_loop_misc(connection->mosquitto);
                if (result != MOSQ_ERR_SUCCESS)
                        client_connection_end_with(connection, result, errno);
        }
}

int client_connection_turn(struct client_connection *connection, uint64_t deadline_ns)
{
        struct pollfd all[1 + CLIENT_WATCHES_MAX] = {
                {.fd = mosquitto_socket(connection->mosquitto)}};
        int wait_ms = milliseconds_left(deadline_ns), n;

        if (all[0].fd < 0) {
                client_connection_end_with(connection, MOSQ_ERR_NO_CONN, 0);
                return 0;
        }
        all[0].events = POLLIN;
        if (!connection->established || mosquitto_want_write(connection->mosquitto))
                all[0].events |= POLLOUT;
        memcpy(all + 1, connection->watches, connection->watch_count * sizeof(all[0]));
        n = poll(all, 1 + (nfds_t)connection->watch_count, wait_ms);
        if (n < 0 && errno != EINTR) {
                client_connection_end_with(connection, MOSQ_ERR_ERRNO, errno);
                return 0;
        }
        for (size_t i = 0; n > 0 && i < connection->watch_count; i++)
                if (all[1 + i].revents)
                        return -EINTR;
        work(connection, all[0].fd, n > 0 ? all[0].revents : 0);
        return n == 0 && milliseconds_left(deadline_ns) == 0 ? -ETIMEDOUT : 0;
}

int client_connection_await(struct client_connection *connection,
                            const struct client_answer *answer, const char *what,
                            uint64_t deadline_ns, struct error *error)
{
        while (!answer->there) {
                int r;

                if (connection->end != 0)
                        return client_connection_ended(connection, error);
                r = client_connection_turn(connection, deadline_ns);
                if (r == -ETIMEDOUT)
                        return error_set(error, r, "%s %s in time", connection->name, what);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* What is still to be written is, within GOODBYE_MS. */
static void say_goodbye(struct client_connection *connection)
{
        uint64_t deadline_ns = client_connection_deadline(GOODBYE_MS);

        connection->watch_count = 0;
        if (mosquitto_disconnect_v5(connection->mosquitto, MQTT_RC_NORMAL_DISCONNECTION, NULL) !=
            MOSQ_ERR_SUCCESS)
                return;
        while (connection->end == 0 && mosquitto_want_write(connection->mosquitto))
                if (client_connection_turn(connection, deadline_ns) < 0)
                        return;
}

struct client_connection *client_connection_free(struct client_connection *connection)
{
        struct list *item;

        if (!connection)
                return NULL;
        if (connection->mosquitto && connection->end == 0 && connection->established)
                say_goodbye(connection);
        mosquitto_destroy(connection->mosquitto);
        mosquitto_lib_cleanup();
        while ((item = list_take_first(&connection->waiting))) {
                struct client_waiting *waiting = container_of(item, struct client_waiting, link);

                client_message_free(waiting->message);
                free(waiting);
        }
        free(connection);
        return NULL;
}
