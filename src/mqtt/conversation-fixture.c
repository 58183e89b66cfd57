#include "mqtt/conversation-fixture.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MEMORY = 64 * 1024 * 1024, QUIET_ROUNDS = 4 };

const struct mqtt_limits conversation_limits = {
        .clients = 10,
        .sessions = 12,
        .connecting = 5,
        .connect_ms = 5000,
        .connect_bytes = 2048,
        .client_id_bytes = 48,
        .subscriptions_per_session = 8,
        .subscriptions = 20,
        .retained_messages = 16,
        .retained_bytes = 4096,
        .cache_bytes = 4096,
        .packet_bytes = 4096,
        .receive_maximum = 8,
        .aliases = 4,
        .session_expiry_max_s = UINT32_MAX,
        .inflight = 4,
        .aliases_granted = 2,
        .output_bytes = 64 * 1024,
        .queue_messages = 5,
        .queue_bytes = 4096,
        .queued_bytes = 1024 * 1024,
        .stall_ms = 60000,
        .slice_bytes = 256,
        .turn_bytes = 16 * 1024,
};

void conversation_init(struct conversation *talk, const struct mqtt_limits *limits,
                       const struct mqtt_hooks *hooks)
{
        *talk = (struct conversation){.name = "conversation"};
        CHECK_EQ(loop_new_virtual(1000, &talk->loop), 0);
        CHECK_EQ(net_context_new(talk->loop, MEMORY, &talk->net), 0);
        CHECK_EQ(mqtt_broker_new(talk->loop, talk->net, limits ? limits : &conversation_limits,
                                 hooks, &talk->broker),
                 0);
        for (size_t i = 0; i < CONVERSATION_CLIENTS; i++) {
                talk->fds[i] = -1;
                buffer_init(&talk->heard[i], MEMORY);
        }
}

void conversation_done(struct conversation *talk)
{
        mqtt_broker_free(talk->broker);
        store_thread_free(talk->thread);
        CHECK_EQ(net_context_budget(talk->net)->used, 0);
        net_context_free(talk->net);
        loop_free(talk->loop);
        for (size_t i = 0; i < CONVERSATION_CLIENTS; i++) {
                if (talk->fds[i] >= 0)
                        close(talk->fds[i]);
                buffer_done(&talk->heard[i]);
        }
}

static uint8_t *put_text(const char **at, char end, bool with_length, uint8_t *out)
{
        uint8_t *start = out;

        out += with_length ? 2 : 0;
        for (; **at != end; (*at)++)
                *out++ = (uint8_t) * *at;
        (*at)++;
        if (with_length) {
                size_t length = (size_t)(out - start) - 2;

                start[0] = (uint8_t)(length >> 8);
                start[1] = (uint8_t)length;
        }
        return out;
}

static uint8_t digit(char c)
{
        return (uint8_t)(isdigit((unsigned char)c) ? c - '0'
                                                   : tolower((unsigned char)c) - 'a' + 10);
}

/* Up to `end`, or the end of the line. */
static uint8_t *put_bytes(const char **at, char end, uint8_t *out)
{
        while (**at != end && **at != '\n' && **at != '\0') {
                char c = *(*at)++;

                if (c == '[' || c == '\'') {
                        out = put_text(at, c == '[' ? ']' : '\'', c == '[', out);
                } else if (c == '{' || c == '(') {
                        uint8_t *content = out + 4, *stop;
                        size_t length;

                        stop = put_bytes(at, c == '{' ? '}' : ')', content);
                        (*at)++;
                        length = (size_t)(stop - content);
                        for (size_t left = length;; left >>= 7) {
                                *out++ = (uint8_t)((left & 0x7f) | (left > 127 ? 0x80 : 0));
                                if (left <= 127)
                                        break;
                        }
                        memmove(out, content, length);
                        out += length;
                } else if (isxdigit((unsigned char)c)) {
                        CHECK(isxdigit((unsigned char)**at));
                        *out++ = (uint8_t)(digit(c) << 4 | digit(*(*at)++));
                } else {
                        CHECK(c == ' ');
                }
        }
        return out;
}

uint8_t *conversation_bytes(const char *text, size_t *ret_count)
{
        uint8_t *bytes = malloc(strlen(text) * 4 + 8);

        CHECK(bytes != NULL);
        *ret_count = (size_t)(put_bytes(&text, '\0', bytes) - bytes);
        return bytes;
}

