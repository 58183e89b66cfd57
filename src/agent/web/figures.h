/* agent/web/figures.h - GET /metrics: what the agent counts, for Prometheus. */
#pragma once

#include "agent/web/web.h"

/* The handler of its route; `owner` is the web. */
void web_figures_handle(void *owner, struct http_exchange *exchange);
