#include "store/log-life.h"

#include <sys/mman.h>

enum { STEPS = 100, AFRESH_AT = 45, STEP_MS = 9 };

struct log_fixture *life_new(void)
{
        struct log_fixture *f =
                mmap(NULL, sizeof(*f), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        CHECK(f != MAP_FAILED);
        fixture_init(f);
        f->options.image_bytes_min = 4096;
        f->options.interval_ms = 100;
        /* Three slices. */
        f->options.buffer_bytes = 4096;
        f->image_padding = 1000;
        return f;
}

void life_free(struct log_fixture *f)
{
        fixture_done(f);
        munmap(f, sizeof(*f));
}

void life_run(struct log_fixture *f)
{
        for (unsigned i = 0; i < STEPS; i++) {
                for (unsigned j = 0; j < 1 + i % 4; j++)
                        (void)fixture_change(f, i % 5 == 4 ? STORE_FSYNC : STORE_INTERVAL);
                if (i == AFRESH_AT)
                        store_log_renew(f->log);
                /* Images take some rounds, in which there are changes. */
                loop_run_once(f->loop, f->log->under_way ? 1000 : 0);
                loop_advance_ms(f->loop, STEP_MS);
        }
        fixture_settle(f);
}
