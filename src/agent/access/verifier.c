#include "agent/access/verifier.h"

#include "base/attributes.h"
#include "proto/token.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

struct verifier {
        struct loop *loop;
        struct loop_work *work;
        struct verified *verified;
        struct list jobs;
        size_t jobs_count;
        size_t waiters_count;
        size_t hashes_count;
        char hashes[][TOKEN_HASH_SIZE];
};

struct verifier_job {
        struct loop_job job;
        struct list link;
        struct verifier *verifier; /* NULL: it is gone, nobody waits */
        struct list waiters;
        uint64_t origin;
        struct verified_mark mark;

        /* What the pool's thread works on: the job's own. */
        char token[TOKEN_MAX + 1];
        int result;
        size_t index;
        size_t hashes_count;
        char hashes[][TOKEN_HASH_SIZE];
};

int verifier_new(struct loop *loop, struct loop_work *work, const char *const hashes[],
                 size_t count, struct verifier **ret)
{
        AUTO(verifier) struct verifier *verifier = NULL;
        int r;

        verifier = calloc(1, sizeof *verifier + count * sizeof verifier->hashes[0]);
        if (!verifier)
                return -ENOMEM;
        list_init(&verifier->jobs);
        verifier->loop = loop;
        verifier->work = work;
        verifier->hashes_count = count;
        for (size_t i = 0; i < count; i++)
                memcpy(verifier->hashes[i], hashes[i], strnlen(hashes[i], TOKEN_HASH_SIZE - 1));
        r = verified_new(&verifier->verified);
        if (r < 0)
                return r;
        *ret = TAKE(verifier);
        return 0;
}

static void job_free(struct verifier_job *job)
{
        sodium_memzero(job->token, sizeof job->token);
        free(job);
}

/* Takes the job out of the verifier and tells all that wait. */
static void job_answer(struct verifier_job *job, int result, size_t index)
{
        struct verifier *verifier = TAKE(job->verifier);
        struct list waiters, *position;
        bool first = true;

        list_remove(&job->link);
        verifier->jobs_count--;
        list_init(&waiters);
        list_splice(&waiters, &job->waiters);
        /* What they do may end in verifier_free(): it is not touched in between. */
        list_for_each (&waiters, counted)
                verifier->waiters_count--;
        while ((position = list_take_first(&waiters))) {
                struct verifier_waiter *waiter =
                        container_of(position, struct verifier_waiter, link);

                waiter->on_verified(waiter, result, index, first);
                first = false;
        }
}

struct verifier *verifier_free(struct verifier *verifier)
{
        if (!verifier)
                return NULL;
        while (!list_is_empty(&verifier->jobs))
                job_answer(container_of(verifier->jobs.next, struct verifier_job, link), -ECANCELED,
                           0);
        verified_free(verifier->verified);
        free(verifier);
        return NULL;
}

int verifier_recall(const struct verifier *verifier, const char *token, uint64_t now_ms,
                    size_t *index)
{
        struct verified_mark mark;

        verified_mark(verifier->verified, token, &mark);
        return verified_find(verifier->verified, &mark, now_ms, index);
}

/* Stops at the first that fits: the time tells only who holds a good secret which
 * place it has, and a wrong one always costs all of them. */
static void job_run(struct loop_job *loop_job)
{
        struct verifier_job *job = container_of(loop_job, struct verifier_job, job);

        job->result = 0;
        for (size_t i = 0; i < job->hashes_count && job->result == 0; i++) {
                job->index = i;
                job->result = token_verify(job->hashes[i], job->token);
        }
}

static void job_done(struct loop_job *loop_job)
{
        struct verifier_job *job = container_of(loop_job, struct verifier_job, job);
        struct verifier *verifier = job->verifier;

        if (verifier) {
                if (job->result == 1)
                        verified_put(verifier->verified, &job->mark, job->index,
                                     loop_now_ms(verifier->loop));
                job_answer(job, job->result, job->index);
        }
        job_free(job);
}

static int job_new(struct verifier *verifier, uint64_t origin, const struct verified_mark *mark,
                   const char *token, struct verifier_job **ret)
{
        struct verifier_job *job;
        size_t hashes_size = verifier->hashes_count * sizeof verifier->hashes[0];
        int r;

        job = calloc(1, sizeof *job + hashes_size);
        if (!job)
                return -ENOMEM;
        job->job.run = job_run;
        job->job.done = job_done;
        list_init(&job->link);
        list_init(&job->waiters);
        job->origin = origin;
        job->mark = *mark;
        job->result = -ECANCELED; /* what is done without having run stays so */
        job->hashes_count = verifier->hashes_count;
        memcpy(job->hashes, verifier->hashes, hashes_size);
        memcpy(job->token, token, strlen(token) + 1);
        r = loop_work_submit(verifier->work, &job->job);
        if (r < 0) {
                job_free(job);
                return r;
        }
        job->verifier = verifier;
        list_append(&verifier->jobs, &job->link);
        verifier->jobs_count++;
        *ret = job;
        return 0;
}

int verifier_submit(struct verifier *verifier, uint64_t origin, const char *token,
                    struct verifier_waiter *waiter)
{
        struct verifier_job *job = NULL;
        struct verified_mark mark;
        size_t of_origin = 0;
        int r;

        if (!token_length_is_good(token))
                return -EINVAL;
        if (verifier->waiters_count == VERIFIER_WAITERS_MAX)
                return -EAGAIN;
        verified_mark(verifier->verified, token, &mark);
        list_for_each (&verifier->jobs, position) {
                struct verifier_job *other = container_of(position, struct verifier_job, link);

                if (other->origin != origin)
                        continue;
                of_origin++;
                if (sodium_memcmp(other->mark.bytes, mark.bytes, sizeof mark.bytes) == 0)
                        job = other;
        }
        if (!job) {
                if (verifier->jobs_count == VERIFIER_JOBS_MAX ||
                    of_origin == VERIFIER_JOBS_PER_ORIGIN)
                        return -EAGAIN;
                r = job_new(verifier, origin, &mark, token, &job);
                if (r < 0)
                        return r;
        }
        list_append(&job->waiters, &waiter->link);
        verifier->waiters_count++;
        return 0;
}

size_t verifier_jobs(const struct verifier *verifier)
{
        return verifier->jobs_count;
}
