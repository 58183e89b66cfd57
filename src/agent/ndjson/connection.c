#include "agent/ndjson/connection.h"

#include "agent/ndjson/outbox.h"
#include "data/json.h"
#include "loop/timer.h"
#include "proto/line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_END_MAX = 2 }; /* "\r\n" */

struct ndjson_connection {
        struct list link;
        struct ndjson_shared *shared;
        struct command_transport *transport;
        struct net_stream *stream;
        struct command_session session;
        struct ndjson_outbox outbox;
        struct line_framer framer;
        struct loop_timer idle;
        uint64_t line_since_ms; /* when the unfinished line began; 0: there is none */
        size_t line_bytes;      /* of it so far */
        bool ended;             /* no more requests come: half-closed, stopped or refused */
        char origin[];
};

static size_t line_limit(const struct ndjson_connection *connection)
{
        size_t limit = (size_t)connection->shared->config->max_line;

        if (connection->session.principal.role == COMMAND_ROLE_NONE &&
            limit > NDJSON_LINE_BEFORE_AUTH)
                limit = NDJSON_LINE_BEFORE_AUTH;
        return limit;
}

static struct loop *connection_loop(const struct ndjson_connection *connection)
{
        return command_registry_loop(connection->shared->setup.registry);
}

static void finish_when_answered(struct ndjson_connection *connection)
{
        if (connection->ended && connection->outbox.pending == 0)
                net_stream_finish_patiently(connection->stream);
}

/* Closes now; what else stands in the bytes at hand is not looked at. */
static void connection_break(struct ndjson_connection *connection)
{
        connection->ended = true;
        net_stream_close(connection->stream);
}

static void recycle_slot(struct ndjson_connection *connection, struct ndjson_slot *slot)
{
        if (connection->shared->spare_slot)
                free(slot);
        else
                connection->shared->spare_slot = slot;
}

static bool must_pause(const struct ndjson_connection *connection)
{
        return connection->outbox.pending >= NDJSON_PENDING_MAX ||
               connection->session.authenticating > 0 ||
               net_stream_is_congested(connection->stream);
}

static void resume_if_possible(struct ndjson_connection *connection)
{
        if (!connection->ended && net_stream_is_paused(connection->stream) &&
            connection->outbox.pending < NDJSON_PENDING_MAX / 2 &&
            connection->session.authenticating == 0 && !net_stream_is_congested(connection->stream))
                net_stream_resume(connection->stream);
}

static void connection_on_reply(void *owner, const char *json, size_t length, bool success)
{
        struct ndjson_slot *slot = owner;
        struct ndjson_connection *connection =
                container_of(slot->outbox, struct ndjson_connection, outbox);
        uint64_t bytes = connection->outbox.bytes;
        int r;

        connection->transport->requests++;
        if (!success)
                connection->transport->errors++;
        r = ndjson_slot_answer(slot, json, length > 0 ? length + 1 : 0);
        connection->transport->bytes_out += connection->outbox.bytes - bytes;
        if (r != 0)
                recycle_slot(connection, slot);
        if (r < 0) {
                connection_break(connection);
                return;
        }
        net_stream_set_input_limit(connection->stream, line_limit(connection) + LINE_END_MAX);
        resume_if_possible(connection);
        finish_when_answered(connection);
}

static struct ndjson_slot *take_slot(struct ndjson_connection *connection, bool ordered)
{
        struct ndjson_slot *slot = TAKE(connection->shared->spare_slot);

        if (!slot)
                slot = malloc(sizeof(*slot));
        if (slot)
                ndjson_slot_open(slot, &connection->outbox, ordered);
        return slot;
}

static enum command_code code_of_fault(int fault)
{
        return fault == -ENOMEM ? COMMAND_BUSY : COMMAND_BAD_JSON;
}

