#include "cli/client.h"

#include "data/json-writer.h"
#include "data/json.h"
#include "loop/loop.h"
#include "loop/timer.h"
#include "net/connect.h"
#include "net/stream.h"
#include "proto/line.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum {
        REQUEST_MAX = 16 << 20,        /* bytes of a line that an agent reads */
        REPLY_MAX = (16 << 20) + 4096, /* and of one that it writes */
        MEMORY_MAX = 4 * REPLY_MAX,
};

struct client {
        struct client_target target;
        char name[CLIENT_TARGET_TEXT_MAX];
        struct loop *loop;
        struct net_context *context;
        struct net_tls *tls;
        struct net_stream *stream; /* NULL once it is gone */
        struct loop_timer timer;
        struct line_framer framer;
        cJSON *reply; /* the one that is waited for */
        bool answered;
        int failure; /* why there will be no reply */
        struct error tls_error;
        struct error parse_error;
};

const char *client_target_text(const struct client_target *target,
                               char text[CLIENT_TARGET_TEXT_MAX])
{
        bool brackets = !target->socket && strchr(target->host, ':');

        if (target->socket)
                snprintf(text, CLIENT_TARGET_TEXT_MAX, "%s", target->socket);
        else
                snprintf(text, CLIENT_TARGET_TEXT_MAX, "%s%.250s%s:%u", brackets ? "[" : "",
                         target->host, brackets ? "]" : "", (unsigned)target->port);
        return text;
}

static void stop(struct client *client, int failure)
{
        if (client->failure == 0)
                client->failure = failure;
        loop_stop(client->loop, 0);
}

static void take_line(struct client *client, const struct line *line)
{
        int r;

        if (line_is_blank(line) || client->answered)
                return; /* nothing was asked that this could answer */
        r = json_parse(line->text, line->length, JSON_DEPTH_MAX, &client->reply,
                       &client->parse_error);
        if (r == 0 && !cJSON_IsObject(client->reply))
                r = error_set(&client->parse_error, -EBADMSG, "not an object");
        if (r < 0) {
                stop(client, r == -ENOMEM ? r : -EBADMSG);
                return;
        }
        client->answered = true;
        stop(client, 0);
}

static size_t on_bytes(void *owner, const char *bytes, size_t count)
{
        struct client *client = owner;
        size_t used = 0;

        for (;;) {
                struct line line;
                int r = line_next(&client->framer, bytes + used, count - used, REPLY_MAX, &line);

                if (r < 0)
                        stop(client, r);
                if (r != LINE_FOUND)
                        return used;
                used += line.consumed;
                take_line(client, &line);
        }
}

static void on_end(void *owner)
{
        struct client *client = owner;

        stop(client, -ECONNRESET);
}

static void on_closed(void *owner, int reason)
{
        struct client *client = owner;

        if (reason == -EPROTO)
                error_set(&client->tls_error, reason, "%s", net_stream_failure(client->stream));
        client->stream = NULL;
        stop(client, reason < 0 ? reason : -ECONNRESET);
}

static void on_timeout(struct loop_timer *timer)
{
        struct client *client = container_of(timer, struct client, timer);

        stop(client, -ETIMEDOUT);
}

static int describe(const struct client *client, struct error *error)
{
        const char *name = client->name;

        switch (client->failure) {
        case -ETIMEDOUT:
                return error_set(error, -ETIMEDOUT,
                                 "%s took the connection but gave no answer within %g s. If the "
                                 "command takes longer, raise --timeout%s",
                                 name, client->target.timeout_ms / 1000.0,
                                 client->target.tls ? "" : "; if it is a TLS port, add --tls");
        case -ECONNRESET:
        case -EPIPE:
                return error_set(error, client->failure,
                                 "%s closed the connection without an answer. Its log says why: "
                                 "journalctl -u pifleet-agent%s",
                                 name,
                                 client->target.tls ? "" : " (if it is a TLS port, add --tls)");
        case -EPROTO:
                return error_set(error, -EPROTO,
                                 "no TLS connection to %s: %s (--ca FILE names who to trust, "
                                 "--insecure trusts anybody, --cert and --key are what you show)",
                                 name, client->tls_error.text);
        case -EBADMSG:
                return error_set(error, -EBADMSG,
                                 "what answers at %s is not an agent: its reply is not JSON (%s)",
                                 name, client->parse_error.text);
        case -EMSGSIZE:
        case -ENOBUFS:
                return error_set(error, client->failure,
                                 "request or reply of %s is larger than %d MiB", name,
                                 REQUEST_MAX >> 20);
        default:
                return error_set(error, client->failure, "the connection to %s failed: %s", name,
                                 strerror(-client->failure));
        }
}