static void listen_all(struct conversation *talk)
{
        static char bytes[64 * 1024];

        for (size_t i = 0; i < CONVERSATION_CLIENTS; i++) {
                ssize_t n;

                while (talk->fds[i] >= 0 &&
                       (n = recv(talk->fds[i], bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
                        CHECK_EQ(buffer_append(&talk->heard[i], bytes, (size_t)n), 0);
        }
}

void conversation_settle(struct conversation *talk)
{
        for (unsigned i = 0; i < QUIET_ROUNDS; i++) {
                loop_run_once(talk->loop, 0);
                if (talk->on_settle)
                        talk->on_settle(talk);
                listen_all(talk);
        }
}

void conversation_dial(struct conversation *talk, size_t client)
{
        struct net_address peer = {.length = sizeof(sa_family_t)};
        int fds[2];

        peer.any.sa_family = AF_UNIX;
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        talk->fds[client] = fds[1];
        buffer_truncate(&talk->heard[client], 0);
        if (mqtt_broker_attach(talk->broker, fds[0], NULL, talk->peer ? talk->peer : &peer,
                               talk->terms) < 0)
                close(fds[0]);
}

static void say(struct conversation *talk, size_t client, const char *text)
{
        size_t count;
        uint8_t *bytes = conversation_bytes(text, &count);

        if (talk->fds[client] < 0)
                conversation_dial(talk, client);
        CHECK_EQ(send(talk->fds[client], bytes, count, MSG_NOSIGNAL), count);
        free(bytes);
        conversation_settle(talk);
}

static void print_bytes(const char *what, const void *bytes, size_t count)
{
        fprintf(stderr, "# %s:", what);
        for (size_t i = 0; i < count && i < 256; i++)
                fprintf(stderr, " %02x", ((const uint8_t *)bytes)[i]);
        fprintf(stderr, "\n");
}

static void hear(struct conversation *talk, size_t client, const char *text, const char *line)
{
        struct buffer *heard = &talk->heard[client];
        size_t count;
        uint8_t *bytes = conversation_bytes(text, &count);

        if (buffer_length(heard) < count || memcmp(buffer_data(heard), bytes, count) != 0) {
                print_bytes("expected", bytes, count);
                print_bytes("heard", buffer_data(heard), buffer_length(heard));
                free(bytes);
                FAIL("%s: %.*s", talk->name, (int)strcspn(line, "\n"), line);
                return;
        }
        buffer_consume(heard, count);
        free(bytes);
}

static void check_silence(struct conversation *talk, size_t client, const char *line)
{
        char byte;

        if (buffer_length(&talk->heard[client]) > 0) {
                print_bytes("heard", buffer_data(&talk->heard[client]),
                            buffer_length(&talk->heard[client]));
                FAIL("%s: too early: %.*s", talk->name, (int)strcspn(line, "\n"), line);
        }
        if (recv(talk->fds[client], &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0)
                FAIL("%s: closed too early: %.*s", talk->name, (int)strcspn(line, "\n"), line);
}

static void check_closed(struct conversation *talk, size_t client, const char *line)
{
        char byte;

        if (buffer_length(&talk->heard[client]) > 0) {
                print_bytes("heard", buffer_data(&talk->heard[client]),
                            buffer_length(&talk->heard[client]));
                FAIL("%s: before the end: %.*s", talk->name, (int)strcspn(line, "\n"), line);
        }
        if (recv(talk->fds[client], &byte, 1, MSG_DONTWAIT) != 0)
                FAIL("%s: not closed: %.*s", talk->name, (int)strcspn(line, "\n"), line);
        close(talk->fds[client]);
        talk->fds[client] = -1;
        conversation_settle(talk);
}

static void join(struct conversation *talk, char name, const char *line)
{
        bool is_5 = line[2] == '5';
        char connect[64];

        snprintf(connect, sizeof(connect), is_5 ? CONNECT_5("%c") : CONNECT_311("%c"), name);
        say(talk, (size_t)(name - 'a'), connect);
        hear(talk, (size_t)(name - 'a'), is_5 ? CONNACK_5 : CONNACK_311, line);
}

static void step(struct conversation *talk, const char *line)
{
        size_t client = (size_t)(line[0] - 'a');

        if (line[0] == '+') {
                loop_advance_ms(talk->loop, strtoull(line + 1, NULL, 10));
                conversation_settle(talk);
                return;
        }
        CHECK(client < CONVERSATION_CLIENTS);
        switch (line[1]) {
        case '>':
                say(talk, client, line + 2);
                break;
        case '<':
                if (line[2 + strspn(line + 2, " ")] == '\n')
                        check_silence(talk, client, line);
                else
                        hear(talk, client, line + 2, line);
                break;
        case '!':
                conversation_dial(talk, client);
                conversation_settle(talk);
                break;
        case '@':
                join(talk, line[0], line);
                break;
        case '~':
                buffer_truncate(&talk->heard[client], 0);
                break;
        case '|':
                check_closed(talk, client, line);
                break;
        case '.':
                close(talk->fds[client]);
                talk->fds[client] = -1;
                conversation_settle(talk);
                break;
        default:
                FAIL("%s: no such step: %.*s", talk->name, (int)strcspn(line, "\n"), line);
        }
}

void conversation_run(struct conversation *talk, const char *script)
{
        for (const char *line = script; *line != '\0'; line += strcspn(line, "\n")) {
                line += strspn(line, " \n");
                if (*line == '\0')
                        break;
                step(talk, line);
        }
}

void conversation_check_end(struct conversation *talk)
{
        for (size_t i = 0; i < CONVERSATION_CLIENTS; i++) {
                if (talk->fds[i] < 0 || buffer_length(&talk->heard[i]) == 0)
                        continue;
                print_bytes("left", buffer_data(&talk->heard[i]), buffer_length(&talk->heard[i]));
                FAIL("%s: client %c heard more than was named", talk->name, (char)('a' + i));
        }
}

uint64_t conversation_count(struct conversation *talk, enum mqtt_counter counter)
{
        struct mqtt_broker_figures figures;

        mqtt_broker_figures(talk->broker, &figures);
        return figures.counters[counter];
}

void conversation_run_all(const struct conversation_case cases[], size_t count,
                          const struct mqtt_limits *limits)
{
        for (size_t i = 0; i < count; i++) {
                struct conversation talk;

                conversation_init(&talk, limits, NULL);
                talk.name = cases[i].name;
                conversation_run(&talk, cases[i].script);
                conversation_check_end(&talk);
                conversation_done(&talk);
        }
}
