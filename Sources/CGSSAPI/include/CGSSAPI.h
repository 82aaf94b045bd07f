/* GSS-API (RFC 2744) by MIT Kerberos' library, which is loaded when a proxy first asks for it.
 *
 * Its functions allocate by the program's malloc(3), take locks, and read files: they are not async-signal-safe. One
 * context may be used by one thread at a time.
 *
 * In C, because the library is found by dlopen(3), and its functions are called by pointers. */
#pragma once

#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>

/* gss_buffer_desc */
struct gssapi_buffer {
    size_t length;
    void *_Nullable value;
};

/* gss_ctx_id_t */
typedef struct gssapi_context *gssapi_context;

/* The results of a call. */
struct gssapi_status {
    /* The routine error, the calling error and the supplementary bits (RFC 2744 section 3.9). */
    uint32_t major;
    /* The mechanism's own code. */
    uint32_t minor;
};

/* Supplementary bits of a major status. */
enum {
    GSSAPI_CONTINUE_NEEDED = 1,
    GSSAPI_DUPLICATE_TOKEN = 2,
    GSSAPI_OLD_TOKEN = 4,
    GSSAPI_UNSEQUENCED_TOKEN = 8,
    GSSAPI_GAP_TOKEN = 16,
};
/* Calling errors and routine errors. */
#define GSSAPI_ERRORS 0xffff0000u

/* What a context is asked for (RFC 2744 section 5.19). */
enum {
    GSSAPI_DELEGATION = 1,
    GSSAPI_MUTUAL = 2,
    GSSAPI_REPLAY_DETECTION = 4,
    GSSAPI_SEQUENCE_DETECTION = 8,
    GSSAPI_CONFIDENTIALITY = 16,
    GSSAPI_INTEGRITY = 32,
};

/* dlopen(3) */
typedef void *_Nullable gssapi_open(const char *_Nullable file, int mode);
/* Loads the library. 0, or -1 where it is not there. */
int gssapi_load(gssapi_open *_Nonnull open);
/* The package of Debian and its relatives that it is in. */
#define GSSAPI_PACKAGE "libgssapi-krb5-2"

/* gss_init_sec_context with Kerberos, towards a service of a host ("SERVICE@HOST"). `token` is the peer's; empty at
 * first. `output` is to be released. May wait for a KDC. */
struct gssapi_status gssapi_initialize(gssapi_context _Nullable *_Nonnull context, const char *_Nonnull service,
                                       uint32_t flags, struct gssapi_buffer token,
                                       struct gssapi_buffer *_Nonnull output, uint32_t *_Nonnull granted);
/* gss_wrap. `output` is to be released. `is_sealed`: whether it is encrypted. */
struct gssapi_status gssapi_wrap(gssapi_context _Nonnull context, int seals, struct gssapi_buffer input,
                                 int *_Nonnull is_sealed, struct gssapi_buffer *_Nonnull output);
/* gss_unwrap. `output` is to be released. */
struct gssapi_status gssapi_unwrap(gssapi_context _Nonnull context, struct gssapi_buffer input,
                                   int *_Nonnull is_sealed, struct gssapi_buffer *_Nonnull output);
/* gss_wrap_size_limit: how many bytes may be wrapped so that the token has at most `size`; 0 on failure. */
uint32_t gssapi_wrap_size_limit(gssapi_context _Nonnull context, int seals, uint32_t size);
/* gss_export_sec_context: the context is no more. gss_import_sec_context: it is there again. */
struct gssapi_status gssapi_export(gssapi_context _Nullable *_Nonnull context, struct gssapi_buffer *_Nonnull output);
struct gssapi_status gssapi_import(struct gssapi_buffer input, gssapi_context _Nullable *_Nonnull context);
/* gss_delete_sec_context without a token for the peer. */
void gssapi_delete(gssapi_context _Nullable *_Nonnull context);
/* gss_release_buffer */
void gssapi_release(struct gssapi_buffer *_Nonnull buffer);
/* What a status means, in the mechanism's words where it has some; cut off at `size` with its zero byte. Returns the
 * length. */
size_t gssapi_describe(struct gssapi_status status, char *_Nonnull text, size_t size);
