# Sourced by the scripts that link libsocksify.so.

# The compiler for C that comes with Swift.
toolchain_clang() {
    echo "$(dirname "$(swiftc -print-target-info | sed -nE 's/.*"runtimeResourcePath": "(.*)".*/\1/p')")/../bin/clang"
}

# link_library SCRATCH OUTPUT FLAG... links what was built in a scratch path. By hand, because it needs nothing of what
# Swift links by itself: libc alone, no start files, no run path.
link_library() {
    local scratch=$1 output=$2
    shift 2
    # The library exports the hooked names, and nothing else: an exported swift_retain would take the place of the
    # runtime's in a program that is written in Swift itself.
    {
        echo '{ global:'
        sed -nE 's/^HOOK\((\w+)\)$/    \1;/p' Sources/CLibC/include/HookedSymbols.h
        echo '  local: *; };'
    } >"$scratch/exports.map"
    "$(toolchain_clang)" -shared -fuse-ld=lld -nostartfiles -nodefaultlibs -o "$output" \
        -Wl,--whole-archive "$scratch/release/libSocksifyPreload.a" -Wl,--no-whole-archive -lc \
        -Wl,-z,now,-z,relro,-z,noexecstack,--gc-sections \
        "-Wl,--version-script=$scratch/exports.map,-soname,libsocksify.so" "$@"
}
