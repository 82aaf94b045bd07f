# Sourced by the other scripts: installs the Debian packages that they need.

# ensure_packages PACKAGE... installs those that are missing. It fails, naming them, where it may not install.
ensure_packages() {
    # On other distributions we cannot know the names; the missing command will speak for itself.
    command -v dpkg-query >/dev/null || return 0
    local package missing=()
    for package in "$@"; do
        # shellcheck disable=SC2016 # ${Status} is dpkg-query's, not the shell's
        if ! dpkg-query --show --showformat='${Status}\n' "$package" 2>/dev/null | grep -q ' installed$'; then
            missing+=("$package")
        fi
    done
    ((${#missing[@]} > 0)) || return 0
    if ((EUID != 0)); then
        echo "${0##*/}: please have these packages installed: ${missing[*]}" >&2
        return 1
    fi
    echo "Installing ${missing[*]}" >&2
    # A subshell, so that the trap is this function's own.
    (
        # The package of a server must not start it.
        policy=/usr/sbin/policy-rc.d
        if [[ ! -e $policy ]]; then
            trap 'rm -f "$policy"' EXIT
            printf '#!/bin/sh\nexit 101\n' >"$policy"
            chmod 755 "$policy"
        fi
        install=(env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends
            -o DPkg::Lock::Timeout=300 "${missing[@]}")
        # The lists of a fresh machine are absent or stale.
        "${install[@]}" >/dev/null 2>&1 || { apt-get update -qq && "${install[@]}" >/dev/null; }
    ) >&2
}
