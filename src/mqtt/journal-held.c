#include "mqtt/journal-held.h"

#include "base/attributes.h"
#include "mqtt/journal-internal.h"
#include "mqtt/sender.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES_MAX = 64 << 20, BYTES_ENOUGH = 256 << 10 };

struct mqtt_held {
        struct list link;  /* of the journal's `held`, while there are any */
        struct list pause; /* of its `paused` ones */
        struct mqtt_client *client;
        struct buffer entries;
        uint32_t count;
        uint32_t charged; /* bytes of `entries` in the broker's ledger */
};

/* Bytes of a packet follow, or it is the PUBLISH with that identifier. */
struct entry {
        uint64_t sequence;
        uint32_t length; /* 0: the PUBLISH */
        uint16_t packet_id;
};

/* Its memory has changed. */
static void charge(struct mqtt_held *held)
{
        struct mqtt_ledger *ledger = &held->client->broker->ledger;

        mqtt_ledger_remove(ledger, held->charged);
        held->charged = held->entries.capacity;
        mqtt_ledger_add(ledger, held->charged);
}

struct mqtt_held *mqtt_held_free(struct mqtt_held *held)
{
        if (!held)
                return NULL;
        list_remove(&held->link);
        list_remove(&held->pause);
        buffer_done(&held->entries);
        charge(held);
        free(held);
        return NULL;
}

/* NULL: no memory. */
static struct mqtt_held *open_held(struct mqtt_client *client)
{
        struct mqtt_client_more *more = mqtt_client_more(client);
        struct mqtt_held *held;

        if (!more || more->held)
                return more ? more->held : NULL;
        held = calloc(1, sizeof(*held));
        if (!held)
                return NULL;
        list_init(&held->link);
        list_init(&held->pause);
        buffer_init(&held->entries, BYTES_MAX);
        held->client = client;
        more->held = held;
        return held;
}

static struct mqtt_held *held_of(const struct mqtt_client *client)
{
        return client->more ? client->more->held : NULL;
}

static bool may_go(const struct mqtt_client *client, uint64_t sequence)
{
        const struct mqtt_held *held = held_of(client);

        return (!held || held->count == 0) &&
               mqtt_journal_is_durable(client->broker->journal, sequence);
}

static int add(struct mqtt_client *client, const struct entry *entry, const char *bytes)
{
        struct mqtt_held *held = open_held(client);
        int r;

        if (!held)
                return -ENOMEM;
        r = buffer_reserve(&held->entries, sizeof(*entry) + entry->length);
        if (r < 0)
                return r;
        (void)buffer_append(&held->entries, entry, sizeof(*entry)); /* reserved */
        (void)buffer_append(&held->entries, bytes, entry->length);
        charge(held);
        if (held->count++ == 0)
                list_append(&client->broker->journal->held, &held->link);
        return 0;
}

void mqtt_held_write(struct mqtt_client *client, int encoded, uint64_t sequence)
{
        struct buffer *scratch = &client->broker->scratch;
        struct entry entry = {.sequence = sequence, .length = (uint32_t)buffer_length(scratch)};

        if (encoded < 0 || buffer_length(scratch) > client->packet_bytes ||
            may_go(client, sequence)) {
                mqtt_client_write(client, encoded);
                return;
        }
        /* Who is sent away in this round hears of nothing that is not durable. */
        if (!mqtt_client_is_connected(client)) {
                buffer_truncate(scratch, 0);
                return;
        }
        /* Without memory the client asks again, in another connection. */
        if (add(client, &entry, buffer_data(scratch)) < 0)
                mqtt_client_doom(client, MQTT_SERVER_BUSY);
        else
                client->broker->counters[MQTT_COUNT_JOURNAL_HELD]++;
        buffer_truncate(scratch, 0);
}

