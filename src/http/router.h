/* http/router.h - which handler answers which path.
 *
 * A pattern is a path with names in braces for segments that vary: "/api/devices/{id}".
 * One at its end with dots takes all that is left: "/page/{file...}". */
#pragma once

#include "base/cleanup.h"
#include "proto/http/head.h"

enum {
        HTTP_PARAMETERS_MAX = 4,
        HTTP_PATH_MAX = 1024, /* of all decoded parameters, each with a zero */
};

struct http_exchange;
/* Answers now (http_exchange_answer() and others), or puts it off
 * (http_exchange_defer()). */
typedef void http_handler_fn(void *owner, struct http_exchange *exchange);
/* Called with the head, before a body is read or waited for: returns how many bytes of it may
 * come, body_max at most. Or it answers, and nothing of the body is read. */
typedef size_t http_admit_fn(void *owner, struct http_exchange *exchange);

struct http_route {
        enum http_method method; /* HTTP_GET answers HEAD too */
        const char *pattern;
        http_handler_fn *handler;
        size_t body_max;      /* most bytes of a request's body; 0: it has none */
        http_admit_fn *admit; /* NULL: everybody may send body_max */
};

struct http_match {
        const struct http_route *route;
        void *owner;
        /* Of the names in the order of the pattern, decoded. */
        const char *parameters[HTTP_PARAMETERS_MAX];
        char decoded[HTTP_PATH_MAX];
        unsigned allowed; /* 1 << enum http_method, of all that this path knows */
};

struct http_router;
int http_router_new(struct http_router **ret);
struct http_router *http_router_free(struct http_router *router);
DEFINE_CLEANUP(http_router)

/* The routes outlive the router. When two match a path the earlier one answers, but one that
 * takes all that is left only has paths that no other knows, by whatever method. -ENOMEM;
 * -EINVAL: a pattern that is none. */
int http_router_add(struct http_router *router, const struct http_route routes[], size_t count,
                    void *owner);
/* -ENOENT: no such path; -EOPNOTSUPP: not by this method, ret->allowed says by which;
 * -EINVAL: a path that cannot be decoded (proto/http/target.h). */
int http_router_find(const struct http_router *router, enum http_method method,
                     struct http_text path, struct http_match *ret);
/* The parameter of that name; NULL: the pattern has none. */
const char *http_match_parameter(const struct http_match *match, const char *name);
