/* active.json on the disk. Its rename is the moment in which a version changes. */
#include "agent/handler/active-table.h"
#include "agent/handler/folder.h"
#include "base/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define NAME "active.json"
#define PREVIOUS "active.json.prev"
#define UNKNOWN "active.json.unknown"
#define PREPARED ".active.json.partial" /* base/durable.h */

static bool is_about_us(int r)
{
        return r < 0 && r != -EPROTONOSUPPORT && !folder_is_damage(r);
}

static int load_one(struct active_table *table, int directory_fd, const char *name)
{
        AUTO_FREE char *bytes = NULL;
        size_t count;
        int r = durable_read_own(directory_fd, name, ACTIVE_BYTES_MAX, &bytes, &count);

        /* Too much hangs on it to believe in one bad read. */
        if (r == -EIO)
                r = durable_read_own(directory_fd, name, ACTIVE_BYTES_MAX, &bytes, &count);
        if (r == 0)
                r = active_table_decode(table, bytes, count);
        /* An agent that came after us wrote it: it will want it back. */
        if (r == -EPROTONOSUPPORT)
                (void)renameat(directory_fd, name, directory_fd, UNKNOWN);
        return r;
}

int active_table_load(struct active_table *table, int directory_fd)
{
        int first = load_one(table, directory_fd, NAME), second;

        if (first == 0)
                return ACTIVE_READ;
        if (is_about_us(first))
                return first;
        second = load_one(table, directory_fd, PREVIOUS);
        if (is_about_us(second))
                return second;
        /* Nor may .prev go before there is something in its place. */
        table->distrusts = first != -ENOENT || second == 0;
        if (second == 0)
                return ACTIVE_READ_PREVIOUS;
        return first == -ENOENT && second == -ENOENT ? ACTIVE_FRESH : ACTIVE_LOST;
}

/* The file in place becomes .prev as well. 1: it did; 0: there was none, or the file
 * system knows no links; -errno. */
static int keep_previous(int directory_fd)
{
        if (unlinkat(directory_fd, PREVIOUS, 0) < 0 && errno != ENOENT)
                return -errno;
        if (linkat(directory_fd, NAME, directory_fd, PREVIOUS, 0) == 0)
                return 1;
        return errno == ENOENT || errno == EPERM || errno == EOPNOTSUPP || errno == EMLINK ? 0
                                                                                           : -errno;
}

/* After a rename of which nobody knows whether it will survive: the old one again,
 * durably or at least as visibly as the new one. True: it is in place. */
static bool restore(int directory_fd)
{
        if (linkat(directory_fd, PREVIOUS, directory_fd, PREPARED, 0) < 0)
                return false;
        if (durable_place(directory_fd, NAME) >= 0)
                return true;
        (void)unlinkat(directory_fd, PREPARED, 0);
        return false;
}

int active_table_save(struct active_table *table, int directory_fd)
{
        struct buffer text;
        int kept = 0, r;

        table->generation++;
        buffer_init(&text, ACTIVE_BYTES_MAX);
        r = active_table_encode(table, &text);
        if (r == 0)
                r = durable_prepare(directory_fd, NAME, 0600, buffer_data(&text),
                                    buffer_length(&text));
        buffer_done(&text);
        if (r == 0 && !table->distrusts)
                r = kept = keep_previous(directory_fd);
        if (r >= 0)
                r = durable_place(directory_fd, NAME);
        if (r < 0) {
                durable_discard(directory_fd, NAME);
        } else if (r == DURABLE_UNSYNCED) {
                int failure = -errno;

                r = kept > 0 && restore(directory_fd) ? failure : ACTIVE_COMMITTED_UNSYNCED;
        }
        if (r < 0)
                table->generation--;
        else
                table->distrusts = false;
        return r;
}
