/* broker/pid-file.h - a file that says which process this is, as long as it runs. */
#pragma once

#include "base/error.h"

/* Where it may take the rights of root; what is there stays. -errno with a sentence. */
int pid_file_open(const char *path, int *ret_fd, struct error *error);
/* Over what is there, when nothing keeps the program from running any more. -errno with a
 * sentence. */
int pid_file_write(const char *path, int fd, struct error *error);
/* If it is ours, or nobody's since we have not come to write it. */
void pid_file_remove(const char *path);
