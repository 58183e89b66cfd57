#include "base/attributes.h"
#include "http/router.h"
#include "support/test.h"

#include <errno.h>
#include <stdio.h>

static void nothing(void *owner, struct http_exchange *exchange)
{
        (void)owner;
        (void)exchange;
}

static const struct http_route routes[] = {
        {HTTP_GET, "/", nothing, 0},
        {HTTP_GET, "/api/devices", nothing, 0},
        {HTTP_POST, "/api/devices", nothing, 1},
        {HTTP_GET, "/api/devices/{id}", nothing, 0},
        {HTTP_DELETE, "/api/devices/{id}", nothing, 0},
        {HTTP_POST, "/api/devices/{id}/pins/{pin}", nothing, 1},
        {HTTP_GET, "/page/{file...}", nothing, 0},
        {HTTP_GET, "/api/{any}", nothing, 0},
};

static const struct {
        enum http_method method;
        const char *path;
        int outcome;
        size_t route;
        const char *parameters[2];
        unsigned allowed;
} cases[] = {
        {HTTP_GET, "/", 0, 0, {NULL}, 0},
        {HTTP_HEAD, "/", 0, 0, {NULL}, 0},
        {HTTP_GET, "/api/devices", 0, 1, {NULL}, 0},
        {HTTP_GET, "/api/devices/", 0, 1, {NULL}, 0},
        {HTTP_POST, "/api/devices", 0, 2, {NULL}, 0},
        {HTTP_GET, "/api/devices/pi-1", 0, 3, {"pi-1"}, 0},
        {HTTP_GET, "/api/devices/pi%201", 0, 3, {"pi 1"}, 0},
        {HTTP_DELETE, "/api/devices/pi-1", 0, 4, {"pi-1"}, 0},
        {HTTP_POST, "/api/devices/a/pins/17", 0, 5, {"a", "17"}, 0},
        {HTTP_GET, "/page", 0, 6, {""}, 0},
        {HTTP_GET, "/page/", 0, 6, {""}, 0},
        {HTTP_GET, "/page/a.js", 0, 6, {"a.js"}, 0},
        {HTTP_GET, "/page/a/b/c.js", 0, 6, {"a/b/c.js"}, 0},
        {HTTP_GET, "/page/a%20b/c", 0, 6, {"a b/c"}, 0},
        {HTTP_GET, "/api/else", 0, 7, {"else"}, 0},
        {HTTP_PUT,
         "/api/devices/pi-1",
         -EOPNOTSUPP,
         0,
         {NULL},
         1U << HTTP_GET | 1U << HTTP_HEAD | 1U << HTTP_DELETE},
        {HTTP_GET, "/api/devices/a/pins/17", -EOPNOTSUPP, 0, {NULL}, 1U << HTTP_POST},
        {HTTP_GET, "/nothing", -ENOENT, 0, {NULL}, 0},
        {HTTP_GET, "/api/devices/a/b", -ENOENT, 0, {NULL}, 0},
        {HTTP_GET, "/API/devices", -ENOENT, 0, {NULL}, 0},
        {HTTP_GET, "/page/../agent.yaml", -EINVAL, 0, {NULL}, 0},
        {HTTP_GET, "/page/a/%2e%2e/b", -EINVAL, 0, {NULL}, 0},
        {HTTP_GET, "/page/a%2fb", -EINVAL, 0, {NULL}, 0},
        {HTTP_GET, "/api/devices/%zz", -EINVAL, 0, {NULL}, 0},
};

TEST(a_path_finds_its_route)
{
        AUTO(http_router) struct http_router *router = NULL;
        struct http_match match;

        CHECK_EQ(http_router_new(&router), 0);
        CHECK_EQ(http_router_add(router, routes, 4, NULL), 0);
        CHECK_EQ(http_router_add(router, routes + 4, ARRAY_SIZE(routes) - 4, &match), 0);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct http_text path = {cases[i].path, strlen(cases[i].path)};
                int r = http_router_find(router, cases[i].method, path, &match);

                if (r != cases[i].outcome || (r == 0 && match.route != &routes[cases[i].route]) ||
                    (r == -EOPNOTSUPP && match.allowed != cases[i].allowed))
                        FAIL("%s: %d", cases[i].path, r);
                for (size_t j = 0; r == 0 && j < 2 && cases[i].parameters[j]; j++)
                        CHECK_TEXT(match.parameters[j], cases[i].parameters[j]);
                if (r == 0)
                        CHECK(match.owner == (cases[i].route < 4 ? NULL : &match));
        }
}

