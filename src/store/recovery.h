/* store/recovery.h - what a log says after a stop of any kind, given back record by record.
 *
 * First the newest image, then the changes since, in the order they were made, up to the
 * first that is not there as a whole: a state that there was. A tail that was torn, or was
 * not yet on the disk, was never promised; it is left out, and said. When something is missing
 * that had been on the disk, that is damage: it is said what and how much, the files with what
 * came later are kept beside as *.damaged until the next damage, and the log goes on from what
 * there is. In an image, whose records do not follow from each other, only those go that are
 * damaged. Damage never refuses a start.
 *
 * Blocking: before the loop runs. */
#pragma once

#include "store/log.h"

struct store_recovery {
        uint64_t generation; /* of the next segment: higher than all there are */
        uint64_t sequence;   /* of the last record, 0: none */
        uint64_t image_bytes;
        uint64_t segment_bytes;
        uint32_t segments;
        bool renew; /* something is missing, or what was read cannot be made to stay: begin afresh
                     */
};

/* `folder_fd` is ours alone. What `replay` returns below 0 ends it: -errno. -EPROTONOSUPPORT: of
 * a later version; -ENOMEM; -E2BIG; -errno. */
int store_recover(int folder_fd, const struct store_log_owner *owner, struct store_recovery *ret);
