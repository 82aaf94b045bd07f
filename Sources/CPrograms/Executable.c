#include "Executable.h"

#include <elf.h>
#include <string.h>

/* ELF's numbers for this machine, and for the 32-bit programs that it may also run. */
#if defined(__x86_64__)
enum { MACHINE = EM_X86_64, MACHINE_32 = EM_386 };
#elif defined(__aarch64__)
enum { MACHINE = EM_AARCH64, MACHINE_32 = EM_ARM };
#endif

struct file {
    executable_reader read;
    void *context;
};

/* Whether the read was complete. */
static int read_at(const struct file *file, void *bytes, size_t count, uint64_t offset) {
    return file->read(file->context, bytes, count, offset) == count;
}

static int begins_with(const void *bytes, size_t count, const char *text) {
    size_t length = strlen(text);
    return count >= length && memcmp(bytes, text, length) == 0;
}

/* ----- Scripts ----- */

static int is_blank(char character) {
    return character == ' ' || character == '\t';
}

/* The first word of the line. */
static void read_script(const char *start, size_t count, struct executable *executable) {
    size_t at = 2, length = 0;
    while (at < count && is_blank(start[at])) at++;
    while (at < count && !is_blank(start[at]) && start[at] && start[at] != '\n')
        executable->name[length++] = start[at++];
    if (length) executable->format = EXECUTABLE_SCRIPT;
}

/* ----- Go ----- */

/* The compiler's build identifier among the notes of a segment (cmd/internal/buildid). */
static __attribute__((noinline)) int has_go_note(const struct file *file, const Elf64_Phdr *segment) {
    enum { GO_BUILD_ID = 4 };
    uint32_t notes[128];
    size_t size = segment->p_filesz < sizeof notes ? (size_t)segment->p_filesz : sizeof notes;
    size = file->read(file->context, notes, size, segment->p_offset);
    size_t alignment = segment->p_align == 8 ? 8 : 4;
    for (size_t at = 0; at <= size && size - at >= sizeof(Elf64_Nhdr) + 4;) {
        Elf64_Nhdr note;
        memcpy(&note, (const char *)notes + at, sizeof note);
        if (note.n_type == GO_BUILD_ID && note.n_namesz == 4 &&
            memcmp((const char *)notes + at + sizeof note, "Go\0", 4) == 0)
            return 1;
        size_t end = at + sizeof note + note.n_namesz;
        end = (end + alignment - 1) / alignment * alignment + note.n_descsz;
        at = (end + alignment - 1) / alignment * alignment;
    }
    return 0;
}

/* The section that lists the program's modules (debug/buildinfo). It remains if the build omits the identifier. */
static __attribute__((noinline)) int has_go_section(const struct file *file, const Elf64_Ehdr *header) {
    static const char name[] = ".go.buildinfo";
    enum { AT_ONCE = 5 };
    Elf64_Shdr sections[AT_ONCE];
    char names[192], found[sizeof name];
    if (header->e_shentsize != sizeof *sections || header->e_shstrndx >= header->e_shnum) return 0;
    if (!read_at(file, sections, sizeof *sections, header->e_shoff + header->e_shstrndx * sizeof *sections)) return 0;
    uint64_t start = sections->sh_offset;
    size_t count = file->read(file->context, names, sizeof names, start);
    for (unsigned first = 0; first < header->e_shnum; first += AT_ONCE) {
        size_t wanted = header->e_shnum - first < AT_ONCE ? header->e_shnum - first : AT_ONCE;
        size_t got = file->read(file->context, sections, wanted * sizeof *sections,
                                header->e_shoff + first * sizeof *sections);
        for (size_t index = 0; index < got / sizeof *sections; index++) {
            uint32_t at = sections[index].sh_name;
            if (at < count && count - at >= sizeof name) {
                if (memcmp(names + at, name, sizeof name) == 0) return 1;
            } else if (read_at(file, found, sizeof found, start + at) && memcmp(found, name, sizeof name) == 0) {
                return 1;
            }
        }
    }
    return 0;
}

