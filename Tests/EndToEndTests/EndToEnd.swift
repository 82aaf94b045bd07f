import Testing

/// Every test that runs programs under the built library.
///
/// They run one after the other: the packets that a program sent past the proxy are counted for the whole of the
/// client's namespace, and must be the program's own.
@Suite(.serialized, .inNamespace) struct EndToEnd {}
