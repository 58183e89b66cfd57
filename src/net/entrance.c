#include "net/entrance.h"

#include "base/attributes.h"
#include "base/list.h"
#include "base/text-copy.h"
#include "net/certificate.h"
#include "net/greeting.h"
#include "net/stream-internal.h"
#include "net/upgrade.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WAITING_MAX = 1024 };

/* What comes before it has an owner stays in the kernel. */
static const struct net_stream_limits limits_on_the_way = {
        .input = 0, .output = 16 * 1024, .output_high = 16 * 1024};

struct net_entrance {
        struct loop *loop;
        struct net_context *context;
        struct net_entrance_options options;
        struct net_entrance_owner owner;
        struct list arrivals;
        size_t waiting;
};

/* A connection on its way. */
struct arrival {
        struct list link;
        struct net_entrance *entrance; /* NULL: nobody is interested any more */
        struct greeting *greeting;     /* while it reads the header */
        int fd;                        /* until there is a stream */
        struct net_stream *stream;     /* while its handshake goes on */
        struct net_peer peer;
        bool silent; /* nobody is to hear that it left: it was a health check */
};

static void leave(struct arrival *arrival)
{
        if (!arrival->entrance)
                return;
        arrival->entrance->waiting--;
        arrival->entrance = NULL;
        list_remove(&arrival->link);
}

static void tell_refused(const struct net_entrance *entrance, const struct net_peer *peer,
                         int reason, const char *why)
{
        struct net_address address;

        if (!entrance->owner.on_refused)
                return;
        net_peer_address(peer, &address);
        entrance->owner.on_refused(entrance->owner.owner, &address, reason, why);
}

/* With a descriptor that is not a stream's. */
static void refuse(struct arrival *arrival, int reason, const char *why)
{
        struct net_entrance *entrance = arrival->entrance;
        const struct net_peer peer = arrival->peer;
        const bool silent = arrival->silent;

        leave(arrival);
        close(arrival->fd);
        free(arrival);
        if (!silent)
                tell_refused(entrance, &peer, reason, why);
}

/* ---- the handshake ---- */

static void on_open(void *owner)
{
        struct arrival *arrival = owner;
        struct net_entrance *entrance = arrival->entrance;
        struct net_stream *stream = arrival->stream;

        leave(arrival);
        free(arrival);
        net_stream_hand_over(stream, &limits_on_the_way, NULL);
        entrance->owner.on_stream(entrance->owner.owner, stream);
}

static void on_closed(void *owner, int reason)
{
        struct arrival *arrival = owner;
        struct net_entrance *entrance = arrival->entrance;
        const bool silent = arrival->silent && reason == -ECONNRESET;

        leave(arrival);
        if (entrance && !silent)
                tell_refused(entrance, &arrival->peer, reason, net_stream_failure(arrival->stream));
        free(arrival);
}

/* While its handshake goes on there is no input, and behind it another owner. */
static size_t on_bytes(void *owner, const char *bytes, size_t count)
{
        (void)owner;
        (void)bytes;
        return count;
}

static void on_end(void *owner)
{
        (void)owner;
}

static int open_stream(struct arrival *arrival)
{
        static const struct net_stream_calls calls = {
                .on_open = on_open, .on_bytes = on_bytes, .on_end = on_end, .on_closed = on_closed};
        const struct net_stream_owner owner = {.owner = arrival, .calls = &calls};
        const struct net_entrance *entrance = arrival->entrance;
        struct net_address peer;

        net_peer_address(&arrival->peer, &peer);
        return net_stream_new(entrance->context, arrival->fd, entrance->options.tls, &peer,
                              &limits_on_the_way, &owner, &arrival->stream);
}

/* `vouched`, which may be NULL, is taken over in every case. */
static void proceed(struct arrival *arrival, struct net_certificate *vouched)
{
        int r = open_stream(arrival);

        if (r < 0) {
                net_certificate_free(vouched);
                refuse(arrival, r, strerror(-r));
                return;
        }
        arrival->stream->vouched = vouched;
        if (!arrival->entrance->options.tls)
                on_open(arrival);
}

/* ---- the header of a proxy ---- */

/* Who the sender does not know is not taken for the sender. */
static void replace_peer(struct net_peer *peer, const struct proxy_header *header)
{
        struct net_address sender, client = {.length = sizeof(client.any.sa_family)};

        net_peer_address(peer, &sender);
        if (header->family == PROXY_IPV4) {
                client.v4.sin_family = AF_INET;
                memcpy(&client.v4.sin_addr, header->source, sizeof(client.v4.sin_addr));
                client.v4.sin_port = htons(header->source_port);
        } else if (header->family == PROXY_IPV6) {
                client.v6.sin6_family = AF_INET6;
                memcpy(&client.v6.sin6_addr, header->source, sizeof(client.v6.sin6_addr));
                client.v6.sin6_port = htons(header->source_port);
        }
        /* A loopback address is one of the sender's machine, which need not be ours. */
        if (net_address_is_loopback(&client) && !net_address_is_loopback(&sender))
                client = (struct net_address){.length = sizeof(client.any.sa_family)};
        net_peer_init(peer, &client);
}

