/* A directory of parts on a real disk, and its files: parts are numbers, and a commit is a range of
 * them. */
#ifndef HARNESS_PART_FILES_H
#define HARNESS_PART_FILES_H

#include "file/parts.h"

/** The directory; set by part_files_begin. */
extern char part_files_directory[64];

/** Make a temporary place for the directory, which is not there yet. False where that fails. */
bool part_files_begin(void);

/** Remove the directory, and the place. */
void part_files_remove(void);
void part_files_end(void);

/* Files by their name in the directory. */
const char *part_files_path(const char *name);
bool part_files_exist(const char *name);
size_t part_files_count(void); /* but for the lock */
void part_files_put_file(const char *name, const char *bytes, size_t size);
cm_buffer part_files_get_file(const char *name);

/** Open the directory; fails the test where that fails. */
cm_parts *part_files_open(void);

/** Fails the test where it can be opened, or the message is without this part or a remedy. */
void part_files_refuse(cm_status code, const char *what);

/** The bytes of a part; some have megabytes. */
cm_buffer part_files_bytes(uint32_t number);

void part_files_put(cm_parts *parts, uint32_t number);

/** Commit parts begin to end - 1. */
cm_status part_files_try_commit(cm_parts *parts, uint32_t begin, uint32_t end, cm_error *error);
void part_files_commit(cm_parts *parts, uint32_t begin, uint32_t end);

/** Wait until all is written; fails the test where something could not be. */
void part_files_wait(cm_parts *parts);

/** Fails the test where the commit that was found is not whole, or more is there. Returns its end;
 * 0: none was found. */
uint32_t part_files_check(cm_parts *parts);

/** The same, opened again. */
uint32_t part_files_check_again(void);

/** A directory with a commit of parts 1 to 3. */
void part_files_make_three(void);

#endif
