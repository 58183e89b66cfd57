#include "cli/check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

enum {
        EPOCH_2024 = 1704067200, /* this program is younger: an earlier clock is wrong */
        DESCRIPTORS_GOOD = 4096,
        DISK_LOW_PERCENT = 5,
        MEBIBYTE = 1 << 20,
        DISK_LOW_MEBIBYTES = 200,
        DISK_FULL_MEBIBYTES = 16,
        INODES_FULL = 100,
};

void check_clock(struct findings *findings)
{
        struct timex state = {.modes = 0};
        time_t now = time(NULL);
        int r;

        if (now < EPOCH_2024) {
                finding_advise(finding_add(findings, FINDING_PROBLEM, "clock",
                                           "the clock is wrong: it says %" PRId64
                                           " seconds since 1970",
                                           (int64_t)now),
                               "timedatectl set-ntp true; a Pi without a clock chip needs the "
                               "network for it. Certificates and tokens are refused until then");
                return;
        }
        r = adjtimex(&state);
        if (r < 0)
                finding_add(findings, FINDING_OK, "clock",
                            "set (whether by NTP is not to be told)");
        else if (r == TIME_ERROR || (state.status & STA_UNSYNC))
                finding_advise(finding_add(findings, FINDING_WARNING, "clock",
                                           "set, but not kept right by NTP"),
                               "timedatectl set-ntp true");
        else
                finding_add(findings, FINDING_OK, "clock", "set and kept right by NTP");
}

/* The nearest directory of `path` that exists. */
static int existing(const char *path, char found[4096], struct stat *status)
{
        if (snprintf(found, 4096, "%s", path) >= 4096)
                return -ENAMETOOLONG;
        while (stat(found, status) < 0) {
                char *slash = strrchr(found, '/');

                if (errno != ENOENT || !slash)
                        return -errno;
                if (slash == found)
                        slash++;
                if (*slash == '\0')
                        return -ENOENT;
                *slash = '\0';
        }
        return 0;
}

void check_disk(const char *path, struct findings *findings)
{
        char found[4096];
        struct stat status;
        struct statvfs disk;
        uint64_t free_mebibytes, percent;
        enum finding_level level = FINDING_OK;
        struct finding *finding;
        int r = existing(path, found, &status);

        if (r == 0 && statvfs(found, &disk) < 0)
                r = -errno;
        if (r < 0) {
                finding_add(findings, FINDING_WARNING, "disk", "free space of %s: %s", path,
                            strerror(-r));
                return;
        }
        free_mebibytes = (uint64_t)disk.f_bavail * disk.f_frsize / MEBIBYTE;
        percent = disk.f_blocks > 0 ? (uint64_t)disk.f_bavail * 100 / disk.f_blocks : 0;
        if (free_mebibytes < DISK_FULL_MEBIBYTES ||
            (disk.f_files > 0 && disk.f_favail < INODES_FULL))
                level = FINDING_PROBLEM;
        else if (free_mebibytes < DISK_LOW_MEBIBYTES || percent < DISK_LOW_PERCENT)
                level = FINDING_WARNING;
        finding =
                finding_add(findings, level, "disk", "%" PRIu64 " MiB free (%" PRIu64 " %%) at %s",
                            free_mebibytes, percent, found);
        if (level != FINDING_OK)
                finding_advise(finding, "make room: journalctl --vacuum-size=100M, apt-get clean; "
                                        "a full disk stops updates and logs");
}

void check_state_directory(const char *path, struct findings *findings)
{
        struct stat status;

        if (stat(path, &status) < 0) {
                if (errno == ENOENT)
                        finding_add(findings, FINDING_OK, "state", "%s will be made by the agent",
                                    path);
                else
                        finding_add(findings, FINDING_WARNING, "state", "%s: %s", path,
                                    strerror(errno));
                return;
        }
        if (!S_ISDIR(status.st_mode))
                finding_advise(finding_add(findings, FINDING_PROBLEM, "state",
                                           "%s is not a directory", path),
                               "remove it; the agent makes what it needs");
        else if (status.st_mode & (S_IWGRP | S_IWOTH))
                finding_advise(finding_add(findings, FINDING_PROBLEM, "state",
                                           "%s can be written by others (%04o)", path,
                                           (unsigned)(status.st_mode & 07777)),
                               "chmod 0700 %s", path);
        else
                finding_add(findings, FINDING_OK, "state", "%s", path);
}

void check_descriptors(struct findings *findings)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return;
        if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < DESCRIPTORS_GOOD)
                finding_advise(finding_add(findings, FINDING_WARNING, "descriptors",
                                           "programs started here may open %" PRIu64
                                           " files: so many connections, no more",
                                           (uint64_t)limit.rlim_max),
                               "raise it: LimitNOFILE= in the unit, or ulimit -Hn");
        else
                finding_add(findings, FINDING_OK, "descriptors", "programs may open enough files");
}
