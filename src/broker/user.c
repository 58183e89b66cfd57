#include "broker/user.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What stands there by now may be something else: it is looked at, and given, as one. */
static int give_socket(const char *path, const struct passwd *user, struct error *error)
{
        AUTO_CLOSE int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        struct stat status;
        int r = 0;

        if (fd < 0 || fstat(fd, &status) < 0)
                r = -errno;
        else if (!S_ISSOCK(status.st_mode))
                r = -ENOTSOCK;
        else if (fchownat(fd, "", user->pw_uid, user->pw_gid, AT_EMPTY_PATH) < 0)
                r = -errno;
        return r < 0 ? error_set(error, r, "cannot give the socket %s to user %s: %s", path,
                                 user->pw_name, strerror(-r))
                     : 0;
}

static int give_sockets(const struct broker_config *config, const struct passwd *user,
                        struct error *error)
{
        const struct broker_listener *listeners = config->listeners.items;
        int r = 0;

        for (size_t i = 0; i < config->listeners.count && r == 0; i++)
                if (listeners[i].socket)
                        r = give_socket(listeners[i].socket, user, error);
        return r;
}

int broker_user_become(const struct broker_config *config, struct error *error)
{
        const char *name = config->user;
        const struct passwd *user;
        int r;

        if (!name || geteuid() != 0 || strcmp(name, "root") == 0)
                return 0;
        errno = 0;
        user = getpwnam(name);
        if (!user)
                return error_set(error, errno != 0 ? -errno : -ENOENT,
                                 "there is no user %s (`user`)", name);
        r = give_sockets(config, user, error);
        if (r < 0)
                return r;
        if (initgroups(name, user->pw_gid) < 0 || setgid(user->pw_gid) < 0 ||
            setuid(user->pw_uid) < 0)
                return error_set(error, -errno, "cannot become user %s: %s", name, strerror(errno));
        return 0;
}
