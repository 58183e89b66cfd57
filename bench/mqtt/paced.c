#include "bench/mqtt/paced.h"

#include "bench/mqtt/link.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_SECONDS = 3, PACKET_SIZE = 512 };

static const char client_id[] = "paced";
static const char reply_topic[] = "pi/rpc/response/paced";

struct command {
        uint8_t bytes[PACKET_SIZE];
        size_t length;
};

struct paced {
        struct link agent;
        int echo;
        struct command on, off;
        uint64_t period_ns;
        uint64_t due_ns; /* when the next command is */
        unsigned number; /* of that command */
};

static int prepare(const char *name, unsigned pin, struct command *ret)
{
        char payload[64];
        struct wire_publish publish = {.topic = wire_text_of("pi/rpc/request"),
                                       .response_topic = wire_text_of(reply_topic),
                                       .correlation = wire_text_of(name)};
        int length;

        snprintf(payload, sizeof(payload), "{\"command\":\"%s\",\"pin\":%u}", name, pin);
        publish.payload = wire_text_of(payload);
        length = wire_write_publish(ret->bytes, sizeof(ret->bytes), true, &publish);
        if (length < 0)
                return length;
        ret->length = (size_t)length;
        return 0;
}

static int set_patience(int fd)
{
        const struct timeval patience = {.tv_sec = ANSWER_SECONDS};

        return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ? -errno
                                                                                        : 0;
}

static int paced_open(struct paced *paced, const struct paced_plan *plan)
{
        const struct wire_text filter = wire_text_of(reply_topic);
        const struct link_plan link = {.broker = plan->agent, .version_5 = true};
        int r = prepare("led_on", plan->pin, &paced->on);

        if (r == 0)
                r = prepare("led_off", plan->pin, &paced->off);
        if (r == 0)
                r = link_open(&paced->agent, &link, 0, client_id);
        if (r == 0)
                r = link_subscribe(&paced->agent, 1, &filter, 1, 0);
        if (r == 0)
                r = set_patience(paced->agent.fd);
        if (r < 0)
                return r;
        paced->echo = link_connect(&plan->echo, 0, 0);
        return paced->echo < 0 ? paced->echo : set_patience(paced->echo);
}

static int send_all(int fd, const struct command *command)
{
        ssize_t sent = send(fd, command->bytes, command->length, MSG_NOSIGNAL);

        return sent == (ssize_t)command->length ? 0 : sent < 0 ? -errno : -EIO;
}

/* Adds what one read brought. -errno. */
static int receive_more(int fd, struct command *reply)
{
        ssize_t count = recv(fd, reply->bytes + reply->length, PACKET_SIZE - reply->length, 0);

        if (count < 0)
                return errno == EAGAIN ? -ETIMEDOUT : -errno;
        if (count == 0)
                return reply->length == PACKET_SIZE ? -EBADMSG : -ECONNRESET;
        reply->length += (size_t)count;
        return 0;
}

static bool is_success(const struct wire_packet *packet, const struct command *command)
{
        static const char success[] = "\"success\":true";
        struct wire_publish asked, reply;
        struct wire_packet request;

        return packet->type == WIRE_PUBLISH && wire_read_publish(packet, true, &reply) == 0 &&
               wire_next(command->bytes, command->length, &request) == 1 &&
               wire_read_publish(&request, true, &asked) == 0 &&
               reply.correlation.length == asked.correlation.length &&
               memcmp(reply.correlation.bytes, asked.correlation.bytes, asked.correlation.length) ==
                       0 &&
               memmem(reply.payload.bytes, reply.payload.length, success, sizeof(success) - 1);
}

static int ask_agent(struct paced *paced, const struct command *command,
                     struct histogram *latencies)
{
        struct command reply = {.length = 0};
        struct wire_packet packet;
        uint64_t sent_ns = clocks_now_ns();
        int r = send_all(paced->agent.fd, command);

        while (r == 0 && (r = wire_next(reply.bytes, reply.length, &packet)) == 0)
                r = receive_more(paced->agent.fd, &reply);
        if (r < 0)
                return r;
        if (latencies)
                histogram_add(latencies, clocks_now_ns() - sent_ns, 1);
        return packet.length == reply.length && is_success(&packet, command) ? 0 : -EBADMSG;
}

static int ask_echo(struct paced *paced, const struct command *command, struct histogram *latencies)
{
        struct command reply = {.length = 0};
        uint64_t sent_ns = clocks_now_ns();
        int r = send_all(paced->echo, command);

        while (r == 0 && reply.length < command->length)
                r = receive_more(paced->echo, &reply);
        if (r < 0)
                return r;
        if (latencies)
                histogram_add(latencies, clocks_now_ns() - sent_ns, 1);
        return reply.length == command->length &&
                               memcmp(reply.bytes, command->bytes, command->length) == 0
                       ? 0
                       : -EBADMSG;
}

static int sleep_until(uint64_t ns)
{
        const struct timespec due = {.tv_sec = (time_t)(ns / 1000000000),
                                     .tv_nsec = (long)(ns % 1000000000)};
        int r;

        while ((r = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL)) == EINTR)
                ;
        return -r;
}

/* `ret`: NULL, and nothing counts. */
static int go(struct paced *paced, unsigned count, struct paced_result *ret)
{
        int r = 0;

        for (unsigned i = 0; r == 0 && i < count; i++, paced->number++) {
                const struct command *command = paced->number % 2 == 0 ? &paced->on : &paced->off;

                r = sleep_until(paced->due_ns);
                if (r == 0)
                        r = ask_agent(paced, command, ret ? &ret->agent : NULL);
                if (r == 0)
                        r = sleep_until(paced->due_ns + paced->period_ns / 2);
                if (r == 0)
                        r = ask_echo(paced, command, ret ? &ret->echo : NULL);
                paced->due_ns += paced->period_ns;
        }
        return r;
}

int paced_measure(const struct paced_plan *plan, int server, struct paced_result *ret)
{
        struct paced paced = {.agent.fd = -1, .echo = -1};
        struct clocks before = {0}, after = {0};
        int r;

        if (plan->per_second == 0 || plan->per_second > PACED_PER_SECOND_MAX || plan->count == 0 ||
            plan->count > PACED_COUNT_MAX || plan->warm_up > PACED_COUNT_MAX)
                return -EINVAL;
        histogram_reset(&ret->agent);
        histogram_reset(&ret->echo);
        r = paced_open(&paced, plan);
        paced.period_ns = 1000000000 / plan->per_second;
        paced.due_ns = clocks_now_ns();
        if (r == 0)
                r = go(&paced, plan->warm_up, NULL);
        if (r == 0)
                r = clocks_read(server, &before);
        if (r == 0)
                r = go(&paced, plan->count, ret);
        if (r == 0)
                r = clocks_read(server, &after);
        ret->window = clocks_between(&before, &after);
        link_close(&paced.agent);
        if (paced.echo >= 0)
                close(paced.echo);
        return r;
}
