#include "agent/service/listing.h"

#include "agent/service/unit-name.h"
#include "loop/timer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CALLS_OF_UNITS = 2 }; /* by pattern, by name */

/* One property of one unit, asked for. */
struct query {
        struct listing *listing;
        struct service_bus_call *call; /* NULL: idle */
        size_t unit;
        enum unit_property property;
};

struct listing {
        struct service_bus *bus;
        enum listing_depth depth;
        struct service_bus_call *calls[CALLS_OF_UNITS];
        size_t calls_count; /* not answered yet */
        struct unit *units;
        size_t count, capacity, left_out;
        size_t next_unit; /* whose next_property is to be asked for */
        enum unit_property next_property;
        struct query queries[LISTING_IN_FLIGHT_MAX];
        size_t in_flight;
        struct loop_timer deadline;
        listing_done_fn *done;
        void *owner;
};

static const struct service_bus_method list_by_patterns = {
        "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
        "ListUnitsByPatterns"};
static const struct service_bus_method list_by_names = {
        "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
        "ListUnitsByNames"};

static void listing_on_units(void *context, sd_bus_message *reply,
                             const struct service_failure *failure);
static void query_on_answer(void *context, sd_bus_message *reply,
                            const struct service_failure *failure);

/* --- the end ----------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
        return strcmp(((const struct unit *)a)->name, ((const struct unit *)b)->name);
}

static void cancel_all(struct listing *listing)
{
        loop_timer_stop(&listing->deadline);
        for (size_t i = 0; i < CALLS_OF_UNITS; i++)
                listing->calls[i] = service_bus_call_cancel(listing->calls[i]);
        for (size_t i = 0; i < LISTING_IN_FLIGHT_MAX; i++)
                listing->queries[i].call = service_bus_call_cancel(listing->queries[i].call);
}

/* The listing may be gone afterwards. */
static void finish(struct listing *listing, const struct service_failure *failure)
{
        cancel_all(listing);
        if (failure)
                listing->done(listing->owner, failure, NULL, 0, 0);
        else
                listing->done(listing->owner, NULL, listing->units, listing->count,
                              listing->left_out);
}

static void listing_on_deadline(struct loop_timer *timer)
{
        struct listing *listing = container_of(timer, struct listing, deadline);
        struct service_failure failure;

        if (listing->calls_count == 0) {
                finish(listing, NULL);
                return;
        }
        service_failure_set(&failure, SERVICE_FAILURE_NO_ANSWER, "systemd said nothing for %d s",
                            LISTING_DEADLINE_MS / 1000);
        finish(listing, &failure);
}

/* --- properties -------------------------------------------------------------------------- */

static struct query *idle_query(struct listing *listing)
{
        for (size_t i = 0; i < LISTING_IN_FLIGHT_MAX; i++) {
                if (!listing->queries[i].call)
                        return &listing->queries[i];
        }
        return NULL;
}

static int query_send(struct query *query, const char *interface, const char *name,
                      struct service_failure *failure)
{
        struct listing *listing = query->listing;
        const struct service_bus_method get = {"org.freedesktop.systemd1",
                                               listing->units[query->unit].path,
                                               "org.freedesktop.DBus.Properties", "Get"};
        sd_bus_message *message = NULL;
        int r;

        r = service_bus_message(listing->bus, &get, &message, failure);
        if (r < 0)
                return r;
        r = sd_bus_message_append(message, "ss", interface, name);
        if (r < 0)
                service_failure_set(failure, SERVICE_FAILURE_OTHER, "%s", strerror(-r));
        else
                r = service_bus_send(listing->bus, message, LISTING_DEADLINE_MS, query_on_answer,
                                     query, &query->call, failure);
        sd_bus_message_unref(message);
        return r;
}

