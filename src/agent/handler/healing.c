#include "agent/handler/healing.h"

#include "base/attributes.h"

void healing_begin(struct healing *healing, bool good, uint64_t now_ms)
{
        *healing = (struct healing){.probation = !good, .since_ms = now_ms};
}

static bool end_probation(struct healing *healing)
{
        healing->probation = false;
        healing->crashes = 0;
        return true;
}

bool healing_on_success(struct healing *healing, uint64_t now_ms)
{
        (void)now_ms;
        if (!healing->probation)
                return false;
        return ++healing->calls >= HEALING_GOOD_CALLS && end_probation(healing);
}

bool healing_look(struct healing *healing, uint64_t now_ms, uint64_t *ret_wait_ms)
{
        uint64_t served_ms = now_ms - healing->since_ms;

        *ret_wait_ms = 0;
        if (!healing->probation)
                return false;
        if (served_ms >= HEALING_GOOD_MS)
                return end_probation(healing);
        *ret_wait_ms = HEALING_GOOD_MS - served_ms;
        return false;
}

unsigned healing_errors_within(const struct healing_errors *errors, uint64_t now_ms)
{
        unsigned within = 0;

        for (unsigned i = 0; i < errors->count; i++)
                within += now_ms - errors->at_ms[i] < HEALING_WINDOW_MS;
        return within;
}

bool healing_on_error(struct healing *healing, struct healing_errors *errors, uint64_t now_ms)
{
        healing->since_ms = now_ms;
        healing->calls = 0;
        errors->at_ms[errors->next] = now_ms;
        errors->next = (errors->next + 1) % ARRAY_SIZE(errors->at_ms);
        if (errors->count < ARRAY_SIZE(errors->at_ms))
                errors->count++;
        if (healing->suggested || healing_errors_within(errors, now_ms) <= HEALING_ERRORS_MAX)
                return false;
        healing->suggested = true;
        return true;
}

bool healing_on_crash(struct healing *healing, uint64_t now_ms)
{
        healing->since_ms = now_ms;
        healing->calls = 0;
        return healing->probation && ++healing->crashes == HEALING_CRASHES;
}
