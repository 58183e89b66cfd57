/* access/password-fixture.h - passwords that are quick to verify, and a pool that verifies nothing
 * until the test lets it, for tests. */
#pragma once

#include "loop/work.h"

/* Of "first secret" and so on, as cheap as argon2id gets (8 KiB, one pass). */
#define FIRST_SECRET_HASH                                                                          \
        "$argon2id$v=19$m=8,t=1,p=1$e1EDx34TtomITuEBM97YAA$"                                       \
        "jkdTWcF0abDTO2jnUNAay6Is2vmdstxrKZaHaXCrM2Y"
#define SECOND_SECRET_HASH                                                                         \
        "$argon2id$v=19$m=8,t=1,p=1$F5l9jv3jc+Bgs4CuHTH9EA$"                                       \
        "hDb3FW0QAd6RD4L4Z4mY5E85GbNsg9FvfuZAdWsJq1I"
#define THIRD_SECRET_HASH                                                                          \
        "$argon2id$v=19$m=8,t=1,p=1$CghyACXMbL7fHFIW9TjsJg$"                                       \
        "B21Awx0v9qwyBRFriVpapn0XTDnHQXeX209LQJePrSk"

/* Somebody else's job, which runs until it is released; what comes after it waits. */
struct held_work {
        struct loop_job job;
        int pipe[2];
};
void held_work_begin(struct held_work *held, struct loop_work *work);
void held_work_release(struct held_work *held);
