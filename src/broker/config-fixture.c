#include "broker/config-fixture.h"

#include "support/allocation.h"

#include <errno.h>

void config_good(const char *name, const char *text, struct broker_config *ret)
{
        struct error error = {0};

        if (broker_config_parse(name, text, strlen(text), ret, &error) != 0)
                FAIL("%s", error.text);
}

const char *config_refusal(const char *name, const char *text)
{
        static struct error error;
        struct broker_config config;
        int r;

        error = (struct error){0};
        r = broker_config_parse(name, text, strlen(text), &config, &error);
        if (r == 0)
                FAIL("accepted: %s", text);
        CHECK_EQ(error.code, r);
        CHECK_NULL(config.path);
        CHECK_NULL(config.listeners.items);
        CHECK_NULL(config.warnings.items);
        return error.text;
}

const struct broker_listener *config_listener(const struct broker_config *config, size_t index)
{
        CHECK(index < config->listeners.count);
        return (const struct broker_listener *)config->listeners.items + index;
}

void config_without_memory(const char *name, const char *text)
{
        struct broker_config config;
        struct error error;
        size_t n = 0;
        bool failed;
        int r;

        do {
                allocation_fail_at(++n);
                r = broker_config_parse(name, text, strlen(text), &config, &error);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
                CHECK(!failed || strstr(error.text, "out of memory"));
        } while (failed);
        CHECK(n > 10);
        broker_config_done(&config);
}
