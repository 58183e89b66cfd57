#include "access/password-fixture.h"

#include "base/attributes.h"
#include "support/test.h"

#include <unistd.h>

static void wait_for_release(struct loop_job *job)
{
        char byte;

        CHECK_EQ(read(container_of(job, struct held_work, job)->pipe[0], &byte, 1), 1);
}

static void was_released(struct loop_job *job)
{
        struct held_work *held = container_of(job, struct held_work, job);

        close(held->pipe[0]);
        close(held->pipe[1]);
}

void held_work_begin(struct held_work *held, struct loop_work *work)
{
        held->job = (struct loop_job){.run = wait_for_release, .done = was_released};
        CHECK_EQ(pipe(held->pipe), 0);
        CHECK_EQ(loop_work_submit(work, &held->job), 0);
}

void held_work_release(struct held_work *held)
{
        CHECK_EQ(write(held->pipe[1], "", 1), 1);
}
