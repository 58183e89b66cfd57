#include "agent/gpio/guard-link.h"

#include "base/attributes.h"
#include "base/list.h"
#include "base/thread.h"
#include "loop/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum {
        QUESTIONS_MAX = 2 * GUARD_HOLDS_MAX, /* each hold may be asked for and let go */
        MESSAGES_PER_ROUND = 32,
        SLEEPER_STACK = 256 << 10, /* arm64 takes no less than 128 KiB */
};

enum link_state { LINK_OPENED, LINK_GREETING, LINK_READY, LINK_LOST };

/* The thread whose death says that the agent died: see ipc/guard.h. */
struct sleeper {
        struct guard_page *page;
        pthread_t thread;
        sem_t asleep, end;
        bool alone; /* nobody else's id was in the page */
};

/* What was said and waits for its answer, or waits to be said. */
struct question {
        struct list link;
        uint16_t type;
        bool sent;
        int descriptor; /* ours until it is sent; -1: none */
        guard_answered_fn *answered;
        void *context;
        struct guard_hold hold; /* of a LET_GO: the id alone */
};

struct guard_link {
        struct loop_io io;
        struct ipc_channel channel;
        struct guard_page *page;
        struct sleeper sleeper;
        struct guard_link_owner owner;
        enum link_state state;
        bool io_open;
        uint32_t returned;
        uint64_t next_id;
        struct list questions; /* in the order of asking: those sent come first */
        size_t questions_count;
};

static void *sleep_until_end(void *argument)
{
        struct sleeper *sleeper = argument;
        uint32_t nobody = 0;

        sleeper->alone =
                atomic_compare_exchange_strong(&sleeper->page->alive, &nobody, (uint32_t)gettid());
        sem_post(&sleeper->asleep);
        while (sem_wait(&sleeper->end) < 0)
                continue;
        return NULL;
}

static void sleeper_done(struct sleeper *sleeper)
{
        sem_post(&sleeper->end);
        pthread_join(sleeper->thread, NULL);
        sem_destroy(&sleeper->asleep);
        sem_destroy(&sleeper->end);
}

static int sleeper_init(struct sleeper *sleeper, struct guard_page *page)
{
        int r;

        sleeper->page = page;
        sem_init(&sleeper->asleep, 0, 0);
        sem_init(&sleeper->end, 0, 0);
        r = thread_new("guard", SLEEPER_STACK, sleep_until_end, sleeper, &sleeper->thread);
        if (r < 0) {
                sem_destroy(&sleeper->asleep);
                sem_destroy(&sleeper->end);
                return r;
        }
        while (sem_wait(&sleeper->asleep) < 0)
                continue;
        if (!sleeper->alone) {
                sleeper_done(sleeper);
                return -EPROTO;
        }
        return 0;
}

static bool parse_descriptor(const char **text, char end, int *ret)
{
        char *stop;
        unsigned long value;

        if (**text < '0' || **text > '9')
                return false;
        errno = 0;
        value = strtoul(*text, &stop, 10);
        if (errno != 0 || value <= STDERR_FILENO || value > INT_MAX || *stop != end)
                return false;
        *text = stop + 1;
        *ret = (int)value;
        return true;
}

/* -ENOENT: no supervisor. */
static int inherit_descriptors(int *ret_channel, int *ret_page)
{
        const char *text = getenv(GUARD_ENVIRONMENT);
        int r = 0;

        if (!text)
                return -ENOENT;
        if (!parse_descriptor(&text, ',', ret_channel) ||
            !parse_descriptor(&text, '\0', ret_page) || *ret_channel == *ret_page)
                r = -EPROTO;
        unsetenv(GUARD_ENVIRONMENT);
        return r;
}

