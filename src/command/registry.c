#include "command/registry-internal.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "data/json.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

int command_registry_new(struct loop *loop, struct command_bus *bus, struct command_registry **ret)
{
        struct command_registry *registry = calloc(1, sizeof(*registry));
        int r;

        if (!registry)
                return -ENOMEM;
        registry->loop = loop;
        registry->bus = bus;
        list_init(&registry->requests);
        buffer_init(&registry->reply, COMMAND_REPLY_MAX);
        r = map_new(COMMAND_REGISTRY_MAX, &registry->by_name);
        if (r < 0) {
                free(registry);
                return r;
        }
        *ret = registry;
        return 0;
}

struct command_registry *command_registry_free(struct command_registry *registry)
{
        if (!registry)
                return NULL;
        /* Every room ends its requests before it goes. */
        assert(list_is_empty(&registry->requests));
        for (size_t i = 0; i < registry->count; i++) {
                struct command_entry *entry = registry->sorted[i];

                while (entry) {
                        struct command_entry *covered = entry->covered;

                        command_entry_release(entry);
                        entry = covered;
                }
        }
        free(registry->spare);
        free(registry->sorted);
        map_free(registry->by_name);
        buffer_done(&registry->reply);
        free(registry);
        return NULL;
}

struct command_entry *command_entry_reference(struct command_entry *entry)
{
        entry->references++;
        return entry;
}

void command_entry_release(struct command_entry *entry)
{
        if (--entry->references > 0)
                return;
        json_schema_free(entry->schema);
        free(entry->texts);
        free(entry->source);
        free(entry);
}

static bool name_is_valid(const char *name)
{
        size_t length = strlen(name);

        if (length == 0 || length > COMMAND_NAME_MAX || !islower((unsigned char)name[0]))
                return false;
        for (size_t i = 1; i < length; i++) {
                unsigned char c = (unsigned char)name[i];

                if (!islower(c) && !isdigit(c) && c != '_' && c != '.')
                        return false;
        }
        return true;
}

/* Copies the three texts of a definition into one allocation. */
static int entry_copy_texts(struct command_entry *entry, const struct command *command)
{
        const char *const from[] = {command->name, command->description ? command->description : "",
                                    command->schema ? command->schema : ""};
        const char *to[ARRAY_SIZE(from)];
        size_t length = 0;
        char *end;

        for (size_t i = 0; i < ARRAY_SIZE(from); i++)
                length += strlen(from[i]) + 1;
        end = entry->texts = malloc(length);
        if (!end)
                return -ENOMEM;
        for (size_t i = 0; i < ARRAY_SIZE(from); i++) {
                to[i] = end;
                end = stpcpy(end, from[i]) + 1;
        }
        entry->definition = *command;
        entry->definition.name = to[0];
        entry->definition.description = to[1];
        entry->definition.schema = command->schema ? to[2] : NULL;
        if (entry->definition.timeout_ms == 0)
                entry->definition.timeout_ms = COMMAND_TIMEOUT_DEFAULT_MS;
        return 0;
}

static int entry_new(const struct command *command, const char *source, void *owner,
                     struct command_entry **ret, struct error *error)
{
        struct command_entry *entry;
        int r = -ENOMEM;

        if (!name_is_valid(command->name))
                return error_set(error, -EINVAL,
                                 "\"%.80s\" is no name for a command: lower-case letters, digits, "
                                 "'_' and '.', a letter first, at most %d",
                                 command->name, COMMAND_NAME_MAX);
        entry = calloc(1, sizeof(*entry));
        if (!entry)
                return error_set(error, -ENOMEM, "not enough memory for another command");
        entry->references = 1;
        entry->owner = owner;
        entry->source = strdup(source);
        if (entry->source)
                r = entry_copy_texts(entry, command);
        if (r < 0)
                error_set(error, r, "not enough memory for another command");
        if (r == 0 && command->schema) {
                r = json_schema_compile(command->schema, &entry->schema, error);
                if (r < 0)
                        error_prefix(error, "schema of %s: ", command->name);
        }
        if (r < 0) {
                command_entry_release(entry);
                return r;
        }
        *ret = entry;
        return 0;
}

