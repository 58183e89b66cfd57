/* broker/pid-file.h - a file that says which process this is, as long as it runs. */
#pragma once

#include "base/error.h"

/* Over what is there. -errno with a sentence. */
int pid_file_write(const char *path, struct error *error);
/* If it is still ours. */
void pid_file_remove(const char *path);