/* ----- Programs ----- */

/* The last component of a path. */
static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

int is_dynamic_linker(const char *path) {
    static const char *const names[] = {"ld-linux", "ld-lsb", "ld-2.", "ld.so"};
    const char *name = base_name(path);
    for (size_t index = 0; index < sizeof names / sizeof *names; index++)
        if (begins_with(name, strlen(name), names[index])) return 1;
    return 0;
}

static void read_program(const struct file *file, const Elf64_Ehdr *header, struct executable *executable) {
    enum { AT_ONCE = 6 };
    Elf64_Phdr segments[AT_ONCE];
    int is_dynamic = 0, is_go = 0;
    if (header->e_phentsize != sizeof *segments || header->e_phnum * sizeof *segments > EXECUTABLE_LARGEST_TABLE)
        return;
    for (unsigned index = 0; index < header->e_phnum; index++) {
        const Elf64_Phdr *segment = &segments[index % AT_ONCE];
        if (segment == segments) {
            unsigned wanted = header->e_phnum - index < AT_ONCE ? header->e_phnum - index : AT_ONCE;
            if (!read_at(file, segments, wanted * sizeof *segments, header->e_phoff + index * sizeof *segments)) return;
        }
        if (segment->p_type == PT_INTERP && !is_dynamic) {
            /* The kernel takes at most a path of PATH_MAX bytes. */
            if (segment->p_filesz > 4096) return;
            size_t room = sizeof executable->name - 1;
            size_t size = segment->p_filesz < room ? (size_t)segment->p_filesz : room;
            size = file->read(file->context, executable->name, size, segment->p_offset);
            executable->name[size] = 0;
            is_dynamic = 1;
        } else if (segment->p_type == PT_NOTE && !is_go) {
            is_go = has_go_note(file, segment);
        }
    }
    if (is_go || has_go_section(file, header)) executable->format = EXECUTABLE_GO;
    else if (!is_dynamic) executable->format = EXECUTABLE_STATIC;
    else if (!is_dynamic_linker(executable->name)) executable->format = EXECUTABLE_OTHER_LIBC;
    else executable->format = EXECUTABLE_DYNAMIC;
}

void executable_read(executable_reader read, void *context, struct executable *executable) {
    const struct file file = {read, context};
    union {
        char line[EXECUTABLE_LINE];
        Elf64_Ehdr header;
    } start;
    memset(executable, 0, sizeof *executable);
    /* execve(2) takes no more than 255 bytes of a script's line. */
    size_t count = read(context, &start, sizeof start, 0);
    if (begins_with(&start, count, "#!")) {
        read_script(start.line, count < sizeof start ? count : sizeof start - 1, executable);
        return;
    }
    const Elf64_Ehdr *header = &start.header;
    if (!begins_with(&start, count, ELFMAG) || count < sizeof *header) return;
    /* e_machine has the same offset in both classes. The other class of this machine's family runs here, too. */
    if (header->e_ident[EI_DATA] != ELFDATA2LSB) executable->format = EXECUTABLE_OTHER_MACHINE;
    else if (header->e_ident[EI_CLASS] == ELFCLASS32 && header->e_machine == MACHINE_32)
        executable->format = EXECUTABLE_OTHER_WORD_SIZE;
    else if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_machine != MACHINE)
        executable->format = EXECUTABLE_OTHER_MACHINE;
    else read_program(&file, header, executable);
}

/* ----- Capabilities ----- */

int capabilities_are_given(const uint8_t *attribute, size_t count) {
    if (count < 12) return 0;
    int is_effective = attribute[0] & 1, is_permitted = 0;
    /* After the magic number: pairs of permitted and inheritable bits, four bytes each. */
    for (size_t pair = 4; pair + 8 <= count && pair < 20; pair += 8)
        for (size_t index = pair; index < pair + 4; index++) is_permitted |= attribute[index];
    return is_effective || is_permitted;
}
