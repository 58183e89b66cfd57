/* Jobs with a bus and a listing that are played here: what the mocked systemd of the
 * system tests would take half a minute for. */
#include "agent/service/jobs.h"

#include "agent/service/listing.h"
#include "command/registry.h"
#include "command/request.h"
#include "data/json.h"

#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CALLS_MAX = JOBS_MAX + 1, REPLIES_MAX = JOBS_MAX + 1 };

struct listing {
        listing_done_fn *done;
        void *owner;
        enum listing_depth depth;
        bool freed;
};

/* The bus: remembers what is asked, and is answered by the test. */
struct service_bus {
        sd_bus *sd;
        int peer;
        bool dead;
        struct service_bus_call {
                service_bus_answered_fn *answered; /* NULL: cancelled, or answered */
                void *context;
        } calls[CALLS_MAX];
        size_t calls_count;
        struct listing listings[CALLS_MAX];
        size_t listings_count;
};

struct fixture {
        struct loop *loop;
        struct command_bus *events;
        struct command_registry *registry;
        struct command_session session;
        struct service_bus bus;
        struct jobs *jobs;
        cJSON *replies[REPLIES_MAX];
        size_t replies_count;
};

int service_bus_message(struct service_bus *bus, const struct service_bus_method *method,
                        sd_bus_message **ret, struct service_failure *failure)
{
        if (bus->dead)
                return service_failure_set(failure, SERVICE_FAILURE_NO_BUS, "%s", "none");
        CHECK(sd_bus_message_new_method_call(bus->sd, ret, method->destination, method->path,
                                             method->interface, method->member) >= 0);
        return 0;
}

int service_bus_send(struct service_bus *bus, sd_bus_message *message, uint64_t timeout_ms,
                     service_bus_answered_fn *answered, void *context,
                     struct service_bus_call **ret, struct service_failure *failure)
{
        (void)message, (void)timeout_ms, (void)failure;
        CHECK(bus->calls_count < CALLS_MAX);
        *ret = &bus->calls[bus->calls_count++];
        **ret = (struct service_bus_call){answered, context};
        return 0;
}

struct service_bus_call *service_bus_call_cancel(struct service_bus_call *call)
{
        if (call)
                call->answered = NULL;
        return NULL;
}

int listing_start(struct loop *loop, struct service_bus *bus, const struct config_texts *patterns,
                  enum listing_depth depth, listing_done_fn *done, void *owner,
                  struct listing **ret, struct service_failure *failure)
{
        (void)loop, (void)patterns;
        if (bus->dead)
                return service_failure_set(failure, SERVICE_FAILURE_LOST, "%s", "gone");
        CHECK(bus->listings_count < CALLS_MAX);
        *ret = &bus->listings[bus->listings_count++];
        **ret = (struct listing){done, owner, depth, false};
        return 0;
}

struct listing *listing_free(struct listing *listing)
{
        if (listing)
                listing->freed = true;
        return NULL;
}

/* --- the fixture ------------------------------------------------------------------------- */

static char *patterns[] = {(char[]){"*.service"}};
static const struct config_texts all_services = {patterns, 1};

static int run_start(void *owner, struct command_request *request)
{
        return jobs_begin(((struct fixture *)owner)->jobs, request, JOB_START);
}

static const struct command definition = {.name = "start_device",
                                          .role = COMMAND_ROLE_NONE,
                                          .timeout_ms = JOBS_COMMAND_MS,
                                          .run = run_start};

static void fixture_init(struct fixture *f)
{
        struct error error;
        int ends[2];

        *f = (struct fixture){.session = {.id = 1, .transport = "test", .origin = "test"}};
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
        f->bus.peer = ends[1];
        CHECK(sd_bus_new(&f->bus.sd) >= 0);
        CHECK(sd_bus_set_fd(f->bus.sd, ends[0], ends[0]) >= 0);
        CHECK(sd_bus_start(f->bus.sd) >= 0);
        CHECK_EQ(loop_new_virtual(1000, &f->loop), 0);
        CHECK_EQ(command_bus_new(f->loop, &f->events), 0);
        CHECK_EQ(command_registry_new(f->loop, f->events, &f->registry), 0);
        CHECK_EQ(command_registry_add(f->registry, &definition, 1, "test", f, &error), 0);
        CHECK_EQ(jobs_new(f->loop, &f->bus, &all_services, &f->jobs), 0);
}

