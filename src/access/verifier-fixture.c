#include "access/verifier-fixture.h"

#include "base/attributes.h"

const char *const hashes[HASHES] = {FIRST_SECRET_HASH, SECOND_SECRET_HASH, THIRD_SECRET_HASH};

struct fixture fixture_new(size_t capacity)
{
        struct fixture f = {0};

        CHECK_EQ(loop_new_virtual(1000, &f.loop), 0);
        CHECK_EQ(loop_work_new(f.loop, capacity, &f.work), 0);
        CHECK_EQ(slowdown_new(&f.slowdown), 0);
        CHECK_EQ(verifier_new(f.loop, f.work, f.slowdown, &f.verifier), 0);
        return f;
}

void fixture_done(struct fixture *f)
{
        verifier_free(f->verifier);
        slowdown_free(f->slowdown);
        loop_work_free(f->work);
        loop_free(f->loop);
}

static void on_verified(struct verifier_waiter *waiter, int result, size_t index, bool first)
{
        struct asked *asked = container_of(waiter, struct asked, waiter);

        asked->result = result;
        asked->index = index;
        asked->first = first;
        asked->answers++;
}

struct verifier_question question_of(const char *secret)
{
        return (struct verifier_question){.whose = "",
                                          .secret = secret,
                                          .secret_length = strlen(secret),
                                          .hashes = hashes,
                                          .hashes_count = ARRAY_SIZE(hashes)};
}

int ask(struct fixture *f, uint64_t origin, const struct verifier_question *question,
        struct asked *asked)
{
        *asked = (struct asked){.waiter.on_verified = on_verified, .result = NOT_YET};
        return verifier_submit(f->verifier, origin, question, &asked->waiter);
}

int submit(struct fixture *f, uint64_t origin, const char *secret, struct asked *asked)
{
        struct verifier_question question = question_of(secret);

        return ask(f, origin, &question, asked);
}

int recall(const struct fixture *f, const char *secret, size_t *index)
{
        struct verifier_question question = question_of(secret);

        return verifier_recall(f->verifier, &question, index);
}

void run_until_idle(struct fixture *f)
{
        for (int rounds = 0; verifier_jobs(f->verifier) > 0 && rounds < 10000; rounds++)
                loop_run_once(f->loop, 100);
        CHECK_EQ(verifier_jobs(f->verifier), 0);
}
