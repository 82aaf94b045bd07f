#include "InheritedEnvironment.h"

#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "CKernel.h"
#include "PendingMarks.h"
#include "ProcessState.h"

/* Enough for most programs. Those with more variables get a mapping. */
enum { FEW = 32, STORAGE = 4096 };

/* A list that ends with NULL. The first entry is for the name of the table that this process chooses, an empty string
 * until then. environment_capture() writes the others before the program's own code runs, and
 * environment_hand_on_configuration_file() one more. */
static char *few[1 + FEW + 1 + 1] = {""};
static char **captured = few;
static size_t captured_count = 1;
static int is_captured;
static char storage[STORAGE];

#define PRELOAD "LD_PRELOAD="

static int has_prefix(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Whether children get the variable. The others are for the process' own search for its configuration. */
static int is_handed_on(const char *entry) {
    return has_prefix(entry, "SOCKSIFY_") || has_prefix(entry, PRELOAD) ||
           has_prefix(entry, "PROXYCHAINS_CONF_FILE=") || has_prefix(entry, "PROXYCHAINS_QUIET_MODE=");
}

static int concerns_the_library(const char *entry) {
    return is_handed_on(entry) || has_prefix(entry, "HOME=") || has_prefix(entry, "XDG_CONFIG_HOME=") ||
           has_prefix(entry, "XDG_RUNTIME_DIR=");
}

/* Tells a program that it may inherit sockets about which the library knows more than the kernel. */
static char sockets_entry[] = "SOCKSIFY_SOCKETS=1";
static int was_told_of_sockets;

static int hands_on_sockets(void) {
    const uint32_t hands_on = DESCRIPTOR_RELAYED | DESCRIPTOR_SUBSTITUTE | DESCRIPTOR_OPTIONS | DESCRIPTOR_MIXED |
                              DESCRIPTOR_ENCAPSULATED;
    for (int fd = 0; fd < descriptor_end(); fd++)
        if (descriptor_mark(fd) & hands_on || descriptor_may_be_pending(fd)) return 1;
    return 0;
}

int environment_take_sockets_variable(void) {
    if (!was_told_of_sockets || !environ) return 0;
    char **entry = environ;
    while (*entry && strcmp(*entry, sockets_entry) != 0) entry++;
    /* The variable is for one program, and not for those that it starts. */
    for (; *entry; entry++) entry[0] = entry[1];
    was_told_of_sockets = 0;
    return 1;
}

void environment_capture(void) {
    if (is_captured || !environ) return;
    /* A program with another user's rights must not take its proxies from this environment. */
    if (getauxval(AT_SECURE)) {
        is_captured = 1;
        return;
    }
    size_t size = 0, count = 0;
    for (char **entry = environ; *entry; entry++) {
        if (!concerns_the_library(*entry)) continue;
        size += strlen(*entry) + 1;
        count++;
    }
    char *next = storage;
    if (size > STORAGE || count > FEW) {
        size_t pointers = (1 + count + 1 + 1) * sizeof *captured;
        long mapped = kernel_map(pointers + size);
        if (mapped < 0) return;
        captured = (char **)mapped;
        captured[0] = few[0];
        next = (char *)mapped + pointers;
    }
    for (char **entry = environ; *entry; entry++) {
        if (!concerns_the_library(*entry)) continue;
        if (strcmp(*entry, sockets_entry) == 0) {
            was_told_of_sockets = 1;
            continue;
        }
        size_t length = strlen(*entry) + 1;
        captured[captured_count++] = memcpy(next, *entry, length);
        next += length;
    }
    is_captured = 1;
}

static const char *value_in(char *const *environment, const char *name) {
    size_t length = strlen(name);
    for (; environment && *environment; environment++)
        if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=') return *environment + length + 1;
    return NULL;
}

const char *environment_captured(const char *name) {
    environment_capture();
    return value_in(captured, name);
}

const char *environment_of_program(const char *name) {
    return value_in(environ, name);
}

void environment_hand_on_configuration_file(const char *path) {
    static const char name[] = "SOCKSIFY_CONF=";
    static int is_found;
    size_t length = strlen(path) + 1;
    long mapped = kernel_map(sizeof name + length);
    if (mapped < 0) return;
    char *entry = (char *)mapped;
    memcpy(entry, name, sizeof name - 1);
    memcpy(entry + sizeof name - 1, path, length);
    /* Threads that read the configuration at the same time find the same file. */
    if (__atomic_exchange_n(&is_found, 1, __ATOMIC_RELAXED)) {
        kernel_unmap(entry, sizeof name + length);
        return;
    }
    captured[captured_count] = entry;
    captured_count++;
}

/* Writes a number with this many digits and leading zeros; with as many as needed for 0 digits. */
static char *write_number(char *end, uint64_t number, unsigned base, int digits) {
    char text[20];
    int at = sizeof text;
    do {
        text[--at] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number || (int)sizeof text - at < digits);
    return mempcpy(end, text + at, sizeof text - (size_t)at);
}

void environment_choose_table(void) {
    static const char name[] = "SOCKSIFY_TABLE=", memory[] = "/dev/shm", file[] = "/socksify-";
    enum { LONGEST_FOLDER = 200, LONGEST_NUMBER = 20 };
    static char entry[sizeof name + LONGEST_FOLDER + sizeof file + LONGEST_NUMBER + 1 + 16];
    /* The name's random part. Threads that come here at the same time use the one that the first has drawn, and write
     * the same bytes. So nobody waits, even in a signal handler or in a child of a thread that was interrupted here. */
    static uint64_t choice;
    enum { IS_CHOSEN = 1, IN_RUNTIME_FOLDER = 2, IN_OWN_FOLDER = 4, PLACES = IN_RUNTIME_FOLDER | IN_OWN_FOLDER };

    if (__atomic_load_n(&captured[0], __ATOMIC_ACQUIRE) == entry) return;
    if (environment_captured("SOCKSIFY_TABLE") || getauxval(AT_SECURE)) return;
    const char *folder = environment_captured("XDG_RUNTIME_DIR");
    /* In a folder that all users share, each user has a folder of its own. */
    char own[sizeof memory + sizeof file + LONGEST_NUMBER];
    *write_number(stpcpy(stpcpy(own, memory), file), kernel_effective_user(), 10, 1) = '\0';
    uint64_t chosen = __atomic_load_n(&choice, __ATOMIC_RELAXED), drawn;
    if (!chosen) {
        if (kernel_random(&drawn, sizeof drawn) != sizeof drawn) return;
        drawn = (drawn | IS_CHOSEN) & ~(uint64_t)PLACES;
        if (folder && *folder == '/' && strlen(folder) <= LONGEST_FOLDER && kernel_can_write_to_folder(folder))
            drawn |= IN_RUNTIME_FOLDER;
        else if (kernel_look_at_folder(own) != KERNEL_FOLDER_IS_ANOTHERS)
            drawn |= IN_OWN_FOLDER;
        if (__atomic_compare_exchange_n(&choice, &chosen, drawn, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) chosen = drawn;
    }
    char *end = stpcpy(entry, name);
    end = stpcpy(end, chosen & IN_RUNTIME_FOLDER ? folder : chosen & IN_OWN_FOLDER ? own : memory);
    end = stpcpy(end, file);
    end = write_number(end, (uint64_t)process_own_id(), 10, 1);
    *end++ = '-';
    *write_number(end, chosen, 16, 16) = '\0';
    __atomic_store_n(&captured[0], entry, __ATOMIC_RELEASE);
}

/* The ID of the process tree's root, from the table's name; 0 if there is none yet. */
static unsigned root_of_tree(void) {
    static const char file[] = "/socksify-";
    const char *path = environment_captured("SOCKSIFY_TABLE"), *name = path ? strrchr(path, '/') : NULL;
    if (!name || !has_prefix(name, file)) return 0;
    unsigned root = 0;
    for (name += sizeof file - 1; *name >= '0' && *name <= '9'; name++) root = root * 10 + (unsigned)(*name - '0');
    return root;
}

int environment_may_have_table(void) {
    if (process_runtime_is_made()) return 1;
    if (root_of_tree() != (unsigned)process_own_id()) return 0;
    return kernel_is_there(environment_captured("SOCKSIFY_TABLE"));
}

/* The word of the table that records that it was handed on; NULL if it is set, or there is no table. */
static uint64_t *unsaid;

void environment_table_is_unshared(uint64_t *is_handed_on) {
    __atomic_store_n(&unsaid, is_handed_on, __ATOMIC_RELEASE);
}

static int is_alone = 1;

int environment_is_alone(void) {
    unsigned root = root_of_tree();
    return __atomic_load_n(&is_alone, __ATOMIC_RELAXED) && (!root || root == (unsigned)process_own_id());
}

void environment_hand_on_table(void) {
    __atomic_store_n(&is_alone, 0, __ATOMIC_RELAXED);
    environment_choose_table();
    if (!__atomic_load_n(&unsaid, __ATOMIC_RELAXED)) return;
    uint64_t *is_handed_on = __atomic_exchange_n(&unsaid, NULL, __ATOMIC_ACQ_REL);
    if (is_handed_on) __atomic_store_n(is_handed_on, 1, __ATOMIC_RELAXED);
}

static char *const *find(char *const *environment, const char *entry) {
    size_t length = (size_t)(strchr(entry, '=') - entry) + 1;
    for (; environment && *environment; environment++)
        if (strncmp(*environment, entry, length) == 0) return environment;
    return NULL;
}

/* Finds this library in an LD_PRELOAD: its start and length; length 0 if it is missing. */
static size_t library_in(const char *preload, const char **start) {
    while (*preload) {
        size_t length = strcspn(preload, ": ");
        for (size_t at = 0; at < length; at++) {
            if ((at == 0 || preload[at - 1] == '/') && has_prefix(preload + at, "libsocksify.so")) {
                *start = preload;
                return length;
            }
        }
        preload += length;
        preload += strspn(preload, ": ");
    }
    return 0;
}

/* Whether `theirs`, an LD_PRELOAD entry, lacks the library that `ours` names. */
static int lacks_library(const char *theirs, const char *ours) {
    const char *start;
    return library_in(ours, &start) > 0 && library_in(theirs, &start) == 0;
}

struct environment_size environment_missing(char *const *environment) {
    struct environment_size size = {0, 0, 0};
    int is_complete = 1;
    for (char *const *entry = environment; entry && *entry; entry++) size.pointers++;
    for (char **entry = captured; *entry; entry++) {
        if (!is_handed_on(*entry)) continue;
        char *const *theirs = find(environment, *entry);
        if (!theirs) {
            size.pointers++;
            is_complete = 0;
            size.is_cleaned |= entry != captured;
        } else if (has_prefix(*entry, PRELOAD) && lacks_library(*theirs + strlen(PRELOAD), *entry + strlen(PRELOAD))) {
            size.bytes += strlen(*entry) + strlen(*theirs) + 2;
            is_complete = 0;
            size.is_cleaned = 1;
        }
    }
    if (hands_on_sockets()) {
        size.pointers++;
        is_complete = 0;
    }
    if (is_complete) return (struct environment_size){0, 0, 0};
    size.pointers++;
    return size;
}

/* An LD_PRELOAD that names other libraries, with this library before them. */
static char *write_preload(char *end, const char *ours, const char *theirs) {
    const char *library;
    size_t length = library_in(ours, &library);
    end = mempcpy(end, library, length);
    if (*theirs) *end++ = ':';
    return stpcpy(end, theirs);
}

int environment_complete(char *const *environment, struct environment_size size, void *memory) {
    char **pointers = memory, **room = pointers + size.pointers;
    char *bytes = (char *)room, *end_of_bytes = bytes + size.bytes;
    char **end = pointers;
    for (char *const *entry = environment; entry && *entry && end < room; entry++) *end++ = *entry;
    for (char **entry = captured; *entry; entry++) {
        if (!is_handed_on(*entry)) continue;
        char *const *theirs = find(environment, *entry);
        if (!theirs) {
            if (end == room) return 0;
            *end++ = *entry;
        } else if (has_prefix(*entry, PRELOAD) && lacks_library(*theirs + strlen(PRELOAD), *entry + strlen(PRELOAD))) {
            if (strlen(*entry) + strlen(*theirs) + 2 > (size_t)(end_of_bytes - bytes)) return 0;
            pointers[theirs - environment] = bytes;
            bytes = write_preload(stpcpy(bytes, PRELOAD), *entry + strlen(PRELOAD), *theirs + strlen(PRELOAD)) + 1;
        }
    }
    if (hands_on_sockets()) {
        if (end == room) return 0;
        *end++ = sockets_entry;
    }
    if (end == room) return 0;
    *end = NULL;
    return 1;
}

/* ----- Shell commands ----- */

struct text {
    char *start;
    size_t length, room;
};

static void add(struct text *text, char character) {
    if (text->length < text->room) text->start[text->length] = character;
    text->length++;
}

static void add_text(struct text *text, const char *added) {
    while (*added) add(text, *added++);
}

/* Between single quotes a shell takes every character literally except a single quote. */
static void add_quoted(struct text *text, const char *added, size_t length) {
    add(text, '\'');
    for (size_t index = 0; index < length; index++) {
        if (added[index] == '\'') add_text(text, "'\\''");
        else add(text, added[index]);
    }
    add(text, '\'');
}

/* " NAME='value'". Names that a shell does not accept are not the library's. */
static void add_variable(struct text *text, const char *entry) {
    size_t length = strspn(entry, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
    if (length == 0 || entry[length] != '=') return;
    add(text, ' ');
    for (size_t index = 0; index <= length; index++) add(text, entry[index]);
    add_quoted(text, entry + length + 1, strlen(entry + length + 1));
}

static void add_preload(struct text *text, const char *ours, const char *theirs) {
    const char *library;
    size_t length = library_in(ours, &library);
    add_text(text, " " PRELOAD);
    add_quoted(text, library, length);
    if (*theirs) add(text, ':');
    add_quoted(text, theirs, strlen(theirs));
}

size_t environment_write_shell_command(char *const *environment, const char *command, char *start, size_t room) {
    struct text text = {start, 0, room};
    add_text(&text, "export");
    for (char **entry = captured; *entry; entry++) {
        if (!is_handed_on(*entry)) continue;
        char *const *theirs = find(environment, *entry);
        if (!theirs) {
            add_variable(&text, *entry);
        } else if (has_prefix(*entry, PRELOAD) && lacks_library(*theirs + strlen(PRELOAD), *entry + strlen(PRELOAD))) {
            add_preload(&text, *entry + strlen(PRELOAD), *theirs + strlen(PRELOAD));
        }
    }
    if (hands_on_sockets()) add_variable(&text, sockets_entry);
    /* The name that system(3) and popen(3) use. */
    add_text(&text, "; exec /bin/sh -c ");
    add_quoted(&text, command, strlen(command));
    add_text(&text, " sh");
    add(&text, '\0');
    return text.length;
}
