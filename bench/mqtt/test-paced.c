#include "bench/mqtt/paced.h"
#include "bench/mqtt/wire.h"
#include "support/test.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BYTES_MAX = 512 };

/* An agent and an echo, each of which serves one client. */
struct fixture {
        int listeners[2];
        pthread_t threads[2];
        struct paced_plan plan;
        const char *payload; /* of the agent's replies; NULL: it hangs up */
        const char *correlation;
        bool twice; /* every reply comes twice */
        int flip;   /* added to the first byte that is echoed */
        unsigned commands;
};

static size_t reply_of(const struct fixture *f, const uint8_t *asked, size_t count, uint8_t *reply)
{
        struct wire_packet packet;
        struct wire_publish publish;
        int length;

        CHECK_EQ(wire_next(asked, count, &packet), 1);
        CHECK_EQ(packet.length, count);
        CHECK_EQ(wire_read_publish(&packet, true, &publish), 0);
        CHECK_EQ(publish.qos, 0);
        CHECK_EQ(publish.response_topic.length, strlen("pi/rpc/response/paced"));
        publish.topic = publish.response_topic;
        publish.response_topic.length = 0;
        if (f->correlation)
                publish.correlation = wire_text_of(f->correlation);
        publish.payload = wire_text_of(f->payload);
        length = wire_write_publish(reply, BYTES_MAX, true, &publish);
        CHECK(length > 0);
        return (size_t)length;
}

static void *serve_agent(void *argument)
{
        static const uint8_t connack[] = {0x20, 3, 0, 0, 0}, suback[] = {0x90, 4, 0, 1, 0, 0};
        struct fixture *f = argument;
        uint8_t asked[BYTES_MAX], reply[2 * BYTES_MAX];
        int fd = accept(f->listeners[0], NULL, NULL);
        ssize_t count;

        CHECK(recv(fd, asked, sizeof(asked), 0) > 0);
        CHECK_EQ(send(fd, connack, sizeof(connack), MSG_NOSIGNAL), sizeof(connack));
        CHECK(recv(fd, asked, sizeof(asked), 0) > 0);
        CHECK_EQ(send(fd, suback, sizeof(suback), MSG_NOSIGNAL), sizeof(suback));
        while ((count = recv(fd, asked, sizeof(asked), 0)) > 0 && f->payload) {
                size_t length = reply_of(f, asked, (size_t)count, reply);

                f->commands++;
                memcpy(reply + length, reply, length);
                send(fd, reply, f->twice ? 2 * length : length, MSG_NOSIGNAL);
        }
        close(fd);
        return NULL;
}

static void *serve_echo(void *argument)
{
        struct fixture *f = argument;
        uint8_t bytes[BYTES_MAX];
        int fd = accept(f->listeners[1], NULL, NULL);
        ssize_t count;

        while ((count = recv(fd, bytes, sizeof(bytes), 0)) > 0) {
                bytes[0] = (uint8_t)(bytes[0] + f->flip);
                send(fd, bytes, (size_t)count, MSG_NOSIGNAL);
        }
        close(fd);
        return NULL;
}

static void listen_at(int *listener, struct sockaddr_in *address)
{
        socklen_t size = sizeof(*address);

        *address = (struct sockaddr_in){.sin_family = AF_INET,
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        *listener = socket(AF_INET, SOCK_STREAM, 0);
        CHECK_EQ(bind(*listener, (struct sockaddr *)address, size), 0);
        CHECK_EQ(listen(*listener, 1), 0);
        CHECK_EQ(getsockname(*listener, (struct sockaddr *)address, &size), 0);
}

static struct fixture fixture_of(const char *payload)
{
        struct fixture f = {.payload = payload,
                            .plan = {.per_second = PACED_PER_SECOND_MAX, .pin = 17, .count = 20}};

        listen_at(&f.listeners[0], &f.plan.agent);
        listen_at(&f.listeners[1], &f.plan.echo);
        return f;
}

static int measure(struct fixture *f, struct paced_result *ret)
{
        int r;

        CHECK_EQ(pthread_create(&f->threads[0], NULL, serve_agent, f), 0);
        CHECK_EQ(pthread_create(&f->threads[1], NULL, serve_echo, f), 0);
        r = paced_measure(&f->plan, 0, ret);
        for (unsigned i = 0; i < 2; i++) {
                CHECK_EQ(pthread_join(f->threads[i], NULL), 0);
                close(f->listeners[i]);
        }
        return r;
}

static struct paced_result result;
static const char done[] = "{\"success\":true}";

TEST(both_are_asked_as_often_and_in_that_pace)
{
        struct fixture f = fixture_of(done);
        uint64_t began_ns = clocks_now_ns();

        f.plan.warm_up = 3;
        CHECK_EQ(measure(&f, &result), 0);
        CHECK_EQ(f.commands, 23);
        CHECK_EQ(result.agent.count, 20);
        CHECK_EQ(result.echo.count, 20);
        /* From the first command to the last one. What was late is not made up for beyond that. */
        CHECK(clocks_now_ns() - began_ns >= 22 * (1000000000ULL / PACED_PER_SECOND_MAX));
}

TEST(a_command_that_was_not_carried_out_is_an_error)
{
        struct fixture f = fixture_of("{\"success\":false,\"code\":\"BUSY\"}");

        CHECK_EQ(measure(&f, &result), -EBADMSG);
}

TEST(the_reply_to_another_command_is_an_error)
{
        struct fixture f = fixture_of(done);

        f.correlation = "led_off";
        CHECK_EQ(measure(&f, &result), -EBADMSG);
}

TEST(a_reply_that_comes_twice_is_an_error)
{
        struct fixture f = fixture_of(done);

        f.twice = true;
        CHECK_EQ(measure(&f, &result), -EBADMSG);
}

TEST(an_echo_of_other_bytes_is_an_error)
{
        struct fixture f = fixture_of(done);

        f.flip = 1;
        CHECK_EQ(measure(&f, &result), -EBADMSG);
}

TEST(an_agent_that_hangs_up_is_an_error)
{
        struct fixture f = fixture_of(NULL);
        int r;

        /* The echo has a client all the same. */
        CHECK_EQ(pthread_create(&f.threads[0], NULL, serve_agent, &f), 0);
        r = paced_measure(&f.plan, 0, &result);
        CHECK(r == -ECONNRESET || r == -EPIPE);
        CHECK_EQ(pthread_join(f.threads[0], NULL), 0);
        close(f.listeners[0]);
        close(f.listeners[1]);
}

TEST(numbers_beyond_their_limits_are_refused)
{
        struct paced_plan plan = {.per_second = PACED_PER_SECOND_MAX, .count = 1};

        plan.per_second++;
        CHECK_EQ(paced_measure(&plan, 0, &result), -EINVAL);
        plan.per_second = 0;
        CHECK_EQ(paced_measure(&plan, 0, &result), -EINVAL);
        plan.per_second = 1;
        plan.count = 0;
        CHECK_EQ(paced_measure(&plan, 0, &result), -EINVAL);
        plan.count = PACED_COUNT_MAX + 1;
        CHECK_EQ(paced_measure(&plan, 0, &result), -EINVAL);
}