TEST(parameters_have_names)
{
        AUTO(http_router) struct http_router *router = NULL;
        struct http_match match;

        CHECK_EQ(http_router_new(&router), 0);
        CHECK_EQ(http_router_add(router, routes, ARRAY_SIZE(routes), NULL), 0);
        CHECK_EQ(http_router_find(router, HTTP_POST, HTTP_TEXT("/api/devices/a/pins/17"), &match),
                 0);
        CHECK_TEXT(http_match_parameter(&match, "id"), "a");
        CHECK_TEXT(http_match_parameter(&match, "pin"), "17");
        CHECK_NULL(http_match_parameter(&match, "i"));
        CHECK_EQ(http_router_find(router, HTTP_GET, HTTP_TEXT("/page/x"), &match), 0);
        CHECK_TEXT(http_match_parameter(&match, "file"), "x");
}

TEST(parameters_beyond_the_space_for_them_are_refused)
{
        AUTO(http_router) struct http_router *router = NULL;
        struct http_match match;
        char path[HTTP_PATH_MAX + 64];

        CHECK_EQ(http_router_new(&router), 0);
        CHECK_EQ(http_router_add(router, routes, ARRAY_SIZE(routes), NULL), 0);
        for (size_t length = HTTP_PATH_MAX - 8; length < HTTP_PATH_MAX + 8; length++) {
                int start = snprintf(path, sizeof(path), "/page/");
                int r;

                memset(path + start, 'x', length);
                r = http_router_find(router, HTTP_GET,
                                     (struct http_text){path, (size_t)start + length}, &match);
                CHECK(r == -EINVAL || (r == 0 && strlen(match.parameters[0]) == length));
                CHECK_EQ(r == 0, length + 3 <= HTTP_PATH_MAX);
                /* Segments of one byte each. */
                for (size_t i = 1; i < length; i += 2)
                        path[(size_t)start + i] = '/';
                r = http_router_find(router, HTTP_GET,
                                     (struct http_text){path, (size_t)start + length}, &match);
                CHECK(r == -EINVAL || r == 0);
        }
}

TEST(what_is_no_pattern_is_refused)
{
        static const char *const patterns[] = {
                "", "a", "//", "/a//b", "/{rest...}/b", "/{a}/{b}/{c}/{d}/{e}",
        };
        AUTO(http_router) struct http_router *router = NULL;

        CHECK_EQ(http_router_new(&router), 0);
        for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
                struct http_route route = {HTTP_GET, patterns[i], nothing, 0};

                CHECK_EQ(http_router_add(router, &route, 1, NULL), -EINVAL);
        }
}

TEST(what_takes_all_that_is_left_only_has_what_no_other_knows)
{
        static const struct http_route all[] = {
                {.method = HTTP_GET, .pattern = "/{file...}", .handler = nothing},
                {.method = HTTP_POST, .pattern = "/api/command", .handler = nothing},
                {.method = HTTP_PUT, .pattern = "/{file...}", .handler = nothing},
        };
        static const struct http_route later = {
                .method = HTTP_GET, .pattern = "/mqtt", .handler = nothing};
        AUTO(http_router) struct http_router *router = NULL;
        struct http_match match;

        CHECK_EQ(http_router_new(&router), 0);
        CHECK_EQ(http_router_add(router, all, ARRAY_SIZE(all), NULL), 0);
        CHECK_EQ(http_router_add(router, &later, 1, NULL), 0);
        CHECK_EQ(http_router_find(router, HTTP_GET, HTTP_TEXT("/mqtt"), &match), 0);
        CHECK(match.route == &later);
        CHECK_EQ(http_router_find(router, HTTP_POST, HTTP_TEXT("/api/command"), &match), 0);
        CHECK(match.route == &all[1]);
        CHECK_EQ(http_router_find(router, HTTP_GET, HTTP_TEXT("/api/command"), &match),
                 -EOPNOTSUPP);
        CHECK_EQ(match.allowed, 1U << HTTP_POST);
        CHECK_EQ(http_router_find(router, HTTP_GET, HTTP_TEXT("/"), &match), 0);
        CHECK(match.route == &all[0]);
        CHECK_EQ(http_router_find(router, HTTP_PUT, HTTP_TEXT("/a/b"), &match), 0);
        CHECK(match.route == &all[2]);
        CHECK_EQ(http_router_find(router, HTTP_DELETE, HTTP_TEXT("/a"), &match), -EOPNOTSUPP);
        CHECK_EQ(match.allowed, 1U << HTTP_GET | 1U << HTTP_HEAD | 1U << HTTP_PUT);
}
