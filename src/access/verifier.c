#include "access/verifier.h"

#include "base/attributes.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

struct verifier {
        struct loop *loop;
        struct loop_work *work;
        struct slowdown *slowdown;
        struct verified *verified;
        struct list jobs; /* by their turn */
        size_t jobs_count;
        size_t waiters_count;
        struct verifier_job *running; /* NULL: none; the first of them */
        bool answering;               /* the next one is begun when that is done */
        bool ended;                   /* while answering: that is the end of it */
        uint64_t turn;                /* of the job that was begun last */
};

struct verifier_job {
        struct loop_job job;
        struct list link;
        struct verifier *verifier; /* NULL: it is gone, nobody waits */
        struct list waiters;
        uint64_t origin, turn;
        struct verified_mark mark;

        /* What the pool's thread works on: the job's own. */
        bool decoy;
        int result;
        size_t index;
        size_t secret_length, hashes_count;
        char secret[PASSWORD_MAX];
        char hashes[]; /* one after the other, each terminated */
};

int verifier_new(struct loop *loop, struct loop_work *work, struct slowdown *slowdown,
                 struct verifier **ret)
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
        verifier->slowdown = slowdown;
        verifier->verified = verified;
        *ret = TAKE(verifier);
        return 0;
}

static void job_free(struct verifier_job *job)
{
        sodium_memzero(job->secret, sizeof job->secret);
        free(job);
}

/* Takes the job out of the verifier and tells all that wait, who may free the verifier. */
static void job_answer(struct verifier_job *job, int result, size_t index)
{
        struct verifier *verifier = TAKE(job->verifier);
        struct list waiters, *position;
        bool first = true;

        list_remove(&job->link);
        verifier->jobs_count--;
        if (verifier->running == job)
                verifier->running = NULL;
        list_init(&waiters);
        list_splice(&waiters, &job->waiters);
        list_for_each (&waiters, counted)
                verifier->waiters_count--;
        while ((position = list_take_first(&waiters))) {
                struct verifier_waiter *waiter =
                        container_of(position, struct verifier_waiter, link);

                waiter->on_verified(waiter, result, index, first);
                first = false;
        }
}

static void destroy(struct verifier *verifier)
{
        verified_free(verifier->verified);
        free(verifier);
}

struct verifier *verifier_free(struct verifier *verifier)
{
        bool inside;

        if (!verifier)
                return NULL;
        inside = verifier->answering;
        verifier->answering = true; /* nothing new is begun */
        while (!list_is_empty(&verifier->jobs)) {
                struct verifier_job *job =
                        container_of(verifier->jobs.next, struct verifier_job, link);
                bool is_running = job == verifier->running;

                job_answer(job, -ECANCELED, 0);
                if (!is_running) /* else the pool's until it is done */
                        job_free(job);
        }
        verifier->ended = true;
        if (!inside)
                destroy(verifier);
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

static bool is_slowed(const struct verifier *verifier, const struct verifier_job *job)
{
        return slowdown_wait_ms(verifier->slowdown, job->origin, loop_now_ms(verifier->loop)) > 0;
}

/* Begins the first job that may be; those before it are answered. */
static void begin_next(struct verifier *verifier)
{
        while (!verifier->running && !list_is_empty(&verifier->jobs)) {
                struct verifier_job *job =
                        container_of(verifier->jobs.next, struct verifier_job, link);
                int r = is_slowed(verifier, job) ? -EACCES
                                                 : loop_work_submit(verifier->work, &job->job);

                if (r == 0) {
                        verifier->running = job;
                        verifier->turn = job->turn;
                        break;
                }
                job_answer(job, r == -EACCES ? r : -ECANCELED, 0);
                job_free(job);
        }
}

/* Failures are counted by who hears the answer: before the next one begins. */
static void job_conclude(struct verifier_job *job, struct verifier *verifier)
{
        if (job->result == 1)
                verified_put(verifier->verified, &job->mark, job->index,
                             loop_now_ms(verifier->loop));
        verifier->answering = true;
        job_answer(job, job->result, job->index);
        begin_next(verifier);
        verifier->answering = false;
        if (verifier->ended)
                destroy(verifier);
}

static void job_done(struct loop_job *loop_job)
{
        struct verifier_job *job = container_of(loop_job, struct verifier_job, job);

        if (job->verifier)
                job_conclude(job, job->verifier);
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

/* Its turn is after those of its origin, and after one of each other origin that waits. */
static void insert(struct verifier *verifier, struct verifier_job *job)
{
        struct list *before = &verifier->jobs;

        job->turn = verifier->turn + 1;
        list_for_each (&verifier->jobs, position) {
                const struct verifier_job *other =
                        container_of(position, struct verifier_job, link);

                if (other->origin == job->origin && other->turn >= job->turn)
                        job->turn = other->turn + 1;
        }
        list_for_each (&verifier->jobs, position) {
                if (container_of(position, struct verifier_job, link)->turn > job->turn) {
                        before = position;
                        break;
                }
        }
        list_append(before, &job->link); /* that is, before it */
        job->verifier = verifier;
        verifier->jobs_count++;
}

static int job_new(struct verifier *verifier, uint64_t origin, const struct verified_mark *mark,
                   const struct verifier_question *question, struct verifier_job **ret)
{
        struct verifier_job *job = job_copy(question);

        if (!job)
                return -ENOMEM;
        job->job.run = job_run;
        job->job.done = job_done;
        list_init(&job->link);
        list_init(&job->waiters);
        job->origin = origin;
        job->mark = *mark;
        job->result = -ECANCELED; /* what is done without having run stays so */
        if (!verifier->running && !verifier->answering) {
                int r = loop_work_submit(verifier->work, &job->job);

                if (r < 0) {
                        job_free(job);
                        return r;
                }
                verifier->running = job;
        }
        insert(verifier, job);
        if (verifier->running == job)
                verifier->turn = job->turn;
        *ret = job;
        return 0;
}

/* The job of this origin that answers the question; NULL: none. *of_origin: how many it has. */
static struct verifier_job *find_job(const struct verifier *verifier, uint64_t origin,
                                     const struct verified_mark *mark, size_t *of_origin)
{
        struct verifier_job *found = NULL;

        *of_origin = 0;
        list_for_each (&verifier->jobs, position) {
                struct verifier_job *job = container_of(position, struct verifier_job, link);

                if (job->origin != origin)
                        continue;
                ++*of_origin;
                if (sodium_memcmp(job->mark.bytes, mark->bytes, sizeof mark->bytes) == 0)
                        found = job;
        }
        return found;
}

int verifier_submit(struct verifier *verifier, uint64_t origin,
                    const struct verifier_question *question, struct verifier_waiter *waiter)
{
        struct verified_mark mark;
        struct verifier_job *job;
        size_t of_origin;
        int r;

        if (!question_is_good(question))
                return -EINVAL;
        if (verifier->waiters_count == VERIFIER_WAITERS_MAX)
                return -EAGAIN;
        question_mark(verifier, question, &mark);
        job = find_job(verifier, origin, &mark, &of_origin);
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
