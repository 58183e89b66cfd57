#include "supervisor/heartbeat.h"

bool heartbeat_is_lost(struct heartbeat *heartbeat, const struct guard_page *page, uint64_t now_ms)
{
        bool beating = atomic_load_explicit(&page->beating, memory_order_acquire) == 1;
        uint32_t beat = atomic_load_explicit(&page->beat, memory_order_relaxed);
        uint64_t passed_ms = now_ms - heartbeat->seen_ms;

        heartbeat->seen_ms = now_ms;
        if (!beating || !heartbeat->beating || beat != heartbeat->beat) {
                heartbeat->beating = beating;
                heartbeat->beat = beat;
                heartbeat->silent_ms = 0;
                return false;
        }
        heartbeat->silent_ms += passed_ms < 2 * GUARD_BEAT_MS ? passed_ms : 2 * GUARD_BEAT_MS;
        return heartbeat->silent_ms >= GUARD_BEAT_LOST_MS;
}
