#include "broker/listeners.h"

#include <errno.h>
#include <string.h>

/* What was closed while requests over HTTP were under way stays until the end; so many of them,
 * and then a listener cannot be closed any more. */
enum { ENTRANCES_MAX = 2 * BROKER_LISTENERS_MAX };

struct broker_listeners {
        struct broker_entrance_options options;
        size_t count;
        struct broker_entrance *entrances[ENTRANCES_MAX];
};

static int add(struct broker_listeners *listeners, const struct broker_config *config,
               const struct broker_listener *listener, struct error *error)
{
        int r;

        if (listeners->count == ENTRANCES_MAX)
                return error_set(error, -ENOSPC,
                                 "too many listeners came and went: restart the broker");
        r = broker_entrance_new(&listeners->options, config, listener,
                                &listeners->entrances[listeners->count], error);
        if (r == 0)
                listeners->count++;
        return r;
}

int broker_listeners_place(const struct broker_config *config,
                           const struct broker_listener *listener, struct error *error)
{
        const struct broker_listener *first = config->listeners.items;

        if (listener->place)
                return error_prefix(error, "%s: ", listener->place);
        if (config->path)
                return error_prefix(error, "%s: listeners[%td]: ", config->path, listener - first);
        return error->code;
}

int broker_listeners_new(const struct broker_entrance_options *options,
                         const struct broker_config *config, struct broker_listeners **ret,
                         struct error *error)
{
        AUTO(broker_listeners) struct broker_listeners *listeners = calloc(1, sizeof(*listeners));
        const struct broker_listener *items = config->listeners.items;

        if (!listeners)
                return error_set(error, -ENOMEM, "out of memory");
        listeners->options = *options;
        for (size_t i = 0; i < config->listeners.count; i++)
                if (add(listeners, config, &items[i], error) < 0)
                        return broker_listeners_place(config, &items[i], error);
        *ret = TAKE(listeners);
        return 0;
}

static struct broker_entrance *find(const struct broker_listeners *listeners,
                                    const struct broker_listener *listener)
{
        for (size_t i = 0; i < listeners->count; i++)
                if (broker_entrance_is(listeners->entrances[i], listener))
                        return listeners->entrances[i];
        return NULL;
}

static bool is_wanted(const struct broker_config *config, const struct broker_entrance *entrance)
{
        const struct broker_listener *items = config->listeners.items;

        for (size_t i = 0; i < config->listeners.count; i++)
                if (broker_entrance_is(entrance, &items[i]))
                        return true;
        return false;
}

static int reload(struct broker_listeners *listeners, const struct broker_config *config,
                  const struct broker_listener *listener, struct error *error)
{
        struct broker_entrance *entrance = find(listeners, listener);
        int r;

        if (entrance)
                return broker_entrance_reload(entrance, config, listener, error);
        r = add(listeners, config, listener, error);
        if (r == 0)
                broker_entrance_log(listeners->entrances[listeners->count - 1]);
        return r;
}

size_t broker_listeners_reload(struct broker_listeners *listeners,
                               const struct broker_config *config)
{
        const struct broker_listener *items = config->listeners.items;
        size_t failures = 0;

        for (size_t i = 0; i < listeners->count; i++) {
                struct broker_entrance *entrance = listeners->entrances[i];

                if (!broker_entrance_is_open(entrance) || is_wanted(config, entrance))
                        continue;
                log_info(listeners->options.log, "broker", "listens no more listener=%s",
                         broker_entrance_name(entrance));
                broker_entrance_close(entrance);
        }
        for (size_t i = 0; i < config->listeners.count; i++) {
                struct error error;

                if (reload(listeners, config, &items[i], &error) == 0)
                        continue;
                broker_listeners_place(config, &items[i], &error);
                log_error(listeners->options.log, "broker", "stays as it was: %s", error.text);
                failures++;
        }
        return failures;
}

void broker_listeners_log(const struct broker_listeners *listeners)
{
        for (size_t i = 0; i < listeners->count; i++)
                broker_entrance_log(listeners->entrances[i]);
}

void broker_listeners_close(struct broker_listeners *listeners)
{
        for (size_t i = 0; i < listeners->count; i++)
                broker_entrance_close(listeners->entrances[i]);
}

struct broker_listeners *broker_listeners_free(struct broker_listeners *listeners)
{
        if (!listeners)
                return NULL;
        for (size_t i = 0; i < listeners->count; i++)
                broker_entrance_free(listeners->entrances[i]);
        free(listeners);
        return NULL;
}
