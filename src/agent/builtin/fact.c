#include "agent/builtin/fact.h"

#include <stddef.h>

void fact_write_missing(struct json_writer *writer, const char *key)
{
        json_write_string(writer, key, "N/A");
}

void fact_write_text(struct json_writer *writer, const char *key, int result, const char *text)
{
        json_write_string(writer, key, result < 0 ? "N/A" : text);
}

void fact_write_count(struct json_writer *writer, const char *key, int result, uint64_t count)
{
        if (result < 0)
                fact_write_missing(writer, key);
        else
                json_write_integer(writer, key, count > INT64_MAX ? INT64_MAX : (int64_t)count);
}

void fact_write_number(struct json_writer *writer, const char *key, int result, double number)
{
        if (result < 0)
                fact_write_missing(writer, key);
        else
                json_write_double(writer, key, number);
}

void fact_write_load(struct json_writer *writer, const char *key, int result, const double load[3])
{
        if (result < 0) {
                fact_write_missing(writer, key);
                return;
        }
        json_write_array(writer, key);
        for (size_t i = 0; i < 3; i++)
                json_write_double(writer, NULL, load[i]);
        json_write_end(writer);
}

double fact_percent(uint64_t part, uint64_t whole)
{
        double percent = 100.0 * (double)part / (double)whole;

        if (percent > 100)
                percent = 100;
        return (double)(uint64_t)(percent * 10 + 0.5) / 10;
}
