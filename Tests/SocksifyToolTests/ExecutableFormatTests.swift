import CPrograms
import Testing

/// The properties of a program that its file shows.
enum ExecutableFormat: Equatable {
    case dynamic(linker: [UInt8])
    case go
    case fixed
    case otherWordSize, otherMachine
    case script(interpreter: [UInt8])
    case unknown

    init(_ executable: executable) {
        let name = withUnsafeBytes(of: executable.name) { Array($0.prefix { $0 != 0 }) }
        switch executable.format {
        case EXECUTABLE_SCRIPT: self = .script(interpreter: name)
        case EXECUTABLE_DYNAMIC, EXECUTABLE_OTHER_LIBC: self = .dynamic(linker: name)
        case EXECUTABLE_GO: self = .go
        case EXECUTABLE_STATIC: self = .fixed
        case EXECUTABLE_OTHER_WORD_SIZE: self = .otherWordSize
        case EXECUTABLE_OTHER_MACHINE: self = .otherMachine
        default: self = .unknown
        }
    }
}

/// The properties that the library and the tool read from a file with these bytes; no read may ask for more than the
/// limit.
func read(_ bytes: [UInt8]) -> executable {
    var found = executable()
    bytes.withUnsafeBytes { bytes in
        withUnsafePointer(to: bytes) { file in
            executable_read(
                { file, buffer, count, offset in
                    #expect(count <= EXECUTABLE_LARGEST_TABLE)
                    guard let file = file?.assumingMemoryBound(to: UnsafeRawBufferPointer.self).pointee,
                        offset < file.count
                    else { return 0 }
                    let part = UnsafeRawBufferPointer(rebasing: file.dropFirst(Int(offset)).prefix(count))
                    UnsafeMutableRawBufferPointer(start: buffer, count: count).copyMemory(from: part)
                    return part.count
                }, UnsafeMutableRawPointer(mutating: file), &found)
        }
    }
    return found
}

func format(_ bytes: [UInt8]) -> ExecutableFormat {
    ExecutableFormat(read(bytes))
}

/// The bytes of a number in this machine's byte order.
private func little(_ number: UInt64, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(number >> (8 * $0) & 0xff) }
}

/// A 64-bit ELF file for this machine with the given program headers.
func elf(
    class elfClass: UInt8 = 2, data: UInt8 = 1, machine: UInt16? = nil, tableOffset: UInt64 = 64,
    entrySize: UInt16 = 56, count: UInt16? = nil,
    headers: [(type: UInt32, offset: UInt64, size: UInt64)] = [],
    tail: [UInt8] = []
) -> [UInt8] {
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

    private func givesCapabilities(_ attribute: [UInt8]) -> Bool {
        capabilities_are_given(attribute, attribute.count) != 0
    }

    @Test(arguments: [
        ("/lib64/ld-linux-x86-64.so.2", true), ("/nix/store/x-glibc-2.39/lib/ld-linux-aarch64.so.1", true),
        ("/usr/lib/ld-2.31.so", true), ("/lib/ld-musl-x86_64.so.1", false), ("/system/bin/linker64", false),
        ("/lib/ld64-uClibc.so.0", false), ("", false),
    ])
    func otherLibraries(linker: String, isGlibc: Bool) {
        let name = Array(linker.utf8) + [0]
        let found = read(elf(headers: [(3, 256, UInt64(name.count))], tail: name))
        #expect(found.format == (isGlibc ? EXECUTABLE_DYNAMIC : EXECUTABLE_OTHER_LIBC))
    }

    // MARK: Go

    /// A note of a program: its owner, its type and its content.
    private func note(_ name: String, _ kind: UInt64, _ text: [UInt8]) -> [UInt8] {
        func padded(_ bytes: [UInt8]) -> [UInt8] { bytes + [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4) }
        let name = Array(name.utf8) + [0]
        return little(UInt64(name.count), 4) + little(UInt64(text.count), 4) + little(kind, 4) + padded(name)
            + padded(text)
    }

    @Test func goByItsNote() {
        let other = note("GNU", 4, [1, 2, 3, 4, 5])
        let notes = other + note("Go\0", 4, Array("an identifier".utf8))
        func program(_ notes: [UInt8], isDynamic: Bool) -> [UInt8] {
            let interpreter: [(UInt32, UInt64, UInt64)] = isDynamic ? [(3, UInt64(256 + notes.count), 28)] : []
            return elf(headers: [(4, 256, UInt64(notes.count))] + interpreter, tail: notes + linker)
        }
        #expect(format(program(notes, isDynamic: true)) == .go)
        #expect(format(program(notes, isDynamic: false)) == .go)
        #expect(format(program(other, isDynamic: true)) == .dynamic(linker: Array(linker.dropLast())))
        for kind: UInt64 in [0, 1, 3, 5] {
            #expect(format(program(note("Go\0", kind, []), isDynamic: false)) == .fixed)
        }
        #expect(format(program(note("Go", 4, []), isDynamic: false)) == .fixed)
    }

    /// A program with Go's section, or another one, as the last of `count` sections.
    private func program(section name: String, among count: Int, namesAt distance: Int = 0) -> [UInt8] {
        func section(_ name: Int, _ offset: Int) -> [UInt8] {
            little(UInt64(name), 4) + little(1, 4) + [UInt8](repeating: 0, count: 16) + little(UInt64(offset), 8)
                + [UInt8](repeating: 0, count: 32)
        }
        var file = elf(headers: [(3, 256, UInt64(linker.count))], tail: linker)
        let names = file.count
        file += [UInt8](repeating: 0, count: distance + 1) + Array(name.utf8) + [0]
        let table = file.count
        file += section(0, names)
        for index in 1..<count { file += section(index == count - 1 ? distance + 1 : 0, 0) }
        file.replaceSubrange(40..<48, with: little(UInt64(table), 8))
        file.replaceSubrange(58..<64, with: little(64, 2) + little(UInt64(count), 2) + little(0, 2))
        return file
    }

    @Test(arguments: [2, 5, 6, 31, 100], [0, 370, 1000])
    func goByItsSection(count: Int, distance: Int) {
        #expect(format(program(section: ".go.buildinfo", among: count, namesAt: distance)) == .go)
        for name in [".go.buildinf", ".go.buildinfos", ".data"] {
            let other = program(section: name, among: count, namesAt: distance)
            #expect(format(other) == .dynamic(linker: Array(linker.dropLast())))
        }
    }

    @Test func hostileNotesAndSections() {
        var file = program(section: ".go.buildinfo", among: 9)
        for offset in [UInt64.max, UInt64(Int64.max), 1 << 63, 1 << 40] {
            file.replaceSubrange(40..<48, with: little(offset, 8))
            _ = format(file)
        }
        for lengths: [UInt64] in [[0xffff_ffff, 0xffff_ffff], [0, 0xffff_ffff], [0xffff_ffff, 0], [0, 0]] {
            let notes = little(lengths[0], 4) + little(lengths[1], 4) + little(4, 4) + [0, 0, 0, 0]
            for size: UInt64 in [0, 15, 16, 1 << 20, .max] {
                #expect(format(elf(headers: [(4, 256, size)], tail: notes)) == .fixed)
            }
        }
    }
}
