import ArgumentParser

@main struct TestProxyCommand: ParsableCommand {
    func run() throws {}
}
