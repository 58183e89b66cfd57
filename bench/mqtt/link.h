/* bench/mqtt/link.h - a client's connection, and many of them on one epoll.
 *
 * Set up while blocking: connect, CONNECT, SUBSCRIBE. Then it joins a set, which reads
 * whatever there is, up to 256 KiB, and presents packet by packet; what the owner
 * appends meanwhile leaves in one write when that read is done. One thread. */
#pragma once

#include "bench/mqtt/channel.h"
#include "bench/mqtt/wire.h"

#include <netinet/in.h>

enum {
        LINK_OUT_MAX = 8 * 1024 * 1024, /* beyond: -ENOBUFS */
        LINK_ANSWER_MS = 10000,         /* a broker answers within */
        LINK_SOURCES = 32,              /* 127.0.0.1 and up, so that ports do not run out */
        LINK_KEEP_ALIVE_S = 3600,
};

struct link {
        int fd;                  /* -1: not open */
        struct channel *channel; /* NULL: TCP without anything on it */
        unsigned number;         /* the owner's */
        bool version_5;
        bool is_receiver; /* the owner's */
        bool waits_for_room;
        uint8_t *out, *tail; /* not yet written; the beginning of a packet */
        size_t out_length, out_room, tail_length;
};

struct link_plan {
        struct sockaddr_in broker;
        bool version_5;
        bool lasting; /* the session */
        enum channel_kind kind;
        struct secure *secure; /* for TLS, else NULL */
};
/* 0; -ECONNREFUSED: CONNACK with a refusal; -EPROTO: something else than CONNACK; -ETIMEDOUT;
 * -errno, as channel_new(). After a failure, too, link_close(). */
int link_open(struct link *link, const struct link_plan *plan, unsigned number,
              const char *client_id);
/* One SUBSCRIBE, and its SUBACK; -EACCES: the broker refused a filter. */
int link_subscribe(struct link *link, uint16_t id, const struct wire_text filters[], size_t count,
                   uint8_t qos);
/* One PUBLISH of QoS 1, and its PUBACK. */
int link_publish(struct link *link, const struct wire_publish *publish);
void link_close(struct link *link);

/* A connection of TCP from the source address of `number`; returned blocking or, with
 * SOCK_NONBLOCK in `flags`, under way. -errno. */
int link_connect(const struct sockaddr_in *broker, unsigned number, int flags);

/* Appends; written by link_flush() or at the end of the read at hand. */
int link_append(struct link *link, const void *bytes, size_t count);
int link_flush(struct link *link, int epoll_fd);

struct links {
        int epoll_fd;
        int (*on_packet)(void *owner, struct link *link, const struct wire_packet *packet);
        void *owner;
        uint8_t *received;
};

int links_init(struct links *links,
               int (*on_packet)(void *, struct link *, const struct wire_packet *), void *owner);
void links_done(struct links *links);
/* -EOPNOTSUPP: it is more than TCP, and so only for being set up. */
int links_add(struct links *links, struct link *link);
/* One wait and what it brought. 1; 0: `timeout_ms` passed and nothing came; -ECONNRESET: the
 * broker hung up; what on_packet returned below 0; -errno. */
int links_turn(struct links *links, int timeout_ms);
