#include "CGSSAPI.h"

#include <dlfcn.h>
#include <string.h>

typedef uint32_t status_word;
/* gss_OID_desc */
struct oid {
    status_word length;
    const void *elements;
};
typedef void *name;

/* GSS_C_NT_HOSTBASED_SERVICE, 1.2.840.113554.1.2.1.4, and Kerberos, 1.2.840.113554.1.2.2 */
static const struct oid hostbased_service = {10, "\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x04"};
static const struct oid kerberos = {9, "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"};

/* gss_display_status: the kind of its value. */
enum { OF_GSSAPI = 1, OF_MECHANISM = 2 };

#define FUNCTIONS(call)                                                                                              \
    call(gss_import_name, status_word *, struct gssapi_buffer *, const struct oid *, name *)                         \
    call(gss_release_name, status_word *, name *)                                                                    \
    call(gss_init_sec_context, status_word *, void *, gssapi_context *, name, const struct oid *, status_word,       \
         status_word, void *, struct gssapi_buffer *, const struct oid **, struct gssapi_buffer *, status_word *,    \
         status_word *)                                                                                              \
    call(gss_wrap, status_word *, gssapi_context, int, status_word, struct gssapi_buffer *, int *,                   \
         struct gssapi_buffer *)                                                                                     \
    call(gss_unwrap, status_word *, gssapi_context, struct gssapi_buffer *, struct gssapi_buffer *, int *,           \
         status_word *)                                                                                              \
    call(gss_wrap_size_limit, status_word *, gssapi_context, int, status_word, status_word, status_word *)           \
    call(gss_export_sec_context, status_word *, gssapi_context *, struct gssapi_buffer *)                            \
    call(gss_import_sec_context, status_word *, struct gssapi_buffer *, gssapi_context *)                            \
    call(gss_delete_sec_context, status_word *, gssapi_context *, struct gssapi_buffer *)                            \
    call(gss_release_buffer, status_word *, struct gssapi_buffer *)                                                  \
    call(gss_display_status, status_word *, status_word, int, const struct oid *, status_word *,                     \
         struct gssapi_buffer *)

#define DECLARED(function, ...) status_word (*function)(__VA_ARGS__);
static struct functions {
    FUNCTIONS(DECLARED)
} found;
static int is_loaded;

/* Threads that load it at the same time find the same. */
int gssapi_load(gssapi_open *open) {
    if (__atomic_load_n(&is_loaded, __ATOMIC_ACQUIRE)) return 0;
    void *library = open("libgssapi_krb5.so.2", RTLD_NOW | RTLD_LOCAL);
    if (!library) return -1;
    struct functions functions;
#define FOUND(function, ...)                                                                  \
    *(void **)&functions.function = dlsym(library, #function);                                \
    if (!functions.function) return -1;
    FUNCTIONS(FOUND)
    found = functions;
    __atomic_store_n(&is_loaded, 1, __ATOMIC_RELEASE);
    return 0;
}

struct gssapi_status gssapi_initialize(gssapi_context *context, const char *service, uint32_t flags,
                                       struct gssapi_buffer token, struct gssapi_buffer *output, uint32_t *granted) {
    struct gssapi_status status;
    struct gssapi_buffer text = {strlen(service), (void *)service};
    name target = NULL;
    *output = (struct gssapi_buffer){0, NULL};
    *granted = 0;
    status.major = found.gss_import_name(&status.minor, &text, &hostbased_service, &target);
    if (status.major & GSSAPI_ERRORS) return status;
    status.major = found.gss_init_sec_context(&status.minor, NULL, context, target, &kerberos, flags, 0, NULL,
                                              token.length ? &token : NULL, NULL, output, granted, NULL);
    status_word minor;
    found.gss_release_name(&minor, &target);
    return status;
}

struct gssapi_status gssapi_wrap(gssapi_context context, int seals, struct gssapi_buffer input, int *is_sealed,
                                 struct gssapi_buffer *output) {
    struct gssapi_status status;
    *output = (struct gssapi_buffer){0, NULL};
    status.major = found.gss_wrap(&status.minor, context, seals, 0, &input, is_sealed, output);
    return status;
}

struct gssapi_status gssapi_unwrap(gssapi_context context, struct gssapi_buffer input, int *is_sealed,
                                   struct gssapi_buffer *output) {
    struct gssapi_status status;
    status_word quality;
    *output = (struct gssapi_buffer){0, NULL};
    status.major = found.gss_unwrap(&status.minor, context, &input, output, is_sealed, &quality);
    return status;
}

uint32_t gssapi_wrap_size_limit(gssapi_context context, int seals, uint32_t size) {
    status_word minor, limit = 0;
    status_word major = found.gss_wrap_size_limit(&minor, context, seals, 0, size, &limit);
    return major & GSSAPI_ERRORS ? 0 : limit;
}

struct gssapi_status gssapi_export(gssapi_context *context, struct gssapi_buffer *output) {
    struct gssapi_status status;
    *output = (struct gssapi_buffer){0, NULL};
    status.major = found.gss_export_sec_context(&status.minor, context, output);
    return status;
}

struct gssapi_status gssapi_import(struct gssapi_buffer input, gssapi_context *context) {
    struct gssapi_status status;
    status.major = found.gss_import_sec_context(&status.minor, &input, context);
    return status;
}

void gssapi_delete(gssapi_context *context) {
    status_word minor;
    if (*context) found.gss_delete_sec_context(&minor, context, NULL);
}

void gssapi_release(struct gssapi_buffer *buffer) {
    status_word minor;
    if (buffer->value) found.gss_release_buffer(&minor, buffer);
}

/* The first line that there is for a code. */
static size_t describe(status_word code, int kind, char *text, size_t size) {
    struct gssapi_buffer line = {0, NULL};
    status_word minor, more = 0;
    const struct oid *mechanism = kind == OF_MECHANISM ? &kerberos : NULL;
    status_word major = found.gss_display_status(&minor, code, kind, mechanism, &more, &line);
    size_t length = major & GSSAPI_ERRORS ? 0 : line.length < size ? line.length : size - 1;
    if (length > 0) memcpy(text, line.value, length);
    text[length] = 0;
    gssapi_release(&line);
    return length;
}

size_t gssapi_describe(struct gssapi_status status, char *text, size_t size) {
    size_t length = status.minor ? describe(status.minor, OF_MECHANISM, text, size) : 0;
    /* What Kerberos says of a token that it cannot read. */
    if (length == 0 || strcmp(text, "Success") == 0) length = describe(status.major, OF_GSSAPI, text, size);
    return length;
}
