//! The `cites` binary.
fn main() {}