/* The next property that some unit has. False: there is none. */
static bool take_next(struct listing *listing, struct query *query, const char **interface,
                      const char **name)
{
        while (listing->next_unit < listing->count) {
                query->unit = listing->next_unit;
                query->property = listing->next_property;
                if (++listing->next_property == UNIT_PROPERTIES) {
                        listing->next_property = 0;
                        listing->next_unit++;
                }
                if (unit_property_of(&listing->units[query->unit], query->property, interface,
                                     name))
                        return true;
        }
        return false;
}

/* Asks on for as long as there is room, and ends when all is answered; then the
 * listing may be gone. */
static void listing_go_on(struct listing *listing)
{
        struct service_failure failure;
        const char *interface, *name;
        struct query *query;

        while ((query = idle_query(listing)) && take_next(listing, query, &interface, &name)) {
                if (query_send(query, interface, name, &failure) == 0) {
                        listing->in_flight++;
                } else if (failure.kind == SERVICE_FAILURE_LOST ||
                           failure.kind == SERVICE_FAILURE_NO_BUS) {
                        finish(listing, &failure);
                        return;
                }
        }
        if (listing->in_flight == 0)
                finish(listing, NULL);
}

static void query_on_answer(void *context, sd_bus_message *reply,
                            const struct service_failure *failure)
{
        struct query *query = context;
        struct listing *listing = query->listing;

        query->call = NULL;
        listing->in_flight--;
        if (reply)
                /* Of another type than it should be: as unknown as if nothing had come. */
                (void)unit_property_read(&listing->units[query->unit], query->property, reply);
        if (failure && failure->kind == SERVICE_FAILURE_LOST)
                finish(listing, failure);
        else
                listing_go_on(listing);
}

/* --- the units --------------------------------------------------------------------------- */

static int add_unit(struct listing *listing, struct unit *unit)
{
        if (listing->count == listing->capacity) {
                size_t capacity = listing->capacity > 0 ? 2 * listing->capacity : 64;
                struct unit *units = reallocarray(listing->units, capacity, sizeof(*units));

                if (!units)
                        return -ENOMEM;
                listing->units = units;
                listing->capacity = capacity;
        }
        listing->units[listing->count++] = *unit;
        return 0;
}

static int read_units(struct listing *listing, sd_bus_message *reply)
{
        struct unit unit;
        int r, added;

        r = sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");
        if (r < 0)
                return -EBADMSG;
        while ((r = unit_read(reply, &unit)) > 0) {
                if (r == UNIT_SKIPPED)
                        continue;
                added = -ENOSPC;
                if (listing->count < LISTING_UNITS_MAX)
                        added = add_unit(listing, &unit);
                if (added == 0)
                        continue;
                unit_done(&unit);
                if (added == -ENOMEM)
                        return added;
                listing->left_out++;
        }
        return r;
}

/* Sorted, each once: a unit may match a pattern and be named too. */
static void order_units(struct listing *listing)
{
        size_t kept = 0;

        if (listing->count == 0)
                return;
        qsort(listing->units, listing->count, sizeof(listing->units[0]), compare_names);
        for (size_t i = 1; i < listing->count; i++) {
                if (strcmp(listing->units[i].name, listing->units[kept].name) == 0)
                        unit_done(&listing->units[i]);
                else
                        listing->units[++kept] = listing->units[i];
        }
        listing->count = kept + 1;
}

static void on_units(struct listing *listing, sd_bus_message *reply,
                     const struct service_failure *failure)
{
        struct service_failure own;
        int r;

        listing->calls_count--;
        if (failure) {
                finish(listing, failure);
                return;
        }
        r = read_units(listing, reply);
        if (r < 0) {
                service_failure_set(
                        &own, r == -ENOMEM ? SERVICE_FAILURE_MEMORY : SERVICE_FAILURE_OTHER, "%s",
                        r == -ENOMEM ? "" : "systemd's list of units is of an unknown form");
                finish(listing, &own);
                return;
        }
        if (listing->calls_count > 0)
                return;
        order_units(listing);
        if (listing->depth == LISTING_NAMES)
                finish(listing, NULL);
        else
                listing_go_on(listing);
}

