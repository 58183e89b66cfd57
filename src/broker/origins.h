/* broker/origins.h - pages of which other origins may talk to the broker. */
#pragma once

#include "data/config.h"
#include "proto/http/head.h"

/* A copy that lives as long as its owner wants. */
struct broker_origins {
        struct config_texts list;
        bool all;
};

/* "*" among them stands for all. Replaces what was there. -ENOMEM: and all stays. */
int broker_origins_set(struct broker_origins *origins, const struct config_texts *list, bool all);
void broker_origins_done(struct broker_origins *origins);
/* `origins` is a struct broker_origins: for struct mqtt_websocket. */
bool broker_origins_trust(void *origins, struct http_text origin);
