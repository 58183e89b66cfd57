#include "agent/service/service.h"

#include "agent/service/jobs.h"
#include "agent/service/listing.h"
#include "agent/service/reboot.h"
#include "base/list.h"
#include "command/reply.h"
#include "command/request.h"

#include <errno.h>
#include <stdlib.h>

#define SOURCE "builtin/monitor"

enum { ASKERS_MAX = 256 /* of list_devices, waiting; beyond: BUSY */ };

struct service {
        struct command_registry *registry;
        const struct service_config *config;
        struct service_bus *bus;
        struct jobs *jobs;
        struct reboot *reboot;
        struct listing *listing; /* under way; NULL: none */
        /* What a listing says is not older than the question: who comes while one is under
         * way waits for the next, and that serves all who wait. */
        struct list served, waiting;
        size_t askers_count;
        bool stopped;
};

struct asker {
        struct list link;
        struct command_request *request;
};

static void listing_next(struct service *service);

/* --- list_devices ------------------------------------------------------------------------ */

static struct command_request *take_asker(struct service *service, struct list *from)
{
        struct asker *asker = container_of(list_take_first(from), struct asker, link);
        struct command_request *request = asker->request;

        service->askers_count--;
        free(asker);
        return request;
}

static void refuse_askers(struct service *service, struct list *from,
                          const struct service_failure *failure)
{
        while (!list_is_empty(from))
                service_failure_reply(take_asker(service, from), failure, "list the services");
}

static void reply_listing(struct command_request *request, const struct unit units[], size_t count,
                          size_t left_out)
{
        struct json_writer *writer = command_reply_open(request, NULL);

        json_write_array(writer, "devices");
        for (size_t i = 0; i < count; i++) {
                json_write_object(writer, NULL);
                unit_write(&units[i], writer);
                json_write_end(writer);
        }
        json_write_end(writer);
        if (left_out > 0)
                json_write_integer(writer, "left_out", (int64_t)left_out);
        command_reply_send(request);
}

static void on_listing(void *owner, const struct service_failure *failure,
                       const struct unit units[], size_t count, size_t left_out)
{
        struct service *service = owner;

        if (failure)
                refuse_askers(service, &service->served, failure);
        while (!list_is_empty(&service->served))
                reply_listing(take_asker(service, &service->served), units, count, left_out);
        /* Only now: a reply can bring the next question. */
        service->listing = listing_free(service->listing);
        listing_next(service);
}

static void listing_next(struct service *service)
{
        struct service_failure failure;
        struct list refused;

        if (service->listing || list_is_empty(&service->waiting))
                return;
        if (listing_start(command_registry_loop(service->registry), service->bus,
                          &service->config->services, LISTING_NUMBERS, on_listing, service,
                          &service->listing, &failure) == 0) {
                list_splice(&service->served, &service->waiting);
                return;
        }
        list_init(&refused);
        list_splice(&refused, &service->waiting);
        refuse_askers(service, &refused, &failure);
}

static int refuse_stopped(struct command_request *request)
{
        return command_reply_fail(request, COMMAND_NOT_READY, "the agent is stopping");
}

static int run_list_devices(void *owner, struct command_request *request)
{
        struct service *service = owner;
        struct asker *asker;

        if (service->stopped)
                return refuse_stopped(request);
        if (service->askers_count >= ASKERS_MAX)
                return command_reply_fail(request, COMMAND_BUSY,
                                          "%d others wait for the list; try again later",
                                          ASKERS_MAX);
        asker = calloc(1, sizeof(*asker));
        if (!asker)
                return -ENOMEM;
        asker->request = request;
        list_append(&service->waiting, &asker->link);
        service->askers_count++;
        listing_next(service);
        return COMMAND_PENDING;
}

/* --- the others -------------------------------------------------------------------------- */

static int run_start_device(void *owner, struct command_request *request)
{
        struct service *service = owner;

        return service->stopped ? refuse_stopped(request)
                                : jobs_begin(service->jobs, request, JOB_START);
}

static int run_stop_device(void *owner, struct command_request *request)
{
        struct service *service = owner;

        return service->stopped ? refuse_stopped(request)
                                : jobs_begin(service->jobs, request, JOB_STOP);
}

static int run_restart_device(void *owner, struct command_request *request)
{
        struct service *service = owner;

        return service->stopped ? refuse_stopped(request)
                                : jobs_begin(service->jobs, request, JOB_RESTART);
}

