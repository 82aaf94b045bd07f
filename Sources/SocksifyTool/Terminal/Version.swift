/// The version of socksify, as `--version` prints it.
public let socksifyVersion = "0.1.0"
