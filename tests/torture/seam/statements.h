/*
 * Statements on their way to the server, each of those that one text holds. Modes of the classes
 * sql and commit are five characters: the SQLSTATE that the server raises instead of running the
 * statement; 57P01 ends the session. Or, of commit: lost, the connection is lost before the answer.
 */
#ifndef TORTURE_SEAM_STATEMENTS_H
#define TORTURE_SEAM_STATEMENTS_H

#include <stdbool.h>

typedef struct seam_text {
    char *changed; /* what is to be sent in its place: from malloc; NULL: the text as it is */
    bool is_lost;  /* once it is sent, so is the connection */
} seam_text;

/** Count the statements of a text as calls of sql, COMMITs as calls of commit, too. */
seam_text seam_statements_meet(const char *sql);

#endif
