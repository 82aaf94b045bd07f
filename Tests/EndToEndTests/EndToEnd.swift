import Testing

/// Every test that runs programs under the built library.
///
/// They run one after the other. The test counts the packets that a program sent past the proxy for the whole of the
/// client's namespace, so only that program may send any.
@Suite(.serialized, .inNamespace) struct EndToEnd {}