static void fixture_done(struct fixture *f)
{
        jobs_free(f->jobs);
        for (size_t i = 0; i < f->replies_count; i++)
                cJSON_Delete(f->replies[i]);
        command_registry_free(f->registry);
        command_bus_free(f->events);
        loop_free(f->loop);
        sd_bus_close_unref(f->bus.sd);
        close(f->bus.peer);
}

static void on_reply(void *owner, const char *json, size_t length, bool success)
{
        struct fixture *f = owner;

        (void)success;
        CHECK(f->replies_count < REPLIES_MAX);
        CHECK_EQ(json_parse(json, length, JSON_DEPTH_MAX, &f->replies[f->replies_count++], NULL),
                 0);
}

static void start(struct fixture *f, const char *device)
{
        struct command_call call = {
                .session = &f->session, .object = cJSON_CreateObject(), .on_reply = on_reply};

        call.owner = f;
        CHECK(cJSON_AddStringToObject(call.object, "command", "start_device"));
        CHECK(cJSON_AddStringToObject(call.object, "device", device));
        call.received_ms = loop_now_ms(f->loop);
        command_dispatch(f->registry, &call, NULL);
}

/* systemd's answer to the n-th call. */
static void answer(struct fixture *f, size_t n, const char *job)
{
        struct service_bus_call *call = &f->bus.calls[n];
        sd_bus_message *message = NULL;

        CHECK(call->answered);
        CHECK(sd_bus_message_new_signal(f->bus.sd, &message, "/a", "a.b", "C") >= 0);
        CHECK(sd_bus_message_append(message, "o", job) >= 0);
        CHECK(sd_bus_message_seal(message, 1, 0) >= 0);
        CHECK(sd_bus_message_rewind(message, 1) >= 0);
        TAKE(call->answered)(call->context, message, NULL);
        sd_bus_message_unref(message);
}

static const char *text_of(struct fixture *f, size_t n, const char *member)
{
        const char *text;

        if (n >= f->replies_count)
                FAIL("there are %zu replies only", f->replies_count);
        text = json_get_string(f->replies[n], member);
        return text ? text : "(none)";
}

static void end_listing(struct fixture *f, size_t n)
{
        struct listing *listing = &f->bus.listings[n];

        CHECK(!listing->freed);
        listing->done(listing->owner, NULL, NULL, 0, 0);
        CHECK(listing->freed);
}

/* --- the tests --------------------------------------------------------------------------- */

TEST(a_job_ends_by_its_path_whatever_its_unit_is_called)
{
        struct fixture f;

        fixture_init(&f);
        start(&f, "alias.service");
        answer(&f, 0, "/job/1");
        jobs_on_ended(f.jobs, "/job/2", "alias.service", "failed");
        CHECK_EQ(f.bus.listings_count, 0);
        jobs_on_ended(f.jobs, "/job/1", "real-name.service", "done");
        CHECK_EQ(f.bus.listings_count, 1);
        CHECK_EQ(f.bus.listings[0].depth, LISTING_NUMBERS);
        /* A second end of it changes nothing. */
        jobs_on_ended(f.jobs, "/job/1", "real-name.service", "failed");
        end_listing(&f, 0);
        CHECK_EQ(f.replies_count, 1);
        CHECK_TEXT(text_of(&f, 0, "result"), "done");
        CHECK_TEXT(text_of(&f, 0, "active"), "inactive");
        fixture_done(&f);
}

