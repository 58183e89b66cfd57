#include "http/router.h"

#include "proto/http/target.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct entry {
        const struct http_route *route;
        void *owner;
};

struct http_router {
        struct entry *entries;
        size_t count;
};

/* Takes the next segment off a pattern; false: there is none. */
static bool next_segment(const char **pattern, struct http_text *ret)
{
        size_t length;

        if ((*pattern)[0] != '/' || (*pattern)[1] == '\0')
                return false;
        length = strcspn(*pattern + 1, "/");
        *ret = (struct http_text){*pattern + 1, length};
        *pattern += length + 1;
        return true;
}

static bool is_parameter(struct http_text segment)
{
        return segment.length > 2 && segment.bytes[0] == '{' &&
               segment.bytes[segment.length - 1] == '}';
}

static bool takes_all(struct http_text segment)
{
        return is_parameter(segment) && segment.length > 5 &&
               memcmp(segment.bytes + segment.length - 4, "...}", 4) == 0;
}

static bool is_pattern(const char *pattern)
{
        size_t parameters = 0;
        struct http_text segment;

        if (pattern[0] != '/')
                return false;
        while (next_segment(&pattern, &segment)) {
                parameters += is_parameter(segment);
                if (segment.length == 0 || parameters > HTTP_PARAMETERS_MAX ||
                    (takes_all(segment) && *pattern != '\0'))
                        return false;
        }
        return true;
}

int http_router_new(struct http_router **ret)
{
        struct http_router *router = calloc(1, sizeof(*router));

        if (!router)
                return -ENOMEM;
        *ret = router;
        return 0;
}

struct http_router *http_router_free(struct http_router *router)
{
        if (router)
                free(router->entries);
        free(router);
        return NULL;
}

static bool pattern_takes_all(const char *pattern)
{
        struct http_text segment = {NULL, 0};

        while (next_segment(&pattern, &segment))
                continue;
        return segment.bytes && takes_all(segment);
}

/* Those that take all that is left stand behind the others. */
static void insert(struct http_router *router, const struct entry *entry)
{
        size_t place = router->count++;

        while (!pattern_takes_all(entry->route->pattern) && place > 0 &&
               pattern_takes_all(router->entries[place - 1].route->pattern)) {
                router->entries[place] = router->entries[place - 1];
                place--;
        }
        router->entries[place] = *entry;
}

int http_router_add(struct http_router *router, const struct http_route routes[], size_t count,
                    void *owner)
{
        struct entry *entries;

        for (size_t i = 0; i < count; i++)
                if (!is_pattern(routes[i].pattern))
                        return -EINVAL;
        entries = reallocarray(router->entries, router->count + count, sizeof(*entries));
        if (!entries)
                return -ENOMEM;
        router->entries = entries;
        for (size_t i = 0; i < count; i++)
                insert(router, &(struct entry){&routes[i], owner});
        return 0;
}

/* Where decoded parameters go. */
struct space {
        char *at;
        size_t left;
};

/* All that is left of a path, its segments joined by slashes again: none of them can hold
 * one, or lead upwards. */
static int decode_rest(struct http_text *rest, struct space *space)
{
        int r;

        space->at[0] = '\0';
        for (;;) {
                size_t length;

                r = http_path_next(rest, space->at, space->left);
                if (r <= 0)
                        break;
                length = strlen(space->at);
                space->at += length;
                space->left -= length;
                if (space->left < 2)
                        return -ENAMETOOLONG;
                *space->at++ = '/';
                space->left--;
        }
        if (r == 0 && space->at[-1] == '/')
                space->at[-1] = '\0';
        return r;
}

/* 1: it matches; 0: it does not; -EINVAL, -ENAMETOOLONG. */
static int match_pattern(const char *pattern, struct http_text path, struct http_match *ret)
{
        struct space space = {ret->decoded, sizeof(ret->decoded)};
        struct http_text segment;
        size_t parameters = 0;
        int r;

        while (next_segment(&pattern, &segment)) {
                if (takes_all(segment)) {
                        if (space.left < 2)
                                return -ENAMETOOLONG;
                        /* One byte in front, for the slash that decode_rest() looks back at. */
                        *space.at++ = '\0';
                        space.left--;
                        ret->parameters[parameters] = space.at;
                        r = decode_rest(&path, &space);
                        return r < 0 ? r : 1;
                }
                r = http_path_next(&path, space.at, space.left);
                if (r <= 0)
                        return r;
                if (!is_parameter(segment)) {
                        if (strlen(space.at) != segment.length ||
                            memcmp(space.at, segment.bytes, segment.length) != 0)
                                return 0;
                        continue;
                }
                ret->parameters[parameters++] = space.at;
                space.left -= strlen(space.at) + 1;
                space.at += strlen(space.at) + 1;
        }
        r = http_path_next(&path, space.at, space.left);
        return r < 0 ? r : r == 0;
}

static bool answers(const struct http_route *route, enum http_method method)
{
        return route->method == method || (route->method == HTTP_GET && method == HTTP_HEAD);
}

int http_router_find(const struct http_router *router, enum http_method method,
                     struct http_text path, struct http_match *ret)
{
        int fault = -ENOENT;
        bool known = false; /* to one that names it */

        ret->allowed = 0;
        for (size_t i = 0; i < router->count; i++) {
                const struct entry *entry = &router->entries[i];
                bool last = pattern_takes_all(entry->route->pattern);
                int r;

                if (last && known)
                        break;
                r = match_pattern(entry->route->pattern, path, ret);
                if (r < 0)
                        fault = -EINVAL;
                if (r <= 0)
                        continue;
                known = known || !last;
                ret->route = entry->route;
                ret->owner = entry->owner;
                if (answers(entry->route, method))
                        return 0;
                ret->allowed |= 1U << entry->route->method;
                if (entry->route->method == HTTP_GET)
                        ret->allowed |= 1U << HTTP_HEAD;
        }
        return ret->allowed ? -EOPNOTSUPP : fault;
}

const char *http_match_parameter(const struct http_match *match, const char *name)
{
        const char *pattern = match->route->pattern;
        struct http_text segment;
        size_t index = 0;

        while (next_segment(&pattern, &segment)) {
                size_t length;

                if (!is_parameter(segment))
                        continue;
                length = segment.length - (takes_all(segment) ? 5 : 2);
                if (strlen(name) == length && memcmp(name, segment.bytes + 1, length) == 0)
                        return match->parameters[index];
                index++;
        }
        return NULL;
}
