#include "broker/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

int broker_user_become(const char *name, struct error *error)
{
        const struct passwd *user;

        if (geteuid() != 0 || strcmp(name, "root") == 0)
                return 0;
        errno = 0;
        user = getpwnam(name);
        if (!user)
                return error_set(error, errno != 0 ? -errno : -ENOENT,
                                 "there is no user %s (`user`)", name);
        if (initgroups(name, user->pw_gid) < 0 || setgid(user->pw_gid) < 0 ||
            setuid(user->pw_uid) < 0)
                return error_set(error, -errno, "cannot become user %s: %s", name, strerror(errno));
        return 0;
}