static int map_page(int fd, struct guard_page **ret)
{
        const int wanted = F_SEAL_SHRINK | F_SEAL_GROW;
        int seals = fcntl(fd, F_GET_SEALS);
        struct stat status;
        void *page;

        /* One that could shrink under us would be a SIGBUS at any beat. */
        if (seals < 0 || (seals & wanted) != wanted || fstat(fd, &status) < 0 ||
            status.st_size != GUARD_PAGE_BYTES)
                return -EPROTO;
        page = mmap(NULL, GUARD_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (page == MAP_FAILED)
                return -errno;
        *ret = page;
        return 0;
}

static int link_open(struct guard_link *link)
{
        int channel_fd, page_fd, r;

        r = inherit_descriptors(&channel_fd, &page_fd);
        if (r < 0)
                return r;
        r = map_page(page_fd, &link->page);
        if (r < 0)
                return r;
        r = ipc_channel_adopt(channel_fd, GUARD_VERSION, &link->channel);
        if (r == 0) {
                close(page_fd);
                r = sleeper_init(&link->sleeper, link->page);
        }
        if (r < 0) {
                ipc_channel_close(&link->channel);
                munmap(link->page, GUARD_PAGE_BYTES);
        }
        return r;
}

int guard_link_open(struct guard_link **ret)
{
        struct guard_link *link = calloc(1, sizeof(*link));
        int r;

        if (!link)
                return -ENOMEM;
        link->channel.fd = -1;
        link->next_id = 1;
        list_init(&link->questions);
        r = link_open(link);
        if (r < 0) {
                free(link);
                return r;
        }
        *ret = link;
        return 0;
}

static void question_end(struct guard_link *link, struct question *question, int error)
{
        guard_answered_fn *answered = question->answered;
        void *context = question->context;

        list_remove(&question->link);
        link->questions_count--;
        if (question->descriptor >= 0)
                close(question->descriptor);
        free(question);
        if (answered)
                answered(context, error);
}

static void end_questions(struct guard_link *link, int error)
{
        while (!list_is_empty(&link->questions))
                question_end(link, container_of(link->questions.next, struct question, link),
                             error);
}

/* Whoever is told may free the link: it lives until the round ends. */
static void link_lose(struct guard_link *link, int reason)
{
        if (link->state == LINK_LOST)
                return;
        link->state = LINK_LOST;
        loop_io_watch(&link->io, 0);
        /* The other side hears at once that nobody listens any more. */
        (void)shutdown(link->channel.fd, SHUT_RDWR);
        end_questions(link, -EPIPE);
        if (link->owner.on_lost)
                link->owner.on_lost(link->owner.owner, reason);
}

static int question_send(struct guard_link *link, struct question *question)
{
        struct ipc_channel *channel = &link->channel;
        const struct guard_let_go let_go = {.id = question->hold.id};

        if (question->type == GUARD_HOLD)
                return ipc_send(channel, GUARD_HOLD, &question->hold, sizeof(question->hold),
                                &question->descriptor, 1);
        return ipc_send(channel, GUARD_LET_GO, &let_go, sizeof(let_go), NULL, 0);
}

/* What the other side takes now; the rest when it has room. */
static void send_questions(struct guard_link *link)
{
        unsigned events = LOOP_READABLE;

        list_for_each (&link->questions, position) {
                struct question *question = container_of(position, struct question, link);
                int r = question->sent ? 0 : question_send(link, question);

                if (r == -EAGAIN || r == -ETOOMANYREFS) {
                        events |= LOOP_WRITABLE;
                        break;
                }
                if (r < 0) {
                        link_lose(link, r);
                        return;
                }
                question->sent = true;
                if (question->descriptor >= 0)
                        close(TAKE_FD(question->descriptor));
        }
        loop_io_watch(&link->io, events);
}

/* Said when the loop finds the channel writable: an error then shows there too,
 * and nobody is told of it from inside a call of their own. */
static void link_ask(struct guard_link *link, struct question *question)
{
        list_append(&link->questions, &question->link);
        link->questions_count++;
        loop_io_watch(&link->io, LOOP_READABLE | LOOP_WRITABLE);
}

static struct question *question_new(uint16_t type, uint64_t id, guard_answered_fn *answered,
                                     void *context)
{
        struct question *question = calloc(1, sizeof(*question));

        if (!question)
                return NULL;
        question->type = type;
        question->descriptor = -1;
        question->hold.id = id;
        question->answered = answered;
        question->context = context;
        return question;
}

int guard_link_hold(struct guard_link *link, const struct guard_hold *hold, int descriptor,
                    guard_answered_fn *answered, void *context)
{
        struct question *question;

        if (link->state != LINK_READY)
                return -EPIPE;
        if (hold->id == UINT64_MAX || guard_hold_check(hold) < 0)
                return -EINVAL;
        if (link->questions_count >= QUESTIONS_MAX)
                return -EAGAIN;
        question = question_new(GUARD_HOLD, hold->id, answered, context);
        if (!question)
                return -ENOMEM;
        question->hold = *hold;
        /* Whatever happens to the caller's until this is said. */
        question->descriptor = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
        if (question->descriptor < 0) {
                int r = -errno;

                free(question);
                return r;
        }
        if (hold->id >= link->next_id)
                link->next_id = hold->id + 1;
        link_ask(link, question);
        return 0;
}

int guard_link_let_go(struct guard_link *link, uint64_t id, guard_answered_fn *answered,
                      void *context)
{
        struct question *question;

        if (link->state != LINK_READY)
                return -EPIPE;
        if (link->questions_count >= QUESTIONS_MAX)
                return -EAGAIN;
        question = question_new(GUARD_LET_GO, id, answered, context);
        if (!question)
                return -ENOMEM;
        link_ask(link, question);
        return 0;
}

void guard_link_forget(struct guard_link *link)
{
        list_for_each (&link->questions, position)
                container_of(position, struct question, link)->answered = NULL;
}

int guard_link_stopping(struct guard_link *link)
{
        /* Out of order on purpose: what waits to be held is not held any more by
         * somebody who is about to end, and a full channel must not hide the end. */
        if (link->state != LINK_READY && link->state != LINK_GREETING)
                return -EPIPE;
        return ipc_send(&link->channel, GUARD_STOPPING, NULL, 0, NULL, 0);
}

uint64_t guard_link_new_id(struct guard_link *link)
{
        return link->next_id++;
}

void guard_link_beat(struct guard_link *link)
{
        atomic_fetch_add_explicit(&link->page->beat, 1, memory_order_relaxed);
        atomic_store_explicit(&link->page->beating, 1, memory_order_release);
}

void guard_link_rest(struct guard_link *link)
{
        atomic_store_explicit(&link->page->beating, 0, memory_order_release);
}

static int take_returned(struct guard_link *link, struct ipc_message *message)
{
        const struct guard_hold *hold = (const void *)message->payload;
        int fd;

        if (link->state != LINK_GREETING || link->returned >= GUARD_HOLDS_MAX ||
            hold->id == UINT64_MAX)
                return -EPROTO;
        fd = ipc_message_take_descriptor(message);
        if (fd < 0)
                return fd;
        link->returned++;
        if (hold->id >= link->next_id)
                link->next_id = hold->id + 1;
        if (link->owner.on_returned)
                link->owner.on_returned(link->owner.owner, hold, fd);
        else
                close(fd);
        return 0;
}

static int take_welcome(struct guard_link *link, const struct guard_welcome *welcome)
{
        if (link->state != LINK_GREETING || welcome->returned != link->returned)
                return -EPROTO;
        link->state = LINK_READY;
        if (link->owner.on_ready)
                link->owner.on_ready(link->owner.owner);
        return 0;
}

static int take_answer(struct guard_link *link, const struct guard_answer *answer)
{
        struct question *question;

        if (list_is_empty(&link->questions))
                return -EPROTO;
        question = container_of(link->questions.next, struct question, link);
        if (!question->sent || question->hold.id != answer->id)
                return -EPROTO;
        question_end(link, question, answer->error);
        return 0;
}

static int link_take(struct guard_link *link, struct ipc_message *message)
{
        int r = guard_message_check(message);

        if (r < 0)
                return -EPROTO;
        switch (message->type) {
        case GUARD_RETURN:
                return take_returned(link, message);
        case GUARD_WELCOME:
                return take_welcome(link, (const void *)message->payload);
        case GUARD_ACK:
        case GUARD_REFUSED:
                return take_answer(link, (const void *)message->payload);
        default:
                return -EPROTO; /* what only we say */
        }
}

static void link_receive(struct guard_link *link)
{
        for (unsigned i = 0; i < MESSAGES_PER_ROUND && link->state != LINK_LOST; i++) {
                struct ipc_message message;
                int r = ipc_receive(&link->channel, &message);

                if (r == -EAGAIN)
                        return;
                if (r == 1) {
                        r = link_take(link, &message);
                        ipc_message_discard(&message);
                } else if (r == 0) {
                        r = -EPIPE;
                }
                if (r < 0)
                        link_lose(link, r);
        }
}

static void link_on_ready(struct loop_io *io, unsigned events)
{
        struct guard_link *link = container_of(io, struct guard_link, io);

        if (events & (LOOP_READABLE | LOOP_HANGUP))
                link_receive(link);
        if (link->state != LINK_LOST)
                send_questions(link);
}

int guard_link_start(struct guard_link *link, struct loop *loop,
                     const struct guard_link_owner *owner)
{
        const struct guard_hello hello = {.version = GUARD_VERSION, .pid = (uint32_t)getpid()};
        int r;

        link->owner = *owner;
        r = loop_io_open(&link->io, loop, link->channel.fd, link_on_ready);
        if (r < 0)
                return r;
        link->io_open = true;
        r = ipc_send(&link->channel, GUARD_HELLO, &hello, sizeof(hello), NULL, 0);
        if (r < 0)
                return r;
        link->state = LINK_GREETING;
        loop_io_watch(&link->io, LOOP_READABLE);
        return 0;
}

static void link_on_closed(struct loop_io *io)
{
        free(container_of(io, struct guard_link, io));
}

struct guard_link *guard_link_free(struct guard_link *link)
{
        if (!link)
                return NULL;
        link->state = LINK_LOST;
        link->owner = (struct guard_link_owner){0};
        end_questions(link, -ECANCELED);
        atomic_store(&link->page->beating, 0);
        sleeper_done(&link->sleeper);
        munmap(link->page, GUARD_PAGE_BYTES);
        if (link->io_open)
                loop_io_close(&link->io, link_on_closed);
        ipc_channel_close(&link->channel);
        if (!link->io_open)
                free(link);
        return NULL;
}