static void listing_on_units(void *context, sd_bus_message *reply,
                             const struct service_failure *failure)
{
        struct listing *listing = context;

        listing->calls[0] = NULL;
        on_units(listing, reply, failure);
}

static void listing_on_named_units(void *context, sd_bus_message *reply,
                                   const struct service_failure *failure)
{
        struct listing *listing = context;

        listing->calls[1] = NULL;
        on_units(listing, reply, failure);
}

/* --- the beginning ----------------------------------------------------------------------- */

/* The array of those patterns that are such, or of those that are names. Returns
 * how many. */
static int append_names(sd_bus_message *message, const struct config_texts *patterns, bool globs)
{
        int r, count = 0;

        r = sd_bus_message_open_container(message, 'a', "s");
        for (size_t i = 0; r >= 0 && i < patterns->count; i++) {
                /* One bad name makes systemd refuse all. */
                if (unit_name_is_pattern(patterns->items[i]) != globs ||
                    (!globs && unit_name_check(patterns->items[i], NULL) < 0))
                        continue;
                r = sd_bus_message_append(message, "s", patterns->items[i]);
                count++;
        }
        if (r >= 0)
                r = sd_bus_message_close_container(message);
        return r < 0 ? r : count;
}

/* 0: asked, or nothing to ask. */
static int ask_units(struct listing *listing, const struct config_texts *patterns, bool globs,
                     struct service_failure *failure)
{
        size_t slot = globs ? 0 : 1;
        sd_bus_message *message = NULL;
        int r;

        r = service_bus_message(listing->bus, globs ? &list_by_patterns : &list_by_names, &message,
                                failure);
        if (r < 0)
                return r;
        r = globs ? sd_bus_message_append(message, "as", 0) : 0; /* in any state */
        if (r >= 0)
                r = append_names(message, patterns, globs);
        if (r > 0) {
                r = service_bus_send(listing->bus, message, LISTING_DEADLINE_MS,
                                     globs ? listing_on_units : listing_on_named_units, listing,
                                     &listing->calls[slot], failure);
                if (r == 0)
                        listing->calls_count++;
        } else if (r < 0) {
                service_failure_set(failure, SERVICE_FAILURE_OTHER, "%s", strerror(-r));
        }
        sd_bus_message_unref(message);
        return r;
}

int listing_start(struct loop *loop, struct service_bus *bus, const struct config_texts *patterns,
                  enum listing_depth depth, listing_done_fn *done, void *owner,
                  struct listing **ret, struct service_failure *failure)
{
        AUTO(listing) struct listing *listing = calloc(1, sizeof(*listing));
        int r;

        if (!listing)
                return service_failure_set(failure, SERVICE_FAILURE_MEMORY, "%s", "");
        listing->bus = bus;
        listing->depth = depth;
        listing->done = done;
        listing->owner = owner;
        for (size_t i = 0; i < LISTING_IN_FLIGHT_MAX; i++)
                listing->queries[i].listing = listing;
        loop_timer_init(&listing->deadline, loop, listing_on_deadline);
        r = ask_units(listing, patterns, true, failure);
        if (r == 0)
                r = ask_units(listing, patterns, false, failure);
        if (r < 0)
                return r;
        /* Without a pattern there is nothing to wait for but this. */
        loop_timer_start(&listing->deadline, listing->calls_count > 0 ? LISTING_DEADLINE_MS : 0);
        *ret = TAKE(listing);
        return 0;
}

struct listing *listing_free(struct listing *listing)
{
        if (!listing)
                return NULL;
        cancel_all(listing);
        for (size_t i = 0; i < listing->count; i++)
                unit_done(&listing->units[i]);
        free(listing->units);
        free(listing);
        return NULL;
}
