#include "cmd/database.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/error.h"

/* `password = x`, also within `sslpassword`, or `?password=x` of a URI. */
static bool has_keyword(const char *text)
{
    static const char keyword[] = "password";
    for (const char *at = strstr(text, keyword); at != NULL; at = strstr(at + 1, keyword)) {
        const char *after = at + sizeof keyword - 1;
        if (after[strspn(after, " \t\n\r\f\v")] == '=')
            return true;
    }
    return false;
}

/* `postgresql://user:password@host`. A password that holds a slash or a question mark is one, too,
 * though libpq takes it for a port, and says so. */
static bool has_user_password(const char *text)
{
    const char *authority = strstr(text, "://");
    if (strncmp(text, "postgres", 8) != 0 || authority == NULL)
        return false;
    authority += 3;
    const char *colon = strchr(authority, ':');
    return colon != NULL && strchr(colon, '@') != NULL;
}

cm_status cm_database_check(const cm_settings *settings, cm_option option, cm_error *error)
{
    const char *text = cm_settings_text(settings, option);
    if (text == NULL || (!has_keyword(text) && !has_user_password(text)))
        return CM_OK;
    return cm_error_set(
        error, CM_ERROR_USAGE,
        "--db holds a password, which others could see; put it into a password file "
        "(~/.pgpass) or PGPASSWORD");
}

const char *cm_database_shown(const char *text)
{
    bool may_be_one = strstr(text, "://") != NULL || strstr(text, "password") != NULL;
    return may_be_one ? "(a connection string)" : text;
}

/* Among the users that this machine knows itself. */
static cm_status find_local_user(uid_t number, const struct passwd **user, cm_error *error)
{
    char text[128];
    FILE *file = fopen("/etc/passwd", "re");
    *user = NULL;
    if (file == NULL && errno != ENOENT && errno != ENOMEM)
        return cm_error_set(error, CM_ERROR_IO,
                            "/etc/passwd: cannot open, to note who started this: %s; let it be "
                            "read, or raise the limit of open files (ulimit -n)",
                            strerror_r(errno, text, sizeof text));
    if (file == NULL)
        return CM_OK;
    do
        *user = fgetpwent(file);
    while (*user != NULL && (*user)->pw_uid != number);
    int cause = errno;
    (void)fclose(file); /* read only */
    errno = cause;
    return CM_OK;
}

/* glibc 2.36 crashes where memory is short while it sets up the services that know users: they are
 * asked for those alone that this machine does not know itself. */
cm_status cm_database_started_by(const char **name, cm_error *error)
{
    const struct passwd *user;
    errno = 0;
    cm_status status = find_local_user(geteuid(), &user, error);
    if (status == CM_OK && user == NULL && errno != ENOMEM)
        user = getpwuid(geteuid());
    *name = user == NULL ? NULL : user->pw_name;
    if (status == CM_OK && user == NULL && errno == ENOMEM)
        return cm_error_memory(error, "the name of the user", sizeof *user);
    return status;
}
