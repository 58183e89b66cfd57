/* broker/operations.h - what operators ask a broker over HTTP.
 *
 *     GET    /metrics                   figures for Prometheus
 *     GET    /api/v1/clients            who is there, a page at a time (?cursor=&limit=)
 *     GET    /api/v1/clients/{id}       one of them, with its subscriptions
 *     DELETE /api/v1/clients/{id}       ends its connection; with ?session=end its session too
 *     GET    /api/v1/events             who comes, who goes, what is dropped (events.h)
 *
 * Asked for is the name and the password of a user of the broker with the role "admin" (HTTP Basic
 * authentication); or nothing of those on this machine, where the configuration says so. Pages
 * in a browser are refused unless they are the broker's own; without a login the browser must
 * have asked for an address or localhost, since the owner of a name may let it point here.
 *
 * Loop thread. */
#pragma once

#include "base/log.h"
#include "broker/config.h"
#include "broker/doors.h"
#include "http/router.h"
#include "mqtt/broker.h"

enum { BROKER_CLIENTS_PAGE = 100, BROKER_CLIENTS_PAGE_MAX = 1000, BROKER_FILTERS_MAX = 1000 };

struct broker_operations;
struct broker_events;

/* `doors` may be NULL: nobody has a login. All of it outlives it. -ENOMEM. */
int broker_operations_new(struct loop *loop, struct broker_doors *doors, struct log *log,
                          struct broker_operations **ret);
/* After the HTTP servers. */
struct broker_operations *broker_operations_free(struct broker_operations *operations);
DEFINE_CLEANUP(broker_operations)

/* Before the first request. */
void broker_operations_start(struct broker_operations *operations, struct mqtt_broker *broker);
/* What the configuration says, now and after a reload. */
void broker_operations_configure(struct broker_operations *operations,
                                 const struct broker_config *config);
/* -ENOMEM. */
int broker_operations_route(struct broker_operations *operations, struct http_router *router);
/* To be told of what happens. */
struct broker_events *broker_operations_events(struct broker_operations *operations);
