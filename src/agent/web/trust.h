/* agent/web/trust.h - is it a page of somebody else's that asks?
 *
 * A browser lets any page of the web send requests to this machine, and a page's owner may let
 * a name of theirs point here, so that for the browser it is the page's own. A token is what
 * such a page does not have. Where none is needed, as in open mode, the browser must have asked
 * for an address, for this machine's name, or for one of http.names. */
#pragma once

#include "agent/web/web.h"
#include "proto/http/head.h"

/* NULL: it may go on; else why not, a sentence. `with_token`: the request shows one. */
const char *web_distrust(const struct web *web, const struct http_request *request,
                         bool with_token);
