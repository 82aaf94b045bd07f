import ArgumentParser

@main struct Socksify: ParsableCommand {
    func run() throws {}
}
