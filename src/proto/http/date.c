#include "proto/http/date.h"

#include <stdio.h>

enum { DAY_SECONDS = 86400 };

/* The last second of 9999. */
#define LAST INT64_C(253402300799)

struct day {
        unsigned year, month, day; /* month 1 to 12 */
};

/* From days since 1970 to the Gregorian calendar: years begin in March, so that the odd day
 * comes last; 400 of them have 146,097 days. No time zone, no locale, no 32-bit time_t. */
static struct day day_of(unsigned days)
{
        unsigned shifted = days + 719468; /* since 0000-03-01 */
        unsigned era = shifted / 146097, of_era = shifted % 146097;
        unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
        unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
        unsigned march_month = (5 * of_year + 2) / 153;

        return (struct day){
                .year = year + era * 400 + (march_month >= 10),
                .month = march_month < 10 ? march_month + 3 : march_month - 9,
                .day = of_year - (153 * march_month + 2) / 5 + 1,
        };
}

void http_date_format(int64_t unix_seconds, char text[HTTP_DATE_SIZE])
{
        static const char weekdays[] = "ThuFriSatSunMonTueWed"; /* 1970 began with a Thursday */
        static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
        unsigned days, second;
        struct day day;

        unix_seconds = unix_seconds < 0 ? 0 : unix_seconds > LAST ? LAST : unix_seconds;
        days = (unsigned)(unix_seconds / DAY_SECONDS);
        second = (unsigned)(unix_seconds % DAY_SECONDS);
        day = day_of(days);
        snprintf(text, HTTP_DATE_SIZE, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT",
                 weekdays + days % 7 * 3, day.day, months + (day.month - 1) * 3, day.year,
                 second / 3600, second / 60 % 60, second % 60);
}
