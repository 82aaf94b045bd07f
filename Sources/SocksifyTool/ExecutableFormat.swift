/// What the beginning of a file says about how the kernel runs it. Pure: the bytes may be anybody's.
public enum ExecutableFormat: Equatable {
    /// An ELF program of this machine that names its dynamic linker.
    case dynamic(linker: [UInt8])
    /// An ELF program of this machine without a dynamic linker.
    case fixed
    /// An ELF program of another word size.
    case otherWordSize
    /// An ELF program of another kind of machine.
    case otherMachine
    /// `#!`, and the program that it names.
    case script(interpreter: [UInt8])
    /// Something else, of which the kernel has to judge.
    case unknown

    /// The most bytes that are ever asked for at once: the kernel runs no ELF file with larger program
    /// headers.
    public static let longestRead = 65536

    /// Reads a file through `read(count, offset)`, which gives fewer bytes at the end of the file.
    public init(reading read: (_ count: Int, _ offset: Int) -> [UInt8]) {
        let start = read(256, 0)
        if start.starts(with: [UInt8(ascii: "#"), UInt8(ascii: "!")]) {
            self = Self.script(start)
        } else if start.starts(with: [0x7f, UInt8(ascii: "E"), UInt8(ascii: "L"), UInt8(ascii: "F")]) {
            self = Self.program(start, read)
        } else {
            self = .unknown
        }
    }

    /// The first word of the line; execve(2) takes no more than 255 bytes of it.
    private static func script(_ start: [UInt8]) -> ExecutableFormat {
        let line = start.dropFirst(2).prefix { $0 != UInt8(ascii: "\n") }
        let word = line.drop(while: isBlank).prefix { !isBlank($0) && $0 != 0 }
        return word.isEmpty ? .unknown : .script(interpreter: Array(word))
    }

    private static func isBlank(_ character: UInt8) -> Bool {
        character == UInt8(ascii: " ") || character == UInt8(ascii: "\t")
    }

    private static func program(_ header: [UInt8], _ read: (Int, Int) -> [UInt8]) -> ExecutableFormat {
        guard header.count >= 64 else { return .unknown }
        let is64Bit = header[4] == 2
        let isLittleEndian = header[5] == 1
        guard isLittleEndian else { return .otherMachine }
        guard is64Bit else {
            // e_machine is at the same place in both classes. The other class of this family runs here, too.
            return header[4] == 1 && number(header, at: 18, size: 2) == machine32
                ? .otherWordSize : .otherMachine
        }
        guard number(header, at: 18, size: 2) == machine else { return .otherMachine }
        let offset = Int(truncatingIfNeeded: number(header, at: 32, size: 8))
        let size = Int(number(header, at: 54, size: 2))
        let count = Int(number(header, at: 56, size: 2))
        guard size == 56, count * size <= longestRead else { return .unknown }
        let table = read(count * size, offset)
        for entry in stride(from: 0, to: table.count - size + 1, by: size)
        where number(table, at: entry, size: 4) == 3 {
            let position = Int(truncatingIfNeeded: number(table, at: entry + 8, size: 8))
            let length = number(table, at: entry + 32, size: 8)
            // The kernel takes at most a path of PATH_MAX bytes.
            guard length <= 4096 else { return .unknown }
            return .dynamic(linker: Array(read(Int(length), position).prefix { $0 != 0 }))
        }
        return table.count == count * size ? .fixed : .unknown
    }

    private static func number(_ bytes: [UInt8], at offset: Int, size: Int) -> UInt64 {
        var number: UInt64 = 0
        for index in (0..<size).reversed() { number = number << 8 | UInt64(bytes[offset + index]) }
        return number
    }

    // e_machine of this machine, and of the 32-bit programs that it may also run.
    #if arch(x86_64)
    static let machine: UInt64 = 62
    static let machine32: UInt64 = 3
    #elseif arch(arm64)
    static let machine: UInt64 = 183
    static let machine32: UInt64 = 40
    #endif
}

/// Whether a `security.capability` attribute (struct vfs_cap_data of the kernel) gives any capability to one
/// who has none: some permitted ones, or the flag that makes them effective.
public func givesCapabilities(_ attribute: [UInt8]) -> Bool {
    guard attribute.count >= 12 else { return false }
    let isEffective = attribute[0] & 1 != 0
    // Behind the magic number, pairs of permitted and inheritable bits, four bytes each.
    var permitted = false
    for pair in stride(from: 4, to: min(attribute.count, 20) - 7, by: 8)
    where attribute[pair..<pair + 4].contains(where: { $0 != 0 }) {
        permitted = true
    }
    return permitted || isEffective
}
