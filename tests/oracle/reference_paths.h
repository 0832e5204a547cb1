/**
 * Turns that a conversion may take in a model that has grown: worlds should reach all of them, or
 * agreement on them says little.
 */
#ifndef REFERENCE_PATHS_H
#define REFERENCE_PATHS_H

#define REFERENCE_PATHS(X)                                                                         \
    X(OTHER_FAMILY) /* a click's address is of the other version, and that has a weight */         \
    X(OTHER_BUCKET) /* it is of the same version, and that has a weight */                         \
    X(OS_EQUAL)     /* for each trait: equal, different, missing */                                \
    X(OS_DIFFERENT)                                                                                \
    X(OS_MISSING)                                                                                  \
    X(BROWSER_EQUAL)                                                                               \
    X(BROWSER_DIFFERENT)                                                                           \
    X(BROWSER_MISSING)                                                                             \
    X(SCREEN_EQUAL)                                                                                \
    X(SCREEN_DIFFERENT)                                                                            \
    X(SCREEN_MISSING)                                                                              \
    X(TIMEZONE_EQUAL)                                                                              \
    X(TIMEZONE_DIFFERENT)                                                                          \
    X(TIMEZONE_MISSING)                                                                            \
    X(OS_RESPELLED) /* equal but for the case of letters */                                        \
    X(BROWSER_RESPELLED)                                                                           \
    X(SCREEN_TURNED)                                                                               \
    X(LEFT_BY_DELAY_U)      /* clicks that were left weigh by strangers' delays */                 \
    X(NEWER_BESIDE_DELAY_U) /* newer ones do not, whatever the layers have */                      \
    X(OLDER)                /* of several devices of a fingerprint one has an older click */       \
    X(OLDER_OF_ADDRESS)     /* the newer of them is on the conversion's address */                 \
    X(NEWER)                /* clicks on the address are newer than the best */                    \
    X(NEWER_OF_SEVERAL)     /* devices */                                                          \
    X(NEWER_SAME_TIME)      /* by the click id alone */                                            \
    X(NEWER_CUT)            /* more clicks on the address than max_candidates */                   \
    X(NEWER_SAME_DEVICE)    /* what follows is left out: another click of a device */              \
    X(NEWER_EXPIRED)                                                                               \
    X(NEWER_OF_FINGERPRINT) /* the conversion's */                                                 \
    X(NEWER_WITHOUT_FINGERPRINT)                                                                   \
    X(NEWER_WINS)                                                                                  \
    X(EQUAL_WEIGHTS) /* the two largest of a layer */

#define REFERENCE_PATH(name) REFERENCE_PATH_##name,
typedef enum reference_path { REFERENCE_PATHS(REFERENCE_PATH) REFERENCE_PATH_COUNT } reference_path;
#undef REFERENCE_PATH

#endif
