/* config/profiles.h -- profiles.toml: named sets of settings, one of them active.
 * Either this program or the Python client may have written the file, and either reads what the other wrote. */
#ifndef ORION_PROFILES_H
#define ORION_PROFILES_H

#include "config/toml.h"

typedef struct ProfileEntry {
    Str name;       /* of a setting, perhaps one of a later release */
    TomlKind kind;
    Str text;       /* the value as Python prints it */
    Str literal;    /* the value as it was in the file; null: it was set since, as a string */
    struct ProfileEntry *next;
} ProfileEntry;

typedef struct Profile {
    Str name;
    ProfileEntry *entries;
    bool built_in;  /* it needs no place in the file until it is changed */
    struct Profile *next;
} Profile;

/* Loaded for one command, changed in memory, and saved whole. All of it lives in the arena. */
typedef struct Profiles {
    Arena *arena;
    bool is_3;      /* as Prefect 3 has them */
    Str active;
    Profile *first;
} Profiles;

/* The file's profiles, and the built-in `default` if the file has none of that name. No file: only that one. False:
 * the file cannot be read, is not TOML, or names an unknown setting (the reference's text). */
bool profiles_load(Arena *arena, const char *path, Profiles *ret, Error *error) MUST_CHECK;
/* The same as Prefect 3 reads it: with its built-in profiles, and settings also by their paths, as keys or in nested
 * tables, which get their names here. Unknown names are kept. */
bool profiles_load_3(Arena *arena, const char *path, Profiles *ret, Error *error) MUST_CHECK;
/* Writes the file (see file_write), whose folder must exist; only its owner may read a new one, since profiles hold
 * keys. To change a file, lock it (see file_lock) before profiles_load. */
bool profiles_save(const char *path, const Profiles *profiles, Error *error) MUST_CHECK;

Profile *profiles_find(const Profiles *profiles, Str name); /* NULL: there is none */
Profile *profiles_add(Profiles *profiles, Str name);        /* at the end, empty; the name must be new */
void profiles_remove(Profiles *profiles, Str name);

ProfileEntry *profile_get(const Profile *profile, Str setting); /* NULL: it is not set */
void profile_set(Arena *arena, Profile *profile, Str setting, Str value);
void profile_unset(Profile *profile, Str setting);
/* Adds what `from` sets and `to` does not. */
void profile_merge(Arena *arena, Profile *to, const Profile *from);

#endif
