#include "client/backoff.h"

#include "support/test.h"

TEST(waits_double_up_to_half_a_minute_and_are_half_random)
{
        struct client_backoff backoff = {0};
        uint32_t bound = CLIENT_BACKOFF_FIRST_MS;

        for (int i = 0; i < 20; i++) {
                uint32_t wait = client_backoff_next_ms(&backoff);

                CHECK(wait >= bound / 2 && wait <= bound);
                bound = bound * 2 < CLIENT_BACKOFF_LAST_MS ? bound * 2 : CLIENT_BACKOFF_LAST_MS;
        }
}

TEST(no_two_clients_wait_alike)
{
        uint32_t first = 0;
        int different = 0;

        for (int i = 0; i < 50; i++) {
                struct client_backoff backoff = {0};
                uint32_t wait = client_backoff_next_ms(&backoff);

                if (i == 0)
                        first = wait;
                different += wait != first;
        }
        CHECK(different > 0);
}

TEST(after_a_connection_the_next_wait_is_short)
{
        struct client_backoff backoff = {0};

        for (int i = 0; i < 10; i++)
                (void)client_backoff_next_ms(&backoff);
        client_backoff_reset(&backoff);
        CHECK(client_backoff_next_ms(&backoff) <= CLIENT_BACKOFF_FIRST_MS);
}
