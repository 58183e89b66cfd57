/* agent/web/config.h - the section `http` of the configuration: where it is served, and to
 * whom. */
#pragma once

#include "base/error.h"
#include "data/config.h"

/* Who may read GET /metrics without a token. */
enum web_metrics {
        WEB_METRICS_OFF,      /* nobody: the path is not there */
        WEB_METRICS_VIEWER,   /* whoever may read anything else */
        WEB_METRICS_LOOPBACK, /* these, and programs on this machine */
        WEB_METRICS_OPEN,     /* everybody */
};

struct web_config {
        bool enabled;
        char *host;
        int64_t port;     /* 0: any that is free */
        char *tls_host;   /* absent: the same as `host` */
        int64_t tls_port; /* 0: no TLS */
        /* Who may connect to `port`, and begins with the PROXY protocol; none: everybody, without
         * it. */
        struct config_texts proxies;
        char *page;  /* the folder of files to serve; absent: none */
        int metrics; /* enum web_metrics */
        /* What pages in a browser may call this machine, beside its addresses and its name. */
        struct config_texts names;
        int64_t connections; /* at most as many as descriptors allow; WebSockets are not among them
                              */
        int64_t event_streams;
        double timeout; /* seconds until a command has to be answered */
};

struct config_section web_config_section(struct web_config *target);
/* What a table of keys cannot say: proxies are addresses. -EINVAL with a sentence. */
int web_config_check(const struct web_config *config, struct error *error);
