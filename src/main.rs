//! The `copilot-proxy` program.

fn main() {}
