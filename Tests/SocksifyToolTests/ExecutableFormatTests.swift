import SocksifyTool
import Testing

/// A 64-bit ELF file for this machine with the given program headers.
func elf(
    class elfClass: UInt8 = 2, data: UInt8 = 1, machine: UInt16? = nil, tableOffset: UInt64 = 64,
    entrySize: UInt16 = 56, count: UInt16? = nil,
    headers: [(type: UInt32, offset: UInt64, size: UInt64)] = [],
    tail: [UInt8] = []
) -> [UInt8] {
    func little(_ number: UInt64, _ size: Int) -> [UInt8] {
        (0..<size).map { UInt8(number >> (8 * $0) & 0xff) }
    }
    #if arch(x86_64)
    let native: UInt16 = 62
    #else
    let native: UInt16 = 183
    #endif
    var bytes: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, elfClass, data, 1] + [UInt8](repeating: 0, count: 9)
    bytes += little(2, 2) + little(UInt64(machine ?? native), 2) + little(1, 4) + little(0, 8)
    bytes += little(tableOffset, 8) + little(0, 8) + little(0, 4) + little(64, 2)
    bytes += little(UInt64(entrySize), 2) + little(UInt64(count ?? UInt16(headers.count)), 2) + little(0, 6)
    for header in headers {
        bytes += little(UInt64(header.type), 4) + little(4, 4) + little(header.offset, 8) + little(0, 16)
        bytes += little(header.size, 8) + little(header.size, 8) + little(1, 8)
    }
    return bytes + [UInt8](repeating: 0, count: max(0, 256 - bytes.count)) + tail
}

/// The format of a file with these bytes; no read may ask for more than the limit.
func format(_ bytes: [UInt8]) -> ExecutableFormat {
    ExecutableFormat { count, offset in
        #expect(count >= 0 && count <= ExecutableFormat.longestRead)
        guard offset >= 0, offset < bytes.count else { return [] }
        return Array(bytes[offset..<min(bytes.count, offset + count)])
    }
}

@Suite struct ExecutableFormatTests {
    private let linker = Array("/lib64/ld-linux-x86-64.so.2\0".utf8)

    @Test func dynamicProgram() {
        let headers: [(type: UInt32, offset: UInt64, size: UInt64)] = [
            (6, 0, 0), (3, 256, UInt64(linker.count)),
        ]
        #expect(format(elf(headers: headers, tail: linker)) == .dynamic(linker: Array(linker.dropLast())))
    }

    @Test func staticProgram() {
        #expect(format(elf(headers: [(1, 0, 0), (2, 0, 0)])) == .fixed)
        #expect(format(elf()) == .fixed)
    }

    @Test func otherMachines() {
        #if arch(x86_64)
        #expect(format(elf(class: 1, machine: 3)) == .otherWordSize)
        #expect(format(elf(machine: 183)) == .otherMachine)
        #endif
        #expect(format(elf(class: 1, machine: 8)) == .otherMachine)
        #expect(format(elf(data: 2)) == .otherMachine)
        #expect(format(elf(class: 7)) == .otherMachine)
    }

    @Test(arguments: [
        ("#!/bin/sh\n", "/bin/sh"), ("#! \t/usr/bin/env python3 -u\nx", "/usr/bin/env"), ("#!perl", "perl"),
        ("#!/bin/sh\0x", "/bin/sh"),
    ])
    func scripts(text: String, interpreter: String) {
        #expect(format(Array(text.utf8)) == .script(interpreter: Array(interpreter.utf8)))
    }

    @Test(arguments: ["", "#", "#!", "#!\n/bin/sh", "#!   \n", "echo", "\u{7f}ELF", "\u{7f}ELF\u{2}\u{1}"])
    func unknown(text: String) {
        #expect(format(Array(text.utf8)) == .unknown)
    }

    /// Tables that point anywhere and claim any size give no answer, and do not trap.
    @Test func hostilePrograms() {
        #expect(format(elf(count: 3)) != .dynamic(linker: []))
        for offset in [UInt64.max, UInt64(Int64.max), 1 << 63, 255, 1 << 40] {
            #expect(format(elf(tableOffset: offset, count: 2)) == .unknown)
            #expect(format(elf(headers: [(3, offset, 20)])) == .dynamic(linker: []))
        }
        for size: UInt16 in [0, 1, 55, 57, 65535] {
            #expect(format(elf(entrySize: size, count: 9)) == .unknown)
        }
        #expect(format(elf(count: 65535)) == .unknown)
        #expect(format(elf(headers: [(3, 0, UInt64.max)])) == .unknown)
        #expect(format(elf(headers: [(3, 0, 4097)])) == .unknown)
    }

    @Test func everyByteChangedAndEveryPrefix() {
        let file = elf(headers: [(6, 0, 0), (3, 256, 28)], tail: linker)
        for length in 0...file.count { _ = format(Array(file[..<length])) }
        for index in file.indices {
            for byte: UInt8 in [0, 1, 2, 0x7f, 0x80, 0xff] {
                var changed = file
                changed[index] = byte
                _ = format(changed)
            }
        }
    }

    @Test func capabilities() {
        let none: [UInt8] = [0, 0, 0, 2] + [UInt8](repeating: 0, count: 16)
        #expect(!givesCapabilities([]))
        #expect(!givesCapabilities([1, 0, 0, 2]))
        #expect(!givesCapabilities(none))
        var effective = none
        effective[0] = 1
        #expect(givesCapabilities(effective))
        for (index, gives) in [
            (4, true), (7, true), (8, false), (11, false), (12, true), (15, true), (16, false),
        ] {
            var bits = none
            bits[index] = 0x20
            #expect(givesCapabilities(bits) == gives)
        }
        #expect(givesCapabilities([0, 0, 0, 1, 0, 0x20, 0, 0, 0, 0, 0, 0]))
        #expect(givesCapabilities([0, 0, 0, 3, 0, 0x20, 0, 0] + [UInt8](repeating: 0, count: 16)))
    }
}
