#include "agent/ndjson/outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void ndjson_outbox_init(struct ndjson_outbox *outbox, struct net_stream *stream,
                        struct net_budget *budget)
{
        *outbox = (struct ndjson_outbox){.stream = stream, .budget = budget};
        list_init(&outbox->ordered);
        list_init(&outbox->unordered);
}

static void slot_free(struct ndjson_slot *slot)
{
        if (slot->text)
                net_budget_give(slot->outbox->budget, slot->length);
        free(slot->text);
        free(slot);
}

static void slots_abandon(struct list *slots)
{
        struct list *link;

        while ((link = list_take_first(slots))) {
                struct ndjson_slot *slot = container_of(link, struct ndjson_slot, link);

                if (slot->request)
                        command_request_abandon(slot->request);
                slot_free(slot);
        }
}

void ndjson_outbox_done(struct ndjson_outbox *outbox)
{
        slots_abandon(&outbox->ordered);
        slots_abandon(&outbox->unordered);
        outbox->pending = 0;
}

void ndjson_slot_open(struct ndjson_slot *slot, struct ndjson_outbox *outbox, bool ordered)
{
        *slot = (struct ndjson_slot){.outbox = outbox, .ordered = ordered};
        list_init(&slot->link);
        outbox->pending++;
}

static void slot_enqueue(struct ndjson_slot *slot)
{
        list_append(slot->ordered ? &slot->outbox->ordered : &slot->outbox->unordered, &slot->link);
}

void ndjson_slot_wait(struct ndjson_slot *slot, struct command_request *request)
{
        slot->request = request;
        slot_enqueue(slot);
}

static void send_line(struct ndjson_outbox *outbox, const char *line, size_t length)
{
        /* A write that fails closes the stream by itself. */
        (void)net_stream_write(outbox->stream, line, length);
        outbox->bytes += length;
}

/* Sends the replies that waited for the one before them. */
static void send_ready(struct ndjson_outbox *outbox)
{
        list_for_each (&outbox->ordered, position) {
                struct ndjson_slot *slot = container_of(position, struct ndjson_slot, link);

                if (!slot->answered)
                        return;
                send_line(outbox, slot->text, slot->length);
                list_remove(&slot->link);
                slot_free(slot);
                outbox->pending--;
        }
}

static int slot_keep(struct ndjson_slot *slot, const char *line, size_t length)
{
        int r = net_budget_take(slot->outbox->budget, length);

        if (r < 0)
                return r;
        slot->text = malloc(length);
        if (!slot->text) {
                net_budget_give(slot->outbox->budget, length);
                return -ENOMEM;
        }
        memcpy(slot->text, line, length);
        slot->length = length;
        slot->answered = true;
        if (list_is_empty(&slot->link))
                slot_enqueue(slot);
        return 0;
}

int ndjson_slot_answer(struct ndjson_slot *slot, const char *line, size_t length)
{
        struct ndjson_outbox *outbox = slot->outbox;
        bool first = list_is_empty(&outbox->ordered) || outbox->ordered.next == &slot->link;
        int r = 1;

        slot->request = NULL;
        if (length == 0) {
                r = -ENOMEM;
        } else if (slot->ordered && !first) {
                r = slot_keep(slot, line, length);
                if (r == 0)
                        return 0;
        } else {
                send_line(outbox, line, length);
        }
        list_remove(&slot->link);
        outbox->pending--;
        /* What waited for a reply that never comes would be taken for it. */
        if (slot->ordered && r > 0)
                send_ready(outbox);
        return r;
}