static int run_restart_pi(void *owner, struct command_request *request)
{
        struct service *service = owner;

        return service->stopped ? refuse_stopped(request) : reboot_begin(service->reboot, request);
}

#define DEVICE_SCHEMA                                                                              \
        "{\"type\":\"object\",\"properties\":{\"device\":{\"type\":\"string\","                    \
        "\"description\":\"a unit's name, one that list_devices shows\","                          \
        "\"examples\":[\"nginx.service\"]}},\"required\":[\"device\"]}"

static const struct command definitions[] = {
        {.name = "list_devices",
         .description = "The services of this Pi that match monitor.services: state, since when, "
                        "memory, processor time, restarts; null where systemd does not know",
         .role = COMMAND_ROLE_VIEWER,
         .layer = COMMAND_LAYER_UPDATABLE,
         .run = run_list_devices},
        {.name = "start_device",
         .description = "Starts a service and says how it is then",
         .schema = DEVICE_SCHEMA,
         .role = COMMAND_ROLE_OPERATOR,
         .layer = COMMAND_LAYER_UPDATABLE,
         .changes = true,
         .timeout_ms = JOBS_COMMAND_MS,
         .run = run_start_device},
        {.name = "stop_device",
         .description = "Stops a service and says how it is then",
         .schema = DEVICE_SCHEMA,
         .role = COMMAND_ROLE_OPERATOR,
         .layer = COMMAND_LAYER_UPDATABLE,
         .changes = true,
         .timeout_ms = JOBS_COMMAND_MS,
         .run = run_stop_device},
        {.name = "restart_device",
         .description = "Restarts a service, or starts it, and says how it is then",
         .schema = DEVICE_SCHEMA,
         .role = COMMAND_ROLE_OPERATOR,
         .layer = COMMAND_LAYER_UPDATABLE,
         .changes = true,
         .timeout_ms = JOBS_COMMAND_MS,
         .run = run_restart_device},
        {.name = "restart_pi",
         .description = "Restarts the machine after the reply, `delay` seconds later",
         .schema = "{\"type\":\"object\",\"properties\":{\"delay\":{\"type\":\"number\","
                   "\"minimum\":0,\"maximum\":86400,\"default\":0,"
                   "\"description\":\"seconds\"}}}",
         .role = COMMAND_ROLE_ADMIN,
         .layer = COMMAND_LAYER_UPDATABLE,
         .changes = true,
         .run = run_restart_pi},
};

/* --- all of them ------------------------------------------------------------------------- */

static void on_job(void *owner, const char *job, const char *unit, const char *result)
{
        struct service *service = owner;

        jobs_on_ended(service->jobs, job, unit, result);
}

static void on_lost(void *owner, const struct service_failure *failure)
{
        struct service *service = owner;

        jobs_on_lost(service->jobs, failure);
}

static int open_parts(struct service *service)
{
        struct loop *loop = command_registry_loop(service->registry);
        int r;

        r = service_bus_new(loop, on_job, on_lost, service, &service->bus);
        if (r == 0)
                r = jobs_new(loop, service->bus, &service->config->services, &service->jobs);
        if (r == 0)
                r = reboot_new(service->registry, service->bus, &service->reboot);
        return r;
}

static void free_parts(struct service *service)
{
        reboot_free(service->reboot);
        jobs_free(service->jobs);
        service_bus_free(service->bus);
        free(service);
}

int service_attach(struct command_registry *registry, const struct service_config *config,
                   struct service **ret, struct error *error)
{
        struct service *service = calloc(1, sizeof(*service));
        int r;

        if (!service)
                return error_set(error, -ENOMEM, "monitor: not enough memory");
        service->registry = registry;
        service->config = config;
        list_init(&service->served);
        list_init(&service->waiting);
        r = open_parts(service);
        if (r < 0)
                error_set(error, r, "monitor: not enough memory");
        else
                r = command_registry_add(registry, definitions, ARRAY_SIZE(definitions), SOURCE,
                                         service, error);
        if (r < 0) {
                free_parts(service);
                return r;
        }
        *ret = service;
        return 0;
}

void service_stop(struct service *service)
{
        service->stopped = true;
        service->listing = listing_free(service->listing);
        list_splice(&service->served, &service->waiting);
        while (!list_is_empty(&service->served))
                refuse_stopped(take_asker(service, &service->served));
        jobs_stop(service->jobs);
        reboot_stop(service->reboot);
}

struct service *service_free(struct service *service)
{
        if (!service)
                return NULL;
        command_registry_remove(service->registry, SOURCE);
        free_parts(service);
        return NULL;
}