/* The first index whose name is not before `name`. */
static size_t sorted_position(const struct command_registry *registry, const char *name)
{
        size_t low = 0, high = registry->count;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (strcmp(registry->sorted[middle]->definition.name, name) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static int registry_insert(struct command_registry *registry, struct command_entry *entry,
                           struct error *error)
{
        const char *name = entry->definition.name;
        struct command_entry *present = map_get(registry->by_name, name, strlen(name));
        size_t position = sorted_position(registry, name);
        int r;

        if (present && (entry->definition.layer != COMMAND_LAYER_DEPLOYED ||
                        present->definition.layer != COMMAND_LAYER_UPDATABLE))
                return error_set(error, -EEXIST, "the command %s belongs to %s already", name,
                                 present->source);
        if (!present && registry->count == COMMAND_REGISTRY_MAX)
                return error_set(error, -ENOSPC, "no more than %d commands fit",
                                 COMMAND_REGISTRY_MAX);
        if (!present && registry->count == registry->sorted_capacity) {
                size_t capacity = registry->sorted_capacity ? 2 * registry->sorted_capacity : 32;
                struct command_entry **grown =
                        reallocarray(registry->sorted, capacity, sizeof(*grown));

                if (!grown)
                        return error_set(error, -ENOMEM, "not enough memory for another command");
                registry->sorted = grown;
                registry->sorted_capacity = capacity;
        }

        r = map_put(registry->by_name, name, entry, NULL);
        if (r < 0)
                return error_set(error, r, "not enough memory for another command");
        if (present) {
                entry->covered = present;
        } else {
                memmove(&registry->sorted[position + 1], &registry->sorted[position],
                        (registry->count - position) * sizeof(*registry->sorted));
                registry->count++;
        }
        registry->sorted[position] = entry;
        return 0;
}

/* Takes the entry at `position` out; what it covered comes back. */
static void registry_withdraw(struct command_registry *registry, size_t position)
{
        struct command_entry *entry = registry->sorted[position];
        struct command_entry *covered = TAKE(entry->covered);
        const char *name = entry->definition.name;

        if (covered) {
                /* Replacing a value needs no memory, so this cannot fail. */
                (void)map_put(registry->by_name, name, covered, NULL);
                registry->sorted[position] = covered;
        } else {
                map_remove(registry->by_name, name);
                registry->count--;
                memmove(&registry->sorted[position], &registry->sorted[position + 1],
                        (registry->count - position) * sizeof(*registry->sorted));
        }
        registry->head.entry = NULL;
        command_entry_release(entry);
}

int command_registry_add(struct command_registry *registry, const struct command commands[],
                         size_t count, const char *source, void *owner, struct error *error)
{
        for (size_t i = 0; i < count; i++) {
                struct command_entry *entry = NULL;
                int r = entry_new(&commands[i], source, owner, &entry, error);

                if (r == 0) {
                        r = registry_insert(registry, entry, error);
                        if (r < 0)
                                command_entry_release(entry);
                }
                if (r < 0) {
                        while (i-- > 0)
                                registry_withdraw(registry,
                                                  sorted_position(registry, commands[i].name));
                        return r;
                }
        }
        return 0;
}

/* Puts `entry` in the place of one of the same source and name. Needs no memory. */
static void registry_exchange(struct command_registry *registry, struct command_entry *entry)
{
        const char *name = entry->definition.name;
        size_t position = sorted_position(registry, name);
        struct command_entry *before = registry->sorted[position];

        entry->covered = TAKE(before->covered);
        (void)map_put(registry->by_name, name, entry, NULL);
        registry->sorted[position] = entry;
        registry->head.entry = NULL;
        command_entry_release(before);
}

static bool is_among(const char *name, const struct command commands[], size_t count)
{
        for (size_t i = 0; i < count; i++) {
                if (strcmp(commands[i].name, name) == 0)
                        return true;
        }
        return false;
}

static const struct command_entry *entry_of_source(const struct command_registry *registry,
                                                   const char *name, const char *source)
{
        const struct command_entry *entry = command_registry_find(registry, name);

        return entry && strcmp(entry->source, source) == 0 ? entry : NULL;
}

/* What can fail: all entries are made, those with new names are there. */
static int replace_begin(struct command_registry *registry, const struct command commands[],
                         struct command_entry *entries[], size_t count, const char *source,
                         void *owner, struct error *error)
{
        for (size_t i = 0; i < count; i++) {
                bool known = entry_of_source(registry, commands[i].name, source) != NULL;
                int r;

                if (is_among(commands[i].name, commands, i))
                        return error_set(error, -EEXIST, "the command %s stands there twice",
                                         commands[i].name);
                r = entry_new(&commands[i], source, owner, &entries[i], error);
                if (r == 0 && !known)
                        r = registry_insert(registry, entries[i], error);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Which entries replace_begin() has put into the registry: only new names. */
static bool is_inserted(const struct command_registry *registry, const struct command_entry *entry)
{
        return command_registry_find(registry, entry->definition.name) == entry;
}

int command_registry_replace(struct command_registry *registry, const struct command commands[],
                             size_t count, const char *source, void *owner, struct error *error)
{
        AUTO_FREE struct command_entry **entries = calloc(count + 1, sizeof(*entries));
        int r;

        if (!entries)
                return error_set(error, -ENOMEM, "not enough memory for another command");
        r = replace_begin(registry, commands, entries, count, source, owner, error);
        for (size_t i = 0; i < count && entries[i]; i++) {
                if (is_inserted(registry, entries[i])) {
                        if (r < 0)
                                registry_withdraw(registry,
                                                  sorted_position(registry, commands[i].name));
                } else if (r < 0) {
                        command_entry_release(entries[i]);
                } else {
                        registry_exchange(registry, entries[i]);
                }
        }
        for (size_t i = registry->count; r == 0 && i-- > 0;) {
                struct command_entry *entry = registry->sorted[i];

                if (strcmp(entry->source, source) == 0 &&
                    !is_among(entry->definition.name, commands, count))
                        registry_withdraw(registry, i);
        }
        return r;
}

void command_registry_remove(struct command_registry *registry, const char *source)
{
        for (size_t i = registry->count; i-- > 0;) {
                if (strcmp(registry->sorted[i]->source, source) == 0)
                        registry_withdraw(registry, i);
        }
}

const struct command_entry *command_registry_find(const struct command_registry *registry,
                                                  const char *name)
{
        return map_get(registry->by_name, name, strlen(name));
}

const struct command_entry *command_registry_next(const struct command_registry *registry,
                                                  const struct command_entry *previous)
{
        size_t position = 0;

        if (previous)
                position = sorted_position(registry, previous->definition.name) + 1;
        return position < registry->count ? registry->sorted[position] : NULL;
}

const struct command *command_entry_definition(const struct command_entry *entry)
{
        return &entry->definition;
}

const char *command_entry_source(const struct command_entry *entry)
{
        return entry->source;
}

const struct command_statistics *command_entry_statistics(const struct command_entry *entry)
{
        return &entry->statistics;
}

int command_registry_add_guard(struct command_registry *registry, command_guard_fn *guard,
                               void *owner)
{
        if (registry->guards_count == GUARDS_MAX)
                return -ENOSPC;
        registry->guards[registry->guards_count].ask = guard;
        registry->guards[registry->guards_count++].owner = owner;
        return 0;
}

void command_registry_set_identify(struct command_registry *registry, command_identify_fn *identify,
                                   void *owner)
{
        registry->identify = identify;
        registry->identify_owner = owner;
}

int command_registry_add_status(struct command_registry *registry, command_status_fn *status,
                                void *owner)
{
        if (registry->status_count == STATUS_MAX)
                return -ENOSPC;
        registry->status[registry->status_count].write = status;
        registry->status[registry->status_count++].owner = owner;
        return 0;
}

void command_registry_write_status(struct command_registry *registry, struct json_writer *writer)
{
        for (size_t i = 0; i < registry->status_count; i++)
                registry->status[i].write(registry->status[i].owner, writer);
}

int command_registry_add_transport(struct command_registry *registry,
                                   struct command_transport *transport)
{
        if (registry->transports_count == TRANSPORTS_MAX)
                return -ENOSPC;
        registry->transports[registry->transports_count++] = transport;
        return 0;
}

const struct command_transport *command_registry_transport(const struct command_registry *registry,
                                                           size_t index)
{
        return index < registry->transports_count ? registry->transports[index] : NULL;
}

uint64_t command_registry_begin_ns(struct command_registry *registry)
{
        if (registry->now_round == loop_round(registry->loop) && registry->now_ns != 0)
                return registry->now_ns;
        return command_registry_end_ns(registry);
}

uint64_t command_registry_end_ns(struct command_registry *registry)
{
        registry->now_ns = clock_monotonic_ns();
        registry->now_round = loop_round(registry->loop);
        return registry->now_ns;
}

uint64_t command_registry_new_session_id(struct command_registry *registry)
{
        return ++registry->last_session_id;
}

struct loop *command_registry_loop(const struct command_registry *registry)
{
        return registry->loop;
}

struct command_bus *command_registry_bus(const struct command_registry *registry)
{
        return registry->bus;
}

size_t command_registry_pending(const struct command_registry *registry)
{
        return registry->requests_count;
}
