# Sourced by the scripts that link libsocksify.so.

# The compiler for C that comes with Swift.
toolchain_clang() {
    echo "$(dirname "$(swiftc -print-target-info | sed -nE 's/.*"runtimeResourcePath": "(.*)".*/\1/p')")/../bin/clang"
}

# names_in_c SCRATCH prints the functions and variables of the library's C, the small ones before the large ones.
names_in_c() {
    find "$1"/release/{CInterpose,CKernel,CLibC,CPreload,CPrograms}.build/ -name '*.o' -exec nm -S --defined-only {} + |
        sed -nE 's/^[0-9a-f]+ ([0-9a-f]+) . (.+)$/\1 \2/p' | LC_ALL=C sort | cut -d' ' -f2
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
    # What programs need lies side by side: each page that a program touches, and each 64 KiB of a file, costs it a
    # microsecond or more, and memory.
    { grep -v '^#' scripts/functions.order && names_in_c "$scratch"; } >"$scratch/order"
    # The compiler's own functions have no names to order them by: they end classes of Swift's.
    cat >"$scratch/sections.ld" <<'END'
SECTIONS {
    .plt : { *(.plt) }
    .text.unnamed : { *(.text..L__unnamed_*) }
    /DISCARD/ : { *(.swift_modhash) }
} INSERT BEFORE .text;
END
    # The library's calls of syscall() stay inside the library, so that check-stack can follow them.
    "$(toolchain_clang)" -shared -fuse-ld=lld -nostartfiles -nodefaultlibs -o "$output" \
        -Wl,--whole-archive "$scratch/release/libSocksifyPreload.a" -Wl,--no-whole-archive -lc \
        -Wl,-z,now,-z,relro,-Bsymbolic-functions,-z,noexecstack,-z,separate-loadable-segments,--gc-sections \
        "-Wl,--symbol-ordering-file=$scratch/order,--no-warn-symbol-ordering,-T,$scratch/sections.ld" \
        "-Wl,--version-script=$scratch/exports.map,-soname,libsocksify.so" "$@"
}
