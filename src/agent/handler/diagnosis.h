/* agent/handler/diagnosis.h - why a module was refused: which layer, where, in words.
 *
 * A value with texts of its own. At most DIAGNOSIS_FINDINGS_MAX findings are kept, each text cut
 * at its bound; further ones are counted. */
#pragma once

#include "data/json-writer.h"

#include "data/json.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order in which they are looked at, but for sizes, which come first. */
enum diagnosis_layer {
        DIAGNOSIS_NONE,
        DIAGNOSIS_SYNTAX,
        DIAGNOSIS_SECURITY,
        DIAGNOSIS_PROTECTED,
        DIAGNOSIS_DEPENDENCY,
        DIAGNOSIS_IMPORT,
        DIAGNOSIS_RUNTIME,
        DIAGNOSIS_QUOTA,
};

enum {
        DIAGNOSIS_FINDINGS_MAX = 64,
        DIAGNOSIS_MESSAGE_MAX = 511,
        DIAGNOSIS_RULE_MAX = 63,
        DIAGNOSIS_FRAGMENT_MAX = 255,
        DIAGNOSIS_TRACEBACK_MAX = 4095,
};

struct diagnosis_finding {
        char *message;
        char *rule;           /* NULL: none */
        char *fragment;       /* of the source; NULL: none */
        char *severity;       /* NULL: none */
        int64_t line, column; /* counted from 1; 0: not known */
};

struct diagnosis {
        enum diagnosis_layer layer;
        struct diagnosis_finding findings[DIAGNOSIS_FINDINGS_MAX];
        size_t count, left_out;
        char *traceback; /* of what the module raised; NULL: none */
};

const char *diagnosis_layer_name(enum diagnosis_layer layer); /* "security" */
bool diagnosis_layer_from_name(const char *name, enum diagnosis_layer *ret);

void diagnosis_init(struct diagnosis *diagnosis);
void diagnosis_done(struct diagnosis *diagnosis); /* twice is fine */

/* A finding without a place. -ENOMEM: it is counted as left out. */
int diagnosis_add(struct diagnosis *diagnosis, enum diagnosis_layer layer, const char *format, ...)
        PRINTF_LIKE(3, 4);
/* One with its place; what is not known is NULL or 0. */
int diagnosis_add_finding(struct diagnosis *diagnosis, enum diagnosis_layer layer,
                          const struct diagnosis_finding *finding);
/* Takes findings of somebody's report: {"layer":"security","findings":[{"message":...,
 * "rule":...,"line":...,"column":...,"fragment":...,"severity":...}]}. -EBADMSG: it has none
 * that could be read. */
int diagnosis_add_report(struct diagnosis *diagnosis, const cJSON *report);
int diagnosis_set_traceback(struct diagnosis *diagnosis, const char *text);

/* The first by position; NULL: there is none. */
const char *diagnosis_sentence(const struct diagnosis *diagnosis);
/* The members of `validation_details`, into an open object. */
void diagnosis_write(const struct diagnosis *diagnosis, struct json_writer *writer);