static void connection_on_line(struct ndjson_connection *connection, const struct line *line)
{
        struct ndjson_shared *shared = connection->shared;
        struct command_call call = {
                .session = &connection->session,
                .received_ms = loop_now_ms(connection_loop(connection)),
                .on_reply = connection_on_reply,
        };
        struct command_request *pending = NULL;
        struct ndjson_slot *slot;
        struct error error;
        const cJSON *id;
        int r;

        r = json_parse(line->text, line->length, NDJSON_DEPTH_MAX, &call.object, &error);
        id = r == 0 ? json_get(call.object, "id") : NULL;
        slot = take_slot(connection, !id || cJSON_IsNull(id));
        if (!slot) {
                cJSON_Delete(call.object);
                connection_break(connection);
                return;
        }
        call.owner = slot;
        if (r < 0) {
                command_refuse(shared->setup.registry, &call, code_of_fault(r),
                               "cannot read this line as JSON: %s", error.text);
                return;
        }
        command_dispatch(shared->setup.registry, &call, &pending);
        if (pending)
                ndjson_slot_wait(slot, pending);
}

/* The one fault that ends a connection: where the next line begins is lost. */
static void connection_on_long_line(struct ndjson_connection *connection)
{
        struct command_call call = {
                .session = &connection->session,
                .on_reply = connection_on_reply,
                .owner = take_slot(connection, true),
        };
        bool authenticated = connection->session.principal.role != COMMAND_ROLE_NONE;

        connection->ended = true;
        net_stream_pause(connection->stream);
        if (!call.owner) {
                connection_break(connection);
                return;
        }
        command_refuse(connection->shared->setup.registry, &call, COMMAND_TOO_LARGE,
                       "a line may have %zu bytes%s; the connection closes", line_limit(connection),
                       authenticated ? "" : " before authentication");
}

/* What stands behind the last line that was taken. While we pause the peer, the
 * time it takes is ours. */
static void note_unfinished_line(struct ndjson_connection *connection, size_t bytes, bool is_new)
{
        connection->line_bytes = bytes;
        if (bytes == 0 || net_stream_is_paused(connection->stream))
                connection->line_since_ms = 0;
        else if (is_new || connection->line_since_ms == 0)
                connection->line_since_ms = loop_now_ms(connection_loop(connection));
}

static size_t connection_on_bytes(void *owner, const char *bytes, size_t count)
{
        struct ndjson_connection *connection = owner;
        size_t consumed = 0;
        struct line line;
        int r = LINE_NEED_MORE;

        for (unsigned lines = 0; !connection->ended; lines++) {
                if (must_pause(connection)) {
                        net_stream_pause(connection->stream);
                        break;
                }
                if (lines == NDJSON_LINES_PER_ROUND) {
                        net_stream_again(connection->stream);
                        break;
                }
                r = line_next(&connection->framer, bytes + consumed, count - consumed,
                              line_limit(connection), &line);
                if (r != LINE_FOUND)
                        break;
                consumed += line.consumed;
                if (!line_is_blank(&line))
                        connection_on_line(connection, &line);
        }
        connection->transport->bytes_in += consumed;
        if (r < 0) {
                connection_on_long_line(connection);
                return count;
        }
        note_unfinished_line(connection, count - consumed, consumed > 0);
        return consumed;
}

/* The peer sends no more. A last line without its newline counts: what stands
 * there is JSON or is refused as such. */
static void connection_on_end(void *owner)
{
        struct ndjson_connection *connection = owner;
        struct line line = {0};

        line.text = net_stream_tail(connection->stream, &line.length);
        connection->transport->bytes_in += line.length;
        if (!connection->ended && line.length > 0 && line.length <= line_limit(connection) &&
            !line_is_blank(&line))
                connection_on_line(connection, &line);
        connection->ended = true;
        finish_when_answered(connection);
}

static void connection_on_drained(void *owner)
{
        resume_if_possible(owner);
}

static void connection_on_closed(void *owner, int reason)
{
        struct ndjson_connection *connection = owner;
        struct ndjson_shared *shared = connection->shared;

        if (reason == -ENOBUFS || reason == -ENOMEM)
                log_warning(shared->setup.log, connection->transport->name,
                            "closed for want of memory peer=%s", connection->origin);
        else
                log_debug(shared->setup.log, connection->transport->name,
                          "closed peer=%s reason=%s", connection->origin,
                          reason ? strerror(-reason) : "done");
        loop_timer_stop(&connection->idle);
        ndjson_outbox_done(&connection->outbox);
        connection->transport->connections--;
        list_remove(&connection->link);
        free(connection);
        shared->on_gone(shared);
}

