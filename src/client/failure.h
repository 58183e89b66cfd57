/* client/failure.h - what libmosquitto and brokers say no with, as -errno and sentences. */
#pragma once

#include "base/error.h"

#include <stdint.h>

/* For a result of libmosquitto other than MOSQ_ERR_SUCCESS; `number` is errno as it was then,
 * `name` the broker's. Returns -errno. */
int client_failure(int result, int number, const char *name, struct error *error);

/* A broker's reason code, with the words that came with it (NULL: none). Returns it. */
int client_failure_reason(uint8_t reason, const char *what, const char *words, struct error *error);
