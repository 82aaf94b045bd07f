import Addressing
import CKernel
import CPrograms
import ProxyConfig

/// A program that is about to be started, and that the library is not loaded into, or may not be.
public struct UnreachableProgram {
    let reach: program_reach
    let path: UnsafePointer<CChar>
    /// What runs it if it is a script, else empty.
    let interpreter: UnsafePointer<CChar>

    public init(_ reach: program_reach, path: UnsafePointer<CChar>, interpreter: UnsafePointer<CChar>) {
        self.reach = reach
        self.path = path
        self.interpreter = interpreter
    }

    private var raisesRights: Bool { program_raises_rights(reach) != 0 }

    public enum Start {
        case asItIs, withoutNetwork
        case refused(Errno)
    }

    /// How it is started, which a line has said then.
    public var start: Start {
        guard case .ready(let runtime) = Runtime.state else {
            return raisesRights ? .refused(.notPermitted) : .withoutNetwork
        }
        let policy = runtime.pointee.configuration.unreachable ?? .withoutNetwork
        switch policy {
        case .direct:
            write(.warning, "it goes direct, as 'unreachable direct' says", runtime)
            return .asItIs
        case .withoutNetwork where !raisesRights:
            // Nothing but the library gets through to the network there.
            let consequence: StaticString =
                reach == PROGRAM_UNREADABLE ? "it goes through the proxy or nowhere" : "it is started without network"
            write(reach == PROGRAM_GO ? .warning : .info, consequence, runtime)
            return .withoutNetwork
        case .block where reach == PROGRAM_UNCERTAIN:
            return .withoutNetwork
        case .withoutNetwork, .block:
            write(.error, "it is not started, because it would go direct", runtime)
            return .refused(raisesRights ? .notPermitted : .accessDenied)
        }
    }

    private func write(_ level: LogLevel, _ consequence: StaticString, _ runtime: UnsafePointer<Runtime>) {
        guard let reason = program_reason(reach), let advice = program_advice(reach) else { return }
        let isDirect = runtime.pointee.configuration.unreachable == .direct
        Log.write(level, runtime.pointee.configuration) { line in
            if path.pointee != 0 { line.append(bytes(of: path)) } else { line.append("the program of a descriptor") }
            if interpreter.pointee != 0 {
                line.append(": its interpreter ")
                line.append(bytes(of: interpreter))
            }
            line.append(" ")
            line.append(bytes(of: reason))
            line.append("; ")
            line.append(consequence)
            guard !isDirect else { return }
            line.append(". What helps: ")
            line.append(bytes(of: advice))
            line.append(", or 'unreachable direct' to let it go around")
        }
    }
}
