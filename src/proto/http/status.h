/* proto/http/status.h - the status codes that are used here, RFC 9110, 15. */
#pragma once

/* "Not Found" for 404; "Unknown" for one that is not used here. */
const char *http_status_phrase(int status);