static int exchange(struct client *client, const cJSON *request, cJSON **ret, struct error *error)
{
        struct json_writer writer;
        struct buffer line;
        int r;

        buffer_init(&line, REQUEST_MAX);
        json_writer_init(&writer, &line);
        json_write_tree(&writer, NULL, request);
        r = json_writer_error(&writer);
        if (r == 0)
                r = buffer_append(&line, "\n", 1);
        client->answered = false;
        if (r == 0 && client->stream)
                net_stream_write(client->stream, buffer_data(&line), buffer_length(&line));
        else if (r < 0)
                client->failure = r;
        /* It may hold a token. */
        if (buffer_length(&line) > 0)
                explicit_bzero(buffer_data(&line), buffer_length(&line));
        buffer_done(&line);

        if (client->failure == 0) {
                loop_timer_start(&client->timer, client->target.timeout_ms);
                loop_run(client->loop);
                loop_timer_stop(&client->timer);
        }
        if (!client->answered) {
                if (client->failure == 0)
                        client->failure = -ECONNRESET;
                return describe(client, error);
        }
        *ret = TAKE(client->reply);
        return 0;
}

int client_request(struct client *client, const cJSON *request, cJSON **ret, struct error *error)
{
        return exchange(client, request, ret, error);
}

bool client_reply_is_good(const cJSON *reply)
{
        bool success = false;

        return json_get_bool(reply, "success", &success) && success;
}

static int authenticate(struct client *client, struct error *error)
{
        AUTO_JSON cJSON *request = cJSON_CreateObject();
        AUTO_JSON cJSON *reply = NULL;
        const char *sentence;
        int r;

        if (!cJSON_AddStringToObject(request, "command", "auth") ||
            !cJSON_AddStringToObject(request, "token", client->target.token))
                return error_set(error, -ENOMEM, "out of memory");
        r = exchange(client, request, &reply, error);
        if (r < 0)
                return r;
        if (client_reply_is_good(reply))
                return 0;
        sentence = json_get_string(reply, "error");
        error_set(error, -EACCES, "the token is not accepted: %s",
                  sentence ? sentence : "the agent does not say why");
        return CLIENT_REFUSED;
}

static int connect_to(const struct client_target *target, int *ret, struct error *error)
{
        if (target->socket)
                return net_connect_local(target->socket, ret, error);
        return net_connect(target->host, target->port, target->timeout_ms, ret, error);
}

static int add_next_step(const struct client_target *target, int reason, struct error *error)
{
        struct error first = *error;

        if (reason != -ECONNREFUSED && !(target->socket && reason == -ENOENT))
                return reason;
        return error_set(error, reason,
                         "%s  (systemctl status pifleet-agent, or from a checkout: ./dev run)",
                         first.text);
}

static int open_stream(struct client *client, struct error *error)
{
        static const struct net_stream_limits limits = {
                .input = REPLY_MAX,
                .output = REQUEST_MAX + 4096,
                .output_high = REQUEST_MAX,
        };
        static const struct net_stream_calls calls = {
                .on_bytes = on_bytes,
                .on_end = on_end,
                .on_closed = on_closed,
        };
        const struct net_stream_owner owner = {.owner = client, .calls = &calls};
        const struct client_target *target = &client->target;
        const struct net_tls_options tls = {
                .certificate = target->certificate_path,
                .key = target->key_path,
                .peers = target->insecure ? NET_TLS_PEERS_NONE : NET_TLS_PEERS_REQUIRED,
                .authorities = target->authority_path,
        };
        AUTO_CLOSE int fd = -1;
        int r;

        if (target->tls) {
                r = net_tls_new(NET_TLS_CLIENT, &tls, &client->tls, error);
                if (r < 0)
                        return r;
        }
        r = connect_to(target, &fd, error);
        if (r < 0)
                return add_next_step(target, r, error);
        r = fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
        if (r == 0)
                r = net_stream_new_client(client->context, fd, client->tls,
                                          target->insecure ? NULL : target->host, &limits, &owner,
                                          &client->stream);
        if (r < 0)
                return error_set(error, r, "the connection to %s failed: %s", client->name,
                                 strerror(-r));
        fd = -1;
        return 0;
}

int client_open(const struct client_target *target, struct client **ret, struct error *error)
{
        AUTO(client) struct client *client = calloc(1, sizeof(*client));
        int r;

        if (!client)
                return error_set(error, -ENOMEM, "out of memory");
        client->target = *target;
        client_target_text(target, client->name);
        r = loop_new(&client->loop);
        if (r == 0)
                r = net_context_new(client->loop, MEMORY_MAX, &client->context);
        if (r < 0)
                return error_set(error, r, "cannot start: %s", strerror(-r));
        loop_timer_init(&client->timer, client->loop, on_timeout);
        r = open_stream(client, error);
        if (r < 0)
                return r;
        if (target->token) {
                r = authenticate(client, error);
                if (r != 0)
                        return r;
        }
        *ret = TAKE(client);
        return 0;
}

struct client *client_free(struct client *client)
{
        if (!client)
                return NULL;
        if (client->stream) {
                net_stream_close(client->stream);
                /* on_closed comes at the end of a round. */
                loop_run_once(client->loop, 0);
        }
        net_context_free(client->context);
        loop_free(client->loop);
        net_tls_free(client->tls);
        cJSON_Delete(client->reply);
        free(client);
        return NULL;
}
