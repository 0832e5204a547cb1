/* The cases of a public JSON conformance suite: tests/golden/json. */
#ifndef HARNESS_JSON_CASES_H
#define HARNESS_JSON_CASES_H

#include <stddef.h>

/* What a parser must do with a text. */
typedef enum json_verdict {
    JSON_MUST_ACCEPT = 'y',
    JSON_MUST_REJECT = 'n',
    JSON_MAY_ACCEPT = 'i',
} json_verdict;

typedef struct json_case {
    char name[96];
    json_verdict verdict;
    char *text; /* without a NUL behind it */
    size_t size;
} json_case;

typedef struct json_cases {
    json_case *list;
    size_t count;
} json_cases;

/* Read tests/golden/json/cases.tsv, from the root of the repository; ends the program, with a
 * message, where that fails. Freed with json_cases_free. */
json_cases json_cases_load(void);

void json_cases_free(json_cases *cases);

#endif
