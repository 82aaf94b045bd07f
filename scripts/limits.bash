# Sourced by scripts/test: every step has a time limit, and so has the whole.

# Seconds for all steps together, from the start of the script.
total_limit=1470

# time_left SECONDS: this much, or what is left for the whole.
time_left() {
    local left=$((total_limit - SECONDS))
    echo $(($1 < left ? $1 : left > 0 ? left : 1))
}

# within SECONDS NAME COMMAND...: runs the command, and fails, saying the name, when it does not end in this time or in
# what is left for the whole.
within() {
    local limit name=$2 status=0
    limit=$(time_left "$1")
    shift 2
    # In the background, where a trap is taken at once: timeout(1) has a process group of its own, which no key
    # interrupts, and hands the signal on to it.
    timeout --kill-after=10 "$limit" "$@" &
    # shellcheck disable=SC2064 # the process of now
    trap "kill -TERM $!" INT TERM HUP
    wait "$!" || status=$?
    trap - INT TERM HUP
    # What timeout(1) says when it has ended the command, gently or not.
    if ((status == 124 || status == 137)); then
        echo "${0##*/}: $name did not end within $limit seconds" >&2
    fi
    return "$status"
}
