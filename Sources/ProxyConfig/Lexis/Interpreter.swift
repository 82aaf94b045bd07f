import Addressing

/// A program that runs other programs, and how these are found among its arguments: the first that is neither an option
/// nor the value of one.
enum Interpreter: Equatable {
    case python, perl, ruby, node, php, lua, shell, rscript, tclsh, java

    /// - Parameter name: the last component of the executable's path.
    init?(named name: Span<UInt8>) {
        let text = SourceText(name)
        let name = text.whole
        if text.starts(name, with: "python") {
            self = .python
        } else if text.starts(name, with: "perl") {
            self = .perl
        } else if text.starts(name, with: "ruby") {
            self = .ruby
        } else if text.starts(name, with: "php") {
            self = .php
        } else if text.starts(name, with: "lua") {
            self = .lua
        } else if text.isVersion(of: "node", name) || text.isVersion(of: "nodejs", name) {
            self = .node
        } else if text.isVersion(of: "bash", name) || text.isVersion(of: "sh", name)
            || text.isVersion(of: "dash", name) || text.isVersion(of: "zsh", name) || text.isVersion(of: "ksh", name)
        {
            self = .shell
        } else if text.equals(name, "Rscript") {
            self = .rscript
        } else if text.isVersion(of: "tclsh", name) {
            self = .tclsh
        } else if text.equals(name, "java") {
            self = .java
        } else {
            return nil
        }
    }

    /// What the arguments, of which the first is the interpreter's own name, tell it to run; nil for code in an argument
    /// or from standard input, and for nothing at all.
    func script(in arguments: [[UInt8]]) -> [UInt8]? {
        var index = 1
        while let argument = arguments.at(index) {
            index += 1
            let text = SourceText(argument.span)
            guard text.starts(text.whole, with: "-") || (self == .shell && text.starts(text.whole, with: "+")) else {
                // `java @file` reads more arguments.
                if self == .java, text.starts(text.whole, with: "@") { continue }
                return argument
            }
            if text.equals(text.whole, "--") { return arguments.at(index) }
            if text.equals(text.whole, "-") { return self == .shell ? arguments.at(index) : nil }
            switch meaning(of: text) {
            case .none: break
            case .takesNext: index += 1
            case .code: return nil
            case .script: return arguments.at(index)
            case .scriptWithin(let start): return text.copy(start..<argument.count)
            }
        }
        return nil
    }

    /// What an option means for those behind it.
    private enum Meaning {
        /// Nothing.
        case none
        /// The next argument is its value.
        case takesNext
        /// There is code in it or in the next argument, or on standard input.
        case code
        /// The next argument is what is run.
        case script
        /// What is run stands in the same argument, from here on.
        case scriptWithin(Int)
    }

    private func meaning(of option: SourceText) -> Meaning {
        if isOne(of: codeWords, option) { return .code }
        if isOne(of: scriptWords, option) { return .script }
        if isOne(of: wordsWithValue, option) { return .takesNext }
        // Long options, and all of those where letters cannot be joined.
        if !joinsLetters || option.starts(option.whole, with: "--") { return .none }
        var index = 1
        while index < option.bytes.count {
            let letter = option.bytes[index]
            index += 1
            if contains(codeLetters, letter) { return .code }
            if contains(scriptLetters, letter) {
                return index < option.bytes.count ? .scriptWithin(index) : .script
            }
            if contains(lettersWithValue, letter) { return index < option.bytes.count ? .none : .takesNext }
            if contains(lettersWithRest, letter) { return .none }
        }
        return .none
    }

    private var joinsLetters: Bool { self != .node && self != .tclsh && self != .java }

    /// Letters after which there is code, and no script.
    private var codeLetters: StaticString {
        switch self {
        case .python: "c"
        case .perl: "eE"
        case .ruby: "e"
        case .php: "rBRE"
        case .shell: "cs"
        case .rscript: "e"
        case .lua, .node, .tclsh, .java: ""
        }
    }

    /// Letters whose value is the script.
    private var scriptLetters: StaticString {
        switch self {
        case .python: "m"
        case .php: "fF"
        case .perl, .ruby, .shell, .rscript, .lua, .node, .tclsh, .java: ""
        }
    }

    /// Letters with a value: the rest of the argument, or else the next one.
    private var lettersWithValue: StaticString {
        switch self {
        case .python: "WXQ"
        case .perl: "I"
        case .ruby: "ICErX"
        case .php: "dcztS"
        case .shell: "oO"
        case .lua: "el"
        case .rscript, .node, .tclsh, .java: ""
        }
    }

    /// Letters whose value is the rest of the argument, even if there is none.
    private var lettersWithRest: StaticString {
        switch self {
        case .perl: "MmxiFDCV:"
        case .ruby: "xiFKTW0"
        case .python, .php, .shell, .lua, .rscript, .node, .tclsh, .java: ""
        }
    }

    // Words, each between spaces.

    private var codeWords: StaticString {
        switch self {
        case .node: " -e --eval -p --print -pe -i --interactive "
        case .php: " --run --process-begin --process-code --process-end "
        case .python, .perl, .ruby, .lua, .shell, .rscript, .tclsh, .java: ""
        }
    }

    private var scriptWords: StaticString {
        switch self {
        case .php: " --file --process-file "
        case .java: " -jar -m --module "
        case .python, .perl, .ruby, .lua, .shell, .rscript, .node, .tclsh: ""
        }
    }

    private var wordsWithValue: StaticString {
        switch self {
        case .python: " --check-hash-based-pycs "
        case .ruby: " --encoding --external-encoding --internal-encoding --enable --disable "
        case .node:
            """
             -r --require --import --loader --experimental-loader -C --conditions --input-type --title --icu-data-dir \
            --openssl-config --redirect-warnings --diagnostic-dir --dns-result-order --unhandled-rejections \

            """
        case .php: " --define --php-ini --zend-extension --docroot --server "
        case .shell: " --rcfile --init-file "
        case .tclsh: " -encoding "
        case .java:
            " -cp -classpath --class-path -p --module-path --upgrade-module-path --add-modules --limit-modules "
        case .perl, .lua, .rscript: ""
        }
    }

    private func contains(_ letters: StaticString, _ letter: UInt8) -> Bool {
        for index in 0..<letters.utf8CodeUnitCount where letters.utf8Start[index] == letter { return true }
        return false
    }

    private func isOne(of words: StaticString, _ word: SourceText) -> Bool {
        let length = word.bytes.count
        guard words.utf8CodeUnitCount >= length + 2 else { return false }
        for start in 0...(words.utf8CodeUnitCount - length - 2)
        where words.utf8Start[start] == UInt8(ascii: " ")
            && words.utf8Start[start + 1 + length] == UInt8(ascii: " ")
        {
            var isEqual = true
            for offset in 0..<length where words.utf8Start[start + 1 + offset] != word.bytes[offset] { isEqual = false }
            if isEqual { return true }
        }
        return false
    }
}

extension SourceText {
    /// Whether a name is `word`, or that with a version behind it.
    fileprivate func isVersion(of word: StaticString, _ name: Range<Int>) -> Bool {
        guard starts(name, with: word) else { return false }
        for index in (name.lowerBound + word.utf8CodeUnitCount)..<name.upperBound
        where decimalDigit(bytes[index]) == nil && bytes[index] != UInt8(ascii: ".")
            && bytes[index] != UInt8(ascii: "-")
        { return false }
        return true
    }
}
