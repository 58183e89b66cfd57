/* proto/http/date.h - the date format of HTTP, RFC 9110, 5.6.7. */
#pragma once

#include <stdint.h>

enum { HTTP_DATE_SIZE = 32 };

/* "Sun, 06 Nov 1994 08:49:37 GMT". Years before 1970 and after 9999 become those. */
void http_date_format(int64_t unix_seconds, char text[HTTP_DATE_SIZE]);
