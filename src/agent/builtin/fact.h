/* agent/builtin/fact.h - a member of a reply that may not be known: then it is "N/A".
 *
 * `result` is what the reading returned: below 0, the value is not looked at. */
#pragma once

#include "data/json-writer.h"

#include <stdint.h>

void fact_write_missing(struct json_writer *writer, const char *key);
void fact_write_text(struct json_writer *writer, const char *key, int result, const char *text);
void fact_write_count(struct json_writer *writer, const char *key, int result, uint64_t count);
void fact_write_number(struct json_writer *writer, const char *key, int result, double number);
void fact_write_load(struct json_writer *writer, const char *key, int result, const double load[3]);

/* `part` of `whole` in percent, 0 to 100, to one decimal. `whole` must not be 0. */
double fact_percent(uint64_t part, uint64_t whole);