bool mqtt_held_publish(struct mqtt_client *client, uint16_t packet_id)
{
        struct mqtt_journal *journal = client->broker->journal;
        struct entry entry = {.sequence = mqtt_journal_all(journal), .packet_id = packet_id};

        if (may_go(client, entry.sequence))
                return false;
        if (add(client, &entry, NULL) < 0)
                mqtt_client_doom(client, MQTT_SERVER_BUSY);
        return true;
}

static bool is_full(const struct mqtt_held *held)
{
        return held && (held->count >= held->client->terms->receive_maximum ||
                        buffer_length(&held->entries) >= BYTES_ENOUGH);
}

bool mqtt_held_is_enough(struct mqtt_client *client)
{
        struct mqtt_journal *journal = client->broker->journal;
        struct mqtt_held *held;

        if (!journal)
                return false;
        if (!is_full(held_of(client)) && !(journal->congested && mqtt_journal_has_changes(journal)))
                return false;
        held = open_held(client);
        if (!held || !mqtt_client_is_connected(client))
                return false;
        list_remove(&held->pause);
        list_append(&journal->paused, &held->pause);
        client->waiting = true;
        net_stream_pause(client->stream);
        return true;
}

void mqtt_held_open(struct mqtt_client *client, uint64_t sequence)
{
        client->question->opened = true;
        client->question->sequence = sequence;
        client->broker->journal->opening++;
        net_stream_pause(client->stream);
}

void mqtt_held_close(struct mqtt_client *client)
{
        if (client->question && client->question->opened && !client->question->answered)
                client->broker->journal->opening--;
}

static void give_back(struct mqtt_held *held)
{
        buffer_shrink(&held->entries, 0);
        charge(held);
}

/* All that may go, as long as the client is there. */
static void release(struct mqtt_held *held)
{
        struct mqtt_client *client = held->client;
        struct mqtt_journal *journal = client->broker->journal;
        struct entry entry;

        while (held->count > 0 && mqtt_client_is_connected(client)) {
                struct buffer *entries = &held->entries;

                memcpy(&entry, buffer_data(entries), sizeof(entry));
                if (!mqtt_journal_is_durable(journal, entry.sequence))
                        break;
                if (entry.length > 0)
                        mqtt_client_send(client, buffer_data(entries) + sizeof(entry),
                                         entry.length);
                buffer_consume(entries, sizeof(entry) + entry.length);
                held->count--;
                if (entry.length == 0)
                        mqtt_sender_send_held(client, entry.packet_id);
        }
        if (held->count == 0)
                give_back(held);
        else
                list_append(&journal->held, &held->link);
}

/* Those whose CONNECT waits for its session. */
static void release_opening(struct mqtt_journal *journal)
{
        list_for_each (&journal->broker->connecting, position) {
                struct mqtt_client *client = container_of(position, struct mqtt_client, link);
                struct mqtt_question *question = client->question;

                if (!question || !question->opened || question->answered ||
                    !mqtt_journal_is_durable(journal, question->sequence))
                        continue;
                question->answered = true;
                journal->opening--;
                net_stream_resume(client->stream);
        }
}

static void hear_again(struct mqtt_journal *journal)
{
        struct list paused, *link;

        if (journal->congested)
                return;
        list_init(&paused);
        list_splice(&paused, &journal->paused);
        while ((link = list_take_first(&paused)) != NULL) {
                struct mqtt_held *held = container_of(link, struct mqtt_held, pause);

                if (is_full(held))
                        list_append(&journal->paused, link);
                else {
                        held->client->waiting = false;
                        mqtt_client_hear(held->client);
                }
        }
}

void mqtt_held_release_all(struct mqtt_journal *journal)
{
        struct list waiting, *link;

        list_init(&waiting);
        list_splice(&waiting, &journal->held);
        while ((link = list_take_first(&waiting)) != NULL)
                release(container_of(link, struct mqtt_held, link));
        if (journal->opening > 0)
                release_opening(journal);
        hear_again(journal);
}