TEST(a_job_that_does_not_end_is_answered_after_its_time_and_not_again)
{
        struct fixture f;

        fixture_init(&f);
        start(&f, "slow.service");
        answer(&f, 0, "/job/1");
        loop_advance_ms(f.loop, JOBS_DEADLINE_MS - 1);
        CHECK_EQ(f.replies_count, 0);
        loop_advance_ms(f.loop, 1);
        CHECK_TEXT(text_of(&f, 0, "code"), "EXPIRED");
        CHECK_TEXT(text_of(&f, 0, "device"), "slow.service");
        jobs_on_ended(f.jobs, "/job/1", "slow.service", "done");
        loop_advance_ms(f.loop, JOBS_COMMAND_MS);
        CHECK_EQ(f.replies_count, 1);
        CHECK_EQ(f.bus.listings_count, 0);
        fixture_done(&f);
}

TEST(one_job_more_than_the_limit_is_busy)
{
        struct fixture f;

        fixture_init(&f);
        for (size_t i = 0; i < JOBS_MAX; i++)
                start(&f, "a.service");
        CHECK_EQ(f.replies_count, 0);
        start(&f, "b.service");
        CHECK_TEXT(text_of(&f, 0, "code"), "BUSY");
        CHECK_EQ(f.bus.calls_count, JOBS_MAX);
        jobs_stop(f.jobs);
        CHECK_EQ(f.replies_count, JOBS_MAX + 1);
        CHECK_TEXT(text_of(&f, JOBS_MAX, "code"), "NOT_READY");
        fixture_done(&f);
}

TEST(a_lost_bus_answers_those_that_wait_for_a_job_and_leaves_the_calls_to_theirs)
{
        struct service_failure failure;
        struct fixture f;

        fixture_init(&f);
        start(&f, "waits.service");
        answer(&f, 0, "/job/1");
        start(&f, "asks.service");
        service_failure_set(&failure, SERVICE_FAILURE_LOST, "broken");
        jobs_on_lost(f.jobs, &failure);
        CHECK_EQ(f.replies_count, 1);
        CHECK_TEXT(text_of(&f, 0, "code"), "NOT_READY");
        CHECK(strstr(text_of(&f, 0, "error"), "waits.service"));
        TAKE(f.bus.calls[1].answered)(f.bus.calls[1].context, NULL, &failure);
        CHECK(strstr(text_of(&f, 1, "error"), "asks.service"));
        fixture_done(&f);
}

TEST(a_bus_that_goes_between_a_job_and_the_look_at_its_unit_is_told)
{
        struct fixture f;

        fixture_init(&f);
        start(&f, "a.service");
        answer(&f, 0, "/job/1");
        f.bus.dead = true;
        jobs_on_ended(f.jobs, "/job/1", "a.service", "done");
        CHECK_TEXT(text_of(&f, 0, "code"), "NOT_READY");
        CHECK(strstr(text_of(&f, 0, "error"), "a.service is after its start (done)"));
        start(&f, "a.service");
        CHECK_TEXT(text_of(&f, 1, "code"), "UNSUPPORTED");
        fixture_done(&f);
}

TEST(an_answer_that_names_no_job_is_a_failure)
{
        struct service_failure failure;
        struct fixture f;
        char path[200];

        fixture_init(&f);
        memset(path, 'x', sizeof(path));
        path[0] = '/';
        path[sizeof(path) - 1] = '\0';
        start(&f, "a.service");
        answer(&f, 0, path);
        CHECK_TEXT(text_of(&f, 0, "code"), "HARDWARE");
        /* No unit, and none is near. */
        start(&f, "a.service");
        service_failure_set(&failure, SERVICE_FAILURE_NO_UNIT, "%s", "");
        TAKE(f.bus.calls[1].answered)(f.bus.calls[1].context, NULL, &failure);
        CHECK_EQ(f.bus.listings[0].depth, LISTING_NAMES);
        end_listing(&f, 0);
        CHECK_TEXT(text_of(&f, 1, "code"), "NO_DEVICE");
        CHECK(strstr(text_of(&f, 1, "error"), "see list_devices"));
        fixture_done(&f);
}