static struct net_certificate *vouch(const struct proxy_header *header)
{
        AUTO(net_certificate) struct net_certificate *certificate = calloc(1, sizeof(*certificate));

        if (!certificate)
                return NULL;
        if (header->common_name) {
                certificate->common_name =
                        text_copy(header->common_name, header->common_name_length);
                if (!certificate->common_name)
                        return NULL;
        }
        return TAKE(certificate);
}

static const char *greeting_failure(int r)
{
        switch (r) {
        case -ETIMEDOUT:
                return "no header of the PROXY protocol came in time";
        case -EBADMSG:
                return "what came is no header of the PROXY protocol";
        case -EMSGSIZE:
                return "the header of the PROXY protocol is too long";
        case -ECONNRESET:
                return "the connection ended within the header of the PROXY protocol";
        default:
                return strerror(-r);
        }
}

/* NULL: the header says what is asked for. */
static const char *what_is_missing(enum net_entrance_proof proof, const struct proxy_header *header)
{
        if (proof >= NET_ENTRANCE_PROOF_TLS && !header->tls)
                return "the proxy does not say that its client came by TLS";
        if (proof >= NET_ENTRANCE_PROOF_CERTIFICATE && !header->verified)
                return "the proxy has verified no certificate of its client";
        return NULL;
}

static void on_greeting(void *owner, int r, const struct proxy_header *header)
{
        struct arrival *arrival = owner;
        struct net_certificate *vouched = NULL;
        const char *missing;

        arrival->greeting = NULL;
        if (r < 0) {
                /* Connected, and gone again: whoever does that looks whether we are there. */
                arrival->silent = r == -ENODATA;
                refuse(arrival, r, greeting_failure(r));
                return;
        }
        arrival->silent = header->local;
        if (!header->local)
                replace_peer(&arrival->peer, header);
        missing = what_is_missing(arrival->entrance->options.proxy_proof, header);
        if (missing) {
                refuse(arrival, -EACCES, missing);
                return;
        }
        if (arrival->entrance->options.proxy_certificates) {
                vouched = vouch(header);
                if (!vouched) {
                        refuse(arrival, -ENOMEM, strerror(ENOMEM));
                        return;
                }
        }
        proceed(arrival, vouched);
}

/* ---- the entrance ---- */

int net_entrance_new(struct loop *loop, struct net_context *context,
                     const struct net_entrance_options *options,
                     const struct net_entrance_owner *owner, struct net_entrance **ret)
{
        struct net_entrance *entrance = calloc(1, sizeof(*entrance));

        if (!entrance)
                return -ENOMEM;
        entrance->loop = loop;
        entrance->context = context;
        net_entrance_change(entrance, options);
        entrance->owner = *owner;
        list_init(&entrance->arrivals);
        *ret = entrance;
        return 0;
}

static struct arrival *arrive(struct net_entrance *entrance, int fd, const struct net_peer *peer)
{
        struct arrival *arrival = calloc(1, sizeof(*arrival));

        if (!arrival)
                return NULL;
        arrival->entrance = entrance;
        arrival->fd = fd;
        arrival->peer = *peer;
        list_append(&entrance->arrivals, &arrival->link);
        entrance->waiting++;
        return arrival;
}

void net_entrance_admit(struct net_entrance *entrance, int fd, const struct net_address *peer)
{
        const char *why = strerror(ENOMEM);
        struct arrival *arrival = NULL;
        struct net_peer kept;
        int r;

        net_peer_init(&kept, peer);
        if (entrance->waiting >= entrance->options.waiting_max)
                why = "too many connections are on their way";
        /* Those who are connected have the rest of it. */
        else if (net_budget_is_tight(net_context_budget(entrance->context)))
                why = "too little memory is left";
        else
                arrival = arrive(entrance, fd, &kept);
        if (!arrival) {
                close(fd);
                tell_refused(entrance, &kept, -ENOBUFS, why);
        } else if (!entrance->options.proxy) {
                proceed(arrival, NULL);
        } else {
                r = greeting_new(entrance->loop, fd, on_greeting, arrival, &arrival->greeting);
                if (r < 0)
                        refuse(arrival, r, strerror(-r));
        }
}

void net_entrance_change(struct net_entrance *entrance, const struct net_entrance_options *options)
{
        entrance->options = *options;
        if (entrance->options.waiting_max == 0)
                entrance->options.waiting_max = WAITING_MAX;
}

size_t net_entrance_waiting(const struct net_entrance *entrance)
{
        return entrance->waiting;
}

static void drop(struct arrival *arrival)
{
        leave(arrival);
        if (arrival->stream) {
                net_stream_close(arrival->stream); /* which frees the arrival */
                return;
        }
        greeting_free(arrival->greeting);
        close(arrival->fd);
        free(arrival);
}

struct net_entrance *net_entrance_free(struct net_entrance *entrance)
{
        if (!entrance)
                return NULL;
        while (!list_is_empty(&entrance->arrivals))
                drop(container_of(entrance->arrivals.next, struct arrival, link));
        free(entrance);
        return NULL;
}
