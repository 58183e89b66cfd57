#include "bench/mqtt/ledger.h"

#include <errno.h>
#include <stdlib.h>

enum { WINDOW_MAX = 32768 };

struct account {
        uint64_t published, acknowledged;
        uint64_t settled; /* copies that have arrived or are lost */
};

struct ledger {
        struct ledger_plan plan;
        uint64_t delivered, lost;
        struct account *accounts; /* of publishers */
        uint64_t *next;           /* the number of the next message, by publisher and lane */
        uint64_t *expected;       /* the same at a receiver, by receiver and publisher */
};

int ledger_new(const struct ledger_plan *plan, struct ledger **ret)
{
        struct ledger *ledger;

        if (plan->publishers > 0 &&
            (plan->window == 0 || plan->window > WINDOW_MAX || plan->per_write == 0 ||
             plan->window % plan->per_write != 0 || plan->lanes == 0 || plan->copies == 0))
                return -EINVAL;
        ledger = calloc(1, sizeof(*ledger));
        if (!ledger)
                return -ENOMEM;
        ledger->plan = *plan;
        ledger->accounts = calloc(plan->publishers + 1, sizeof(*ledger->accounts));
        ledger->next = calloc((size_t)plan->publishers * plan->lanes + 1, sizeof(*ledger->next));
        ledger->expected =
                calloc((size_t)plan->receivers * plan->publishers + 1, sizeof(*ledger->expected));
        if (!ledger->accounts || !ledger->next || !ledger->expected) {
                ledger_free(ledger);
                return -ENOMEM;
        }
        *ret = ledger;
        return 0;
}

struct ledger *ledger_free(struct ledger *ledger)
{
        if (!ledger)
                return NULL;
        free(ledger->accounts);
        free(ledger->next);
        free(ledger->expected);
        free(ledger);
        return NULL;
}

static uint16_t id_of(uint64_t message)
{
        return (uint16_t)(1 + message % UINT16_MAX);
}

bool ledger_has_room(const struct ledger *ledger, unsigned publisher)
{
        const struct account *account = &ledger->accounts[publisher];
        uint64_t left = ledger->plan.window - ledger->plan.per_write;

        if (account->published * ledger->plan.copies - account->settled >
            left * ledger->plan.copies)
                return false;
        return !ledger->plan.acknowledged || account->published - account->acknowledged <= left;
}

uint64_t ledger_publish(struct ledger *ledger, unsigned publisher, unsigned lane, uint16_t *id)
{
        *id = id_of(ledger->accounts[publisher].published++);
        return ledger->next[(size_t)publisher * ledger->plan.lanes + lane]++;
}

int ledger_acknowledge(struct ledger *ledger, unsigned publisher, uint16_t id)
{
        struct account *account = &ledger->accounts[publisher];

        if (account->acknowledged == account->published || id_of(account->acknowledged) != id)
                return -EBADMSG;
        account->acknowledged++;
        return 0;
}

int ledger_deliver(struct ledger *ledger, unsigned receiver, unsigned publisher, unsigned lane,
                   uint64_t number)
{
        uint64_t *expected;
        uint64_t missing;

        if (receiver >= ledger->plan.receivers || publisher >= ledger->plan.publishers ||
            lane >= ledger->plan.lanes ||
            number >= ledger->next[(size_t)publisher * ledger->plan.lanes + lane])
                return -EBADMSG;
        expected = &ledger->expected[(size_t)receiver * ledger->plan.publishers + publisher];
        if (number < *expected)
                return -EBADMSG;
        missing = number - *expected;
        *expected = number + 1;
        ledger->lost += missing;
        ledger->delivered++;
        ledger->accounts[publisher].settled += missing + 1;
        return 0;
}

uint64_t ledger_delivered(const struct ledger *ledger)
{
        return ledger->delivered;
}

uint64_t ledger_lost(const struct ledger *ledger)
{
        return ledger->lost;
}

uint64_t ledger_under_way(const struct ledger *ledger)
{
        uint64_t under_way = 0;

        for (unsigned i = 0; i < ledger->plan.publishers; i++) {
                const struct account *account = &ledger->accounts[i];

                under_way += account->published * ledger->plan.copies - account->settled;
                if (ledger->plan.acknowledged)
                        under_way += account->published - account->acknowledged;
        }
        return under_way;
}
