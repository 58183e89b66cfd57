/* base/map.h - values by text, open addressing, hash seeded at random.
 *
 * Keys are copied in, or borrowed by the whole map. The seed makes collisions unpredictable, so
 * strangers may choose keys; `max` bounds how many. Order of iteration is arbitrary. */
#pragma once

#include "base/cleanup.h"

#include <stddef.h>

struct map;

int map_new(size_t max, struct map **ret); /* -ENOMEM; -EIO: no random seed */
/* Keys are not copied: each stays where it is until its value is removed or replaced, as one
 * that stands in the value does. */
int map_new_borrowing(size_t max, struct map **ret); /* -ENOMEM, -EIO */
struct map *map_free(struct map *map);               /* its own keys, not values */
DEFINE_CLEANUP(map)

size_t map_count(const struct map *map);
/* NULL: not there. `length` need not end in a NUL. */
void *map_get(const struct map *map, const char *key, size_t length);
/* `value` must not be NULL. Replaces; *previous (may be NULL) gets what was
 * there. -ENOSPC: `max` reached; -ENOMEM. */
int map_put(struct map *map, const char *key, void *value, void **previous);
void *map_remove(struct map *map, const char *key); /* NULL: was not there */

/* Walks all entries: start with *position = 0; NULL at the end. The map must
 * not change meanwhile. *key (may be NULL) points into the map. */
void *map_next(const struct map *map, size_t *position, const char **key);