/* An unfinished line that is too slow: a peer cannot hold a connection open by
 * sending a byte now and then. */
static bool line_is_too_slow(const struct ndjson_connection *connection, uint64_t now_ms,
                             uint64_t timeout_ms)
{
        uint64_t allowed_ms = timeout_ms + connection->line_bytes * 1000 / NDJSON_LINE_RATE;

        return connection->line_since_ms != 0 && now_ms - connection->line_since_ms >= allowed_ms;
}

/* Looks only now and then whether anything moved, so that a busy connection
 * does not touch its timer with each request. */
static void connection_on_idle(struct loop_timer *timer)
{
        struct ndjson_connection *connection = container_of(timer, struct ndjson_connection, idle);
        uint64_t timeout_ms = (uint64_t)(connection->shared->config->idle_timeout * 1000);
        uint64_t now_ms = loop_now_ms(timer->loop);
        uint64_t idle_ms = now_ms - net_stream_active_ms(connection->stream);
        bool waits_for_us =
                connection->outbox.pending > 0 && net_stream_pending(connection->stream) == 0;

        if (line_is_too_slow(connection, now_ms, timeout_ms) ||
            (idle_ms >= timeout_ms && !waits_for_us)) {
                connection_break(connection);
                return;
        }
        loop_timer_start(timer, idle_ms < timeout_ms ? timeout_ms - idle_ms : timeout_ms);
}

static const struct net_stream_calls calls = {
        .on_bytes = connection_on_bytes,
        .on_end = connection_on_end,
        .on_drained = connection_on_drained,
        .on_closed = connection_on_closed,
};

int ndjson_connection_new(struct ndjson_shared *shared, struct command_transport *transport, int fd,
                          struct net_tls *tls, const struct net_address *peer)
{
        const struct ndjson_setup *setup = &shared->setup;
        struct net_stream_limits limits = {.output = NDJSON_OUTPUT_MAX,
                                           .output_high = NDJSON_OUTPUT_HIGH};
        struct net_stream_owner owner = {.calls = &calls};
        struct ndjson_connection *connection;
        char origin[NET_ADDRESS_TEXT_MAX];
        int r;

        net_address_text(peer, origin);
        connection = calloc(1, sizeof(*connection) + strlen(origin) + 1);
        if (!connection) {
                close(fd);
                return -ENOMEM;
        }
        strcpy(connection->origin, origin);
        connection->shared = shared;
        connection->transport = transport;
        connection->session = (struct command_session){
                .id = command_registry_new_session_id(setup->registry),
                .transport = transport->name,
                .origin = connection->origin,
                .origin_key = net_address_origin(peer),
        };
        setup->admit(setup->admit_owner, fd, peer, &connection->session.principal);
        limits.input = line_limit(connection) + LINE_END_MAX;
        owner.owner = connection;
        r = net_stream_new(setup->net, fd, tls, peer, &limits, &owner, &connection->stream);
        if (r < 0) {
                close(fd);
                free(connection);
                return r;
        }
        ndjson_outbox_init(&connection->outbox, connection->stream, net_context_budget(setup->net));
        loop_timer_init(&connection->idle, command_registry_loop(setup->registry),
                        connection_on_idle);
        loop_timer_start(&connection->idle, (uint64_t)(shared->config->idle_timeout * 1000));
        list_append(&shared->connections, &connection->link);
        transport->connections++;
        transport->connections_total++;
        return 0;
}

struct ndjson_connection *ndjson_connection_from_link(struct list *link)
{
        return container_of(link, struct ndjson_connection, link);
}

void ndjson_connection_stop(struct ndjson_connection *connection)
{
        if (connection->ended)
                return;
        connection->ended = true;
        net_stream_pause(connection->stream);
        finish_when_answered(connection);
}

void ndjson_connection_close(struct ndjson_connection *connection)
{
        net_stream_close(connection->stream);
}
