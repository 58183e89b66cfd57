#include "access/verifier.h"

#include "base/attributes.h"

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
};

struct verifier_job {
        struct loop_job job;
        struct list link;
        struct verifier *verifier; /* NULL: it is gone, nobody waits */
        struct list waiters;
        uint64_t origin;
        struct verified_mark mark;

        /* What the pool's thread works on: the job's own. */
        bool decoy;
        int result;
        size_t index;
        size_t secret_length, hashes_count;
        char secret[PASSWORD_MAX];
        char hashes[]; /* one after the other, each terminated */
};

int verifier_new(struct loop *loop, struct loop_work *work, struct verifier **ret)
{
        AUTO(verifier) struct verifier *verifier = NULL;
        struct verified *verified;
        int r = verified_new(&verified);

        if (r < 0)
                return r;
        verifier = calloc(1, sizeof *verifier);
        if (!verifier) {
                verified_free(verified);
                return -ENOMEM;
        }
        list_init(&verifier->jobs);
        verifier->loop = loop;
        verifier->work = work;
        verifier->verified = verified;
        *ret = TAKE(verifier);
        return 0;
}

static void job_free(struct verifier_job *job)
{
        sodium_memzero(job->secret, sizeof job->secret);
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

static bool question_is_good(const struct verifier_question *question)
{
        return question->secret_length <= PASSWORD_MAX && question->hashes_count > 0 &&
               question->hashes_count <= VERIFIER_HASHES_MAX;
}

static void question_mark(const struct verifier *verifier, const struct verifier_question *question,
                          struct verified_mark *ret)
{
        struct verified_text texts[VERIFIER_HASHES_MAX + 3] = {
                {&question->decoy, sizeof question->decoy},
                {question->whose, question->whose_length},
                {question->secret, question->secret_length},
        };
        size_t count = 3;

        for (size_t i = 0; i < question->hashes_count; i++, count++)
                texts[count] =
                        (struct verified_text){question->hashes[i], strlen(question->hashes[i])};
        verified_mark(verifier->verified, texts, count, ret);
}

int verifier_recall(const struct verifier *verifier, const struct verifier_question *question,
                    size_t *index)
{
        struct verified_mark mark;

        if (!question_is_good(question))
                return 0;
        question_mark(verifier, question, &mark);
        return verified_find(verifier->verified, &mark, loop_now_ms(verifier->loop), index);
}

/* Stops at the first that fits: the time tells only who holds a good secret which
 * place it has, and a wrong one always costs all of them. */
static void job_run(struct loop_job *loop_job)
{
        struct verifier_job *job = container_of(loop_job, struct verifier_job, job);
        const char *hash = job->hashes;

        job->result = 0;
        for (size_t i = 0; i < job->hashes_count && job->result == 0; i++) {
                job->index = i;
                job->result = password_hash_verify(hash, job->secret, job->secret_length);
                hash += strlen(hash) + 1;
        }
        if (job->decoy && job->result == 1)
                job->result = 0;
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

static struct verifier_job *job_copy(const struct verifier_question *question)
{
        size_t size = 0;
        struct verifier_job *job;
        char *place;

        for (size_t i = 0; i < question->hashes_count; i++)
                size += strlen(question->hashes[i]) + 1;
        job = calloc(1, sizeof *job + size);
        if (!job)
                return NULL;
        job->decoy = question->decoy;
        memcpy(job->secret, question->secret, question->secret_length);
        job->secret_length = question->secret_length;
        job->hashes_count = question->hashes_count;
        place = job->hashes;
        for (size_t i = 0; i < question->hashes_count; i++)
                place = stpcpy(place, question->hashes[i]) + 1;
        return job;
}

static int job_new(struct verifier *verifier, uint64_t origin, const struct verified_mark *mark,
                   const struct verifier_question *question, struct verifier_job **ret)
{
        struct verifier_job *job = job_copy(question);
        int r;

        if (!job)
                return -ENOMEM;
        job->job.run = job_run;
        job->job.done = job_done;
        list_init(&job->link);
        list_init(&job->waiters);
        job->origin = origin;
        job->mark = *mark;
        job->result = -ECANCELED; /* what is done without having run stays so */
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

int verifier_submit(struct verifier *verifier, uint64_t origin,
                    const struct verifier_question *question, struct verifier_waiter *waiter)
{
        struct verifier_job *job = NULL;
        struct verified_mark mark;
        size_t of_origin = 0;
        int r;

        if (!question_is_good(question))
                return -EINVAL;
        if (verifier->waiters_count == VERIFIER_WAITERS_MAX)
                return -EAGAIN;
        question_mark(verifier, question, &mark);
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
                r = job_new(verifier, origin, &mark, question, &job);
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
