#include "MessageParts.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "CPreload.h"

static inline size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

int fault_of(const struct iovec *parts, size_t count) {
    if (count == 0) return 0;
    if (count > SOCKSIFY_MOST_PARTS) return EMSGSIZE;
    if ((uintptr_t)parts < 4096) return EFAULT;
    for (size_t index = 0; index < count; index++)
        if (parts[index].iov_len > SSIZE_MAX) return EINVAL;
    return 0;
}

/* Counts at most as much of a part as the kernel takes in one call. */
size_t size_of(const struct iovec *parts, size_t count) {
    size_t size = 0;
    for (size_t index = 0; index < count; index++) size += least(parts[index].iov_len, INT_MAX);
    return size;
}

/* A part, and an offset in it. */
struct position {
    const struct iovec *part;
    size_t offset;
};

static struct position position_of(const struct iovec *parts, size_t offset) {
    while (offset >= parts->iov_len) offset -= parts++->iov_len;
    return (struct position){parts, offset};
}

static uint8_t *byte_at(struct position position) {
    return (uint8_t *)position.part->iov_base + position.offset;
}

/* How many bytes lie in the part from there on. */
static size_t run_from(struct position position) {
    return position.part->iov_len - position.offset;
}

void gather(const struct iovec *parts, uint8_t *bytes, size_t length) {
    for (size_t copied = 0, run; copied < length; copied += run) {
        struct position source = position_of(parts, copied);
        run = least(run_from(source), length - copied);
        memcpy(bytes + copied, byte_at(source), run);
    }
}

void scatter(const uint8_t *bytes, size_t length, const struct iovec *parts) {
    for (size_t copied = 0, run; copied < length; copied += run) {
        struct position target = position_of(parts, copied);
        run = least(run_from(target), length - copied);
        memcpy(byte_at(target), bytes + copied, run);
    }
}

/* Copies from the front if the bytes move towards it, else from the back, as memmove does. */
void move_within(const struct iovec *parts, size_t from, size_t to, size_t length) {
    for (size_t moved = 0, run; from != to && moved < length; moved += run) {
        size_t left = length - moved;
        struct position source, target;
        if (from > to) {
            source = position_of(parts, from + moved), target = position_of(parts, to + moved);
            run = least(least(run_from(source), run_from(target)), left);
        } else {
            source = position_of(parts, from + left - 1), target = position_of(parts, to + left - 1);
            run = least(least(source.offset, target.offset) + 1, left);
            source.offset -= run - 1, target.offset -= run - 1;
        }
        memmove(byte_at(target), byte_at(source), run);
    }
}
