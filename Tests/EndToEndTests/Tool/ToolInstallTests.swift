import Foundation
import Testing

extension EndToEnd {
    /// `scripts/install`, in a folder of its own.
    @Suite struct ToolInstall {
        private func install(_ arguments: [String]) async throws -> Run {
            let script = Machine.package.appending(path: "scripts/install").path
            return try await Client.start(
                ["env", "SOCKSIFY_DIST=\(Machine.distribution.path)", script] + arguments, limit: 60)
        }

        @Test func `What is installed works, completes its words, and is all removed`() async throws {
            let prefix = try Machine.temporaryDirectory("installed").path
            let installed = try await install(["--prefix", prefix])
            #expect(installed.status == 0, "\(installed)")
            #expect(try await Client.start(["\(prefix)/bin/socksify", "--version"], limit: 10).status == 0)
            for file in [
                "bash-completion/completions/socksify", "zsh/site-functions/_socksify",
                "fish/vendor_completions.d/socksify.fish",
            ] {
                let text = try String(contentsOfFile: "\(prefix)/share/\(file)", encoding: .utf8)
                #expect(text.contains("print-config") && text.contains("socksify"), "\(file)")
            }
            let documents = ["", "docs"].flatMap { folder in
                let files = try? FileManager.default.contentsOfDirectory(
                    atPath: Machine.package.appending(path: folder).path)
                return (files ?? []).filter { $0.hasSuffix(".md") }.map { folder.isEmpty ? $0 : "\(folder)/\($0)" }
            }
            #expect(documents.contains("docs/configuration.md"))
            for document in documents + ["LICENSE", "proxychains-compat.conf"] {
                #expect(
                    FileManager.default.fileExists(atPath: "\(prefix)/share/doc/socksify/\(document)"), "\(document)")
            }
            let complete = """
                . \(prefix)/share/bash-completion/completions/socksify
                COMP_WORDS=(socksify --ch) COMP_CWORD=1 COMP_LINE="socksify --ch" COMP_POINT=13 COMP_TYPE=9
                _socksify socksify --ch socksify; echo "${COMPREPLY[@]}"
                """
            #expect(try await Client.start(["bash", "-c", complete], limit: 10).output == "--check\n")

            #expect(try await install(["--uninstall", "--prefix", prefix]).status == 0)
            let left = FileManager.default.enumerator(atPath: prefix)?.compactMap { $0 as? String } ?? []
            let files = left.filter {
                !((try? FileManager.default.contentsOfDirectory(atPath: "\(prefix)/\($0)")) != nil)
            }
            #expect(files.isEmpty)
        }
    }
}
