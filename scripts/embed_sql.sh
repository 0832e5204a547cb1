#!/bin/bash
# Turn the SQL files into one C file and its header, so that the program needs no files beside it.
#
#   scripts/embed_sql.sh SQL_DIR OUT_DIR
#
# SQL_DIR/queries/load_clicks.sql becomes `const char cm_sql_queries_load_clicks[]`. Files named
# SQL_DIR/migrations/NNN_name.sql also stand in the table cm_sql_migrations, in order of NNN, which
# must run 1, 2, 3, ... without a gap. Texts are written as octal bytes: no quoting to get wrong and
# no limit on the length of a string literal.
set -euo pipefail
export LC_ALL=C

die() {
    echo "embed_sql.sh: $*" >&2
    exit 1
}

[ $# -eq 2 ] || die "wrong usage; give SQL_DIR and OUT_DIR"
sql_dir=$1
out_dir=$2

files=()
if [ -d "$sql_dir" ]; then
    mapfile -t files < <(find "$sql_dir" -type f -name '*.sql' | sort)
fi

# The C name of an SQL file.
symbol() {
    local name=${1#"$sql_dir"/}
    name=${name%.sql}
    [[ $name =~ ^[A-Za-z0-9_/]+$ ]] ||
        die "$1: the name has other characters than letters, digits and '_'; rename the file"
    echo "cm_sql_${name//\//_}"
}

# The rows of the migration table.
migration_rows() {
    local expected=1 file base
    for file in ${files[@]+"${files[@]}"}; do
        [ "${file%/*}" = "$sql_dir/migrations" ] || continue
        base=$(basename "$file" .sql)
        [[ $base =~ ^([0-9]{3})_(.+)$ ]] ||
            die "$file: the name is not NNN_name.sql; rename the file"
        [ "$((10#${BASH_REMATCH[1]}))" -eq "$expected" ] ||
            die "$file: expected migration number $expected; renumber the file"
        echo "    {$expected, \"${BASH_REMATCH[2]}\", $(symbol "$file")},"
        expected=$((expected + 1))
    done
}

header() {
    echo "/* Made by scripts/embed_sql.sh from the SQL files; do not edit. */"
    printf '#ifndef CM_SQL_H\n#define CM_SQL_H\n\n#include <stddef.h>\n\n'
    printf 'struct cm_sql_migration {\n    int version;\n'
    printf '    const char *name; /* of 001_name.sql: "name" */\n    const char *text;\n};\n\n'
    echo "/* In order of version, which counts from 1. */"
    echo "extern const struct cm_sql_migration cm_sql_migrations[];"
    printf 'extern const size_t cm_sql_migration_count;\n\n'
    local file
    for file in ${files[@]+"${files[@]}"}; do
        echo "extern const char $(symbol "$file")[]; /* ${file#"$sql_dir"/} */"
    done
    printf '\n#endif\n'
}

source_text() {
    echo "/* Made by scripts/embed_sql.sh from the SQL files; do not edit. */"
    printf '#include "sql.h"\n'
    local file
    for file in ${files[@]+"${files[@]}"}; do
        printf '\nconst char %s[] = {\n' "$(symbol "$file")"
        od -An -v -to1 "$file" | sed "s/ \([0-7]*\)/'\\\\\1',/g"
        printf "'%s'};\n" '\0'
    done
    # C has no empty arrays: a row of zeros closes the table and is not counted.
    printf '\nconst struct cm_sql_migration cm_sql_migrations[] = {\n'
    echo "$rows"
    printf '    {0, NULL, NULL},\n};\n\n'
    echo "const size_t cm_sql_migration_count ="
    echo "    sizeof(cm_sql_migrations) / sizeof(cm_sql_migrations[0]) - 1;"
}

rows=$(migration_rows)
mkdir -p "$out_dir"
header >"$out_dir/sql.h.tmp"
source_text >"$out_dir/sql.c.tmp"
mv "$out_dir/sql.h.tmp" "$out_dir/sql.h"
mv "$out_dir/sql.c.tmp" "$out_dir/sql.c"
