#include "EpollWait.h"

#include "Durations.h"
#include "Misjudged.h"
#include "PollWait.h"

/* Removes the library's events, and returns how many of the program's remain. */
static int take_events(struct epoll_event *events, int count) {
    int kept = 0;
    for (int index = 0; index < count; index++) {
        if (socksify_take_event(events[index].data.u64, events[index].events)) continue;
        if (kept != index) events[kept] = events[index];
        kept++;
    }
    return kept;
}

/* Keeps only the program's events, and returns their number. `before`: pending_word() before the wait. */
static __attribute__((noinline)) int programs_events(const struct epoll_call *call, int count, uint64_t before) {
    uint64_t now = pending_word();
    if (count > 0 && (pending_any(before) || now != before))
        count = ON_LIBRARY_STACK_IF_THERE(take_events, call->events, count);
    return count > 0 && relayed_any(now) ? withhold_events(call->epoll, call->events, count) : count;
}

/* Returns the nanoseconds after which to look again. */
static int64_t prepare_to_wait(int epoll) {
    int64_t limit = of_milliseconds(socksify_inspect_handshakes());
    socksify_audit_epoll(epoll);
    return internal_any() ? least(limit, of_milliseconds(socksify_watch_internal(epoll))) : limit;
}

/* A wait in which an event may be the library's, or for datagrams that the program must not see. */
static int wait_disturbed(const struct epoll_call *call, int64_t end) {
    for (;;) {
        uint64_t before = pending_word();
        int64_t limit = pending_any(before) ? ON_LIBRARY_STACK_IF_THERE(prepare_to_wait, call->epoll) : FOREVER;
        if (relayed_any(before) && !(descriptor_mark(call->epoll) & DESCRIPTOR_NOTED_EPOLL))
            socksify_note_epoll(call->epoll);
        int64_t left = until(end), longest = least(left, limit);
        /* Connections that another epoll watches belong to another thread, if there is one: it gets time to advance
         * them first. */
        int is_elsewhere = unattended_watched_elsewhere(call->epoll), is_shared = is_elsewhere && process_is_threaded();
        if (longest > 0 && call->room > 0 && (unattended_any_unwatched() || (is_elsewhere && !is_shared))) {
            int besides = is_shared ? SOCKSIFY_BESIDES_ALL : call->epoll;
            if (is_shared) longest = least(longest, LONGEST_SHARED_WAIT);
            if (poll_epoll_until(call->epoll, end_of(longest), call->signals, besides) < 0) return -1;
            longest = 0;
        }
        if (is_shared) longest = least(longest, LONGEST_SHARED_WAIT);
        int count = call->wait(call, longest);
        if (count < 0) return count;
        if (count == 0 && is_shared && poll_epoll_until(call->epoll, 0, call->signals, call->epoll) < 0) return -1;
        int kept = programs_events(call, count, before);
        if (kept > 0) return kept;
        /* After a hidden event, an event for the program may follow at once. */
        if (count == 0 && left <= limit && until(end) == 0) return 0;
    }
}

int epoll_wait_beside(const struct epoll_call *call, int64_t duration) {
    uint64_t before = pending_word();
    int64_t end = duration > 0 ? end_of(duration) : 0;
    if (!pending_is_undisturbed(before)) return wait_disturbed(call, end);
    int count = call->wait(call, duration);
    if (count <= 0 || pending_word() == before) return count;
    int kept = programs_events(call, count, before);
    return kept > 0 ? kept : wait_disturbed(call, end);
}
